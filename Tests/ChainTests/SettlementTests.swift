import Ethereum
import Primitives
import Testing

@testable import Chain

@Suite("What upto payments moved")
struct SettlementTests {
    private func finding(
        _ chains: [FakeChain], _ question: SettlementQuestion = FakeSettlement.question(),
        search: TransferSearch? = nil
    ) async throws -> SettlementFinding {
        var finding = SettlementFinding.unknown(.unread)
        try await ChainLab.run(chains) { lab async throws in
            finding = try await lab.reader.settlement(of: question, search: search, at: ChainLab.now)
        }
        return finding
    }

    private static func settled(
        _ amount: UInt64 = 700, _ binding: SettledAmount.Binding = .call, hash: Bytes32 = FakeSettlement.hash
    ) -> SettlementFinding {
        .settled(
            SettledAmount(
                amount: UInt256(amount), transaction: hash, block: 990, time: 1_700_000_990, binding: binding))
    }

    @Test("the proxy's selectors are the beginnings of its signatures' hashes")
    func selectors() {
        let settle = "settle(((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)"
        #expect(SettleCall.settle == Array(Keccak256.hash(settle).bytes.prefix(4)))
    }

    @Test("a call of the proxy that names the nonce shows what it moved", arguments: [false, true])
    func direct(withPermit: Bool) async throws {
        var settlement = FakeSettlement()
        settlement.withPermit = withPermit
        #expect(try await finding([.settled([settlement])]) == Self.settled())
    }

    @Test("what moved may be nothing, and all of it")
    func extremes() async throws {
        for amount in [0, 1000] as [UInt64] {
            var settlement = FakeSettlement()
            (settlement.called, settlement.moved) = (UInt256(amount), [UInt256(amount)])
            #expect(try await finding([.settled([settlement])]) == Self.settled(amount))
        }
    }

    @Test("an unused nonce has moved nothing, whatever the seller names")
    func unused() async throws {
        #expect(try await finding([.settled([FakeSettlement()], usedFrom: nil)]) == .unused(block: 1000))
        // Used in a block that is not final yet.
        #expect(try await finding([.settled([FakeSettlement()], usedFrom: 1001)]) == .unused(block: 1000))
    }

    @Test(
        "reject- transactions that are not the one, or not final, or contradict themselves",
        arguments: [
            ("another nonce", .foreign), ("another maximum", .foreign), ("failed", .reverted),
            ("nothing moved", .noTransfer), ("moved twice", .contradictory), ("moved less than called", .contradictory),
            ("more than signed", .contradictory), ("block not final", .notFinal), ("another branch", .notFinal),
        ] as [(String, SettlementFinding.Doubt)])
    func doubts(name: String, doubt: SettlementFinding.Doubt) async throws {
        var settlement = FakeSettlement()
        switch name {
        case "another nonce": settlement.nonce = Bytes32(words: (0, 0, 7, 6))
        case "another maximum": settlement.maximum = UInt256(999)
        case "failed": settlement.status = "0x0"
        case "nothing moved": settlement.moved = []
        case "moved twice": settlement.moved = [UInt256(700), UInt256(1)]
        case "moved less than called": settlement.moved = [UInt256(699)]
        case "more than signed": (settlement.called, settlement.moved) = (UInt256(1001), [UInt256(1001)])
        case "block not final": settlement.block = 1001
        default: settlement.branch = 2
        }
        #expect(try await finding([.settled([settlement])]) == .unknown(doubt))
    }

    @Test("a transaction through another contract counts when the nonce was used in its block and moved once there")
    func indirect() async throws {
        var routed = FakeSettlement()
        routed.to = FakeSettlement.router
        #expect(try await finding([.settled([routed])]) == Self.settled(700, .block))
        // Its input carries the nonce, but the nonce was used before or later.
        #expect(try await finding([.settled([routed], usedFrom: 989)]) == .unknown(.foreign))
        #expect(try await finding([.settled([routed], usedFrom: 991)]) == .unknown(.foreign))
        // Another payment to the same payee in the same block.
        var other = FakeSettlement()
        other.hash = Bytes32(words: (0xbb, 0, 0, 1))
        other.nonce = Bytes32(words: (0, 0, 7, 6))
        #expect(try await finding([.settled([routed, other])]) == .unknown(.ambiguous))
        #expect(try await finding([.settled([routed], history: 995)]) == .unknown(.noHistory))
    }

    @Test("without a named transaction it is looked for among the transfers of the window, page by page")
    func search() async throws {
        var other = FakeSettlement()
        other.hash = Bytes32(words: (0xbb, 0, 0, 1))
        other.nonce = Bytes32(words: (0, 0, 7, 6))
        other.block = 994
        other.moved = [UInt256(1)]
        other.called = UInt256(1)
        let chain = FakeChain.settled([other, FakeSettlement()])
        let question = FakeSettlement.question(transaction: nil)
        #expect(try await finding([chain], question) == .unknown(.notFound))
        #expect(try await finding([chain], question, search: .standard) == Self.settled())
        #expect(
            try await finding([chain], question, search: TransferSearch(blocksPerCall: 3, calls: 9)) == Self.settled())
        let short = TransferSearch(blocksPerCall: 3, calls: 1)
        #expect(try await finding([chain], question, search: short) == .unknown(.notFound))
        // A seller that names the wrong transaction hides nothing.
        let wrong = FakeSettlement.question(transaction: other.hash)
        #expect(try await finding([chain], wrong, search: .standard) == Self.settled())
        #expect(try await finding([chain], wrong) == .unknown(.foreign))
    }

    @Test("a window long past is found without reading every block since")
    func longAgo() async throws {
        var chain = FakeChain.settled([FakeSettlement()])
        chain.tags = ["finalized": 9_990, "latest": 10_000]
        let question = FakeSettlement.question(transaction: nil)
        try await ChainLab.run([chain]) { lab async throws in
            let finding = try await lab.reader.settlement(
                of: question, search: TransferSearch(blocksPerCall: 20, calls: 10),
                at: Timestamp(seconds: 1_700_020_000))
            #expect(finding == Self.settled())
            #expect(lab.nodes[0].requests.count < 30)
        }
    }

    @Test("reject- endpoints that tell different stories of one transaction")
    func disagreement() async throws {
        var liar = FakeSettlement()
        (liar.called, liar.moved) = (UInt256(1), [UInt256(1)])
        await #expect(throws: ChainError.self) { try await finding([.settled([FakeSettlement()]), .settled([liar])]) }
    }

    @Test(
        "reject- receipts that cannot be read",
        arguments: [
            "1", "[]", "{}", #"{"logs":[]}"#, #""0x""#,
            #"{"transactionHash":"\#(FakeSettlement.hash)","blockHash":"\#(FakeSettlement().blockHash)","blockNumber":"0x3de","status":"0x2","logs":[]}"#,
            #"{"transactionHash":"\#(FakeSettlement.hash)","blockHash":"\#(FakeSettlement().blockHash)","blockNumber":"0x3de","status":"0x1","logs":[1]}"#,
            #"{"transactionHash":"\#(Bytes32.zero)","blockHash":"\#(FakeSettlement().blockHash)","blockNumber":"0x3de","status":"0x1","logs":[]}"#,
        ])
    func hostile(receipt: String) async throws {
        var chain = FakeChain.settled([FakeSettlement()])
        let honest = chain.more
        chain.more = { $0 == "eth_getTransactionReceipt" ? receipt : honest($0, $1) }
        await #expect(throws: ChainError.self) { try await finding([chain]) }
    }

    @Test("reject- more events than are read")
    func events() async throws {
        var settlement = FakeSettlement()
        settlement.moved = [UInt256](repeating: UInt256(1), count: 900)
        let chain = FakeChain.settled([FakeSettlement](repeating: settlement, count: 1))
        #expect(try await finding([chain]) == .unknown(.contradictory))
        settlement.moved = [UInt256](repeating: UInt256(1), count: 1001)
        await #expect(throws: ChainError.self) { try await finding([.settled([settlement])]) }
    }
}
