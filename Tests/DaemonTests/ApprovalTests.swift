import Chain
import Ethereum
import Ledger
import NIOCore
import NIOPosix
import Payments
import Policy
import Primitives
import Synchronization
import SystemCrypto
import TestSupport
import Testing
import Wallets
import X402

@testable import Daemon

@Suite("Allowances")
struct ApprovalTests {
    private static let patience = ApprovalPatience(pause: 5, looks: 20)
    private static let stranger = "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"

    private let context: Secp256k1Context
    private let key: SigningKey
    private let books = InMemoryLedger()

    private var signing: ApprovalSigning {
        ApprovalSigning(signer: key, of: "main", books: books, actor: "tester", clock: FixedClock())
    }

    init() throws {
        context = try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32())
        var bytes = [UInt8](repeating: 1, count: 32)
        key = try SigningKey(secret: SecretBytes.copyAndWipe(&bytes), context: context)
    }

    private func configuration(_ network: String, port: Int, spenders: String = "") throws -> Configuration {
        let text = """
            chains:
              "\(network)": { rpc: ["http://127.0.0.1:\(port)"], finality: 1\(spenders) }
            wallets:
              main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: [] }
            """
        return try Configuration.parse(text: text, file: "config.yaml", table: .pinned()).get()
    }

    /// Runs a body with a desk at a node that plays this token.
    private func run(
        _ token: FakeToken, _ network: String = "eip155:56", amount: ApprovalOrder.Amount = .text("25.00"),
        costLimit: String = "0.01", _ body: (ApprovalDesk, ApprovalOrder) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await RPCNode(group: group) { token.answer($0, $1) }
        let configuration = try configuration(network, port: node.port)
        let folder = try TemporaryFolder()
        let order = try ApprovalOrder(
            wallet: "main", network: network, asset: "USDT", amount: amount, spender: nil, costLimit: costLimit,
            configuration: configuration)
        let outcome: Result<Void, any Error>
        do {
            try await ApprovalDesk.open(
                network, configuration, state: StateDirectory(folder.path), clock: FixedClock()
            ) { try await body($0, order) }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await node.stop()
        try await group.shutdownGracefully()
        try outcome.get()
    }

    private func token(_ change: (inout FakeToken.State) -> Void = { _ in }) -> FakeToken {
        FakeToken(time: FixedClock().now().seconds, change)
    }

    @Test("a plan shows every field and sends nothing")
    func plan() async throws {
        let token = token { $0.allowance = UInt256(3) }
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            let step = try #require(plan.steps.first)
            #expect(plan.steps.count == 1 && plan.isAffordable)
            #expect(plan.standing.allowance == UInt256(3) && plan.standing.balance == UInt256(5))
            #expect(step.amount == order.amount && order.amount.description == "25000000000000000000")
            #expect(step.transaction.to == order.token.address && step.transaction.value == .zero)
            #expect(step.transaction.data == ERC20.approve(spender: Permit2.address, amount: order.amount))
            #expect(step.transaction.nonce == 7 && step.transaction.gasLimit == 60_000)
            // Twice the base fee of 2 wei, and what the node's price is above it.
            #expect(
                step.transaction.fee
                    == .dynamic(maximum: UInt256(1_000_000_002), priority: UInt256(999_999_998)))
            #expect(plan.view.steps.first?.cost == "0.00006000000012")
        }
        #expect(token.sent.isEmpty)
    }

    @Test("what is sent is signed by the wallet, waited for, and read back", arguments: [true, false])
    func send(hasBaseFee: Bool) async throws {
        let token = token { $0.hasBaseFee = hasBaseFee }
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            var hashes: [Bytes32] = []
            try await desk.send(plan, by: signing, patience: Self.patience) { hashes.append($0) }
            #expect(hashes == token.sent.map { Keccak256.hash($0) } && hashes.count == 1)
            #expect(token.state.withLock { $0.allowance } == order.amount)
            let bytes = try #require(token.sent.first)
            guard case .list(let fields) = try RLP(decoding: hasBaseFee ? Array(bytes.dropFirst()) : bytes),
                case .bytes(let r) = fields[fields.count - 2], case .bytes(let s) = fields[fields.count - 1],
                case .bytes(let v) = fields[fields.count - 3]
            else {
                Issue.record("no transaction")
                return
            }
            func word(_ bytes: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: 32 - bytes.count) + bytes }
            let parity = hasBaseFee ? v.first ?? 0 : (v.first ?? 0) - 35 - 112
            let signature = try #require(Signature(bytes: word(r) + word(s) + [parity]))
            let digest = try #require(plan.steps.first).transaction.signingHash
            #expect(context.recover(digest: digest, signature: signature) == key.address)
        }
    }

    @Test("a token that wants to be reset is set to zero first, and the second transaction waits for it")
    func reset() async throws {
        let token = token { state in
            (state.chainID, state.decimals, state.isTether, state.allowance) = (1, 6, true, UInt256(9))
        }
        try await run(token, "eip155:1") { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            #expect(plan.steps.map(\.amount) == [.zero, UInt256(25_000_000)])
            #expect(plan.steps.map(\.transaction.nonce) == [7, 8])
            #expect(plan.steps.map(\.transaction.gasLimit) == [60_000, 90_000])
            try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            #expect(token.sent.count == 2)
            #expect(token.state.withLock { $0.allowance } == UInt256(25_000_000))
        }
        // From zero, and to zero, one is enough.
        for (now, amount) in [("0", "25.00"), ("9", "0")] {
            token.state.withLock { $0.allowance = (try? UInt256(decimal: now)) ?? .zero }
            try await run(token, "eip155:1", amount: .text(amount)) { desk, order async throws in
                #expect(try await desk.plan(order, owner: key.address).steps.count == 1)
            }
        }
    }

    @Test("an allowance that is as wanted takes no transaction, and unlimited is the highest number")
    func nothing() async throws {
        let token = token { $0.allowance = .max }
        try await run(token, amount: .unlimited) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            #expect(plan.steps.isEmpty && order.isUnlimited && plan.view.amount == "unlimited")
        }
    }

    @Test("reject- what must not be signed, before anything is")
    func refused() async throws {
        let cases: [(ApprovalFailure, String, (inout FakeToken.State) -> Void)] = [
            (.decimals(contract: UInt256(6), table: 18), "0.01", { $0.decimals = 6 }),
            (.refusedBySimulation, "0.01", { $0.refuses = true }),
            (.refused(.gas(3_750_000)), "0.01", { $0.gas = 3_000_000 }),
            (
                .refused(.cost(most: UInt256(60_000_000_120_000), limit: UInt256(60_000_000_000_000))), "0.00006",
                { _ in }
            ),
        ]
        for (failure, costLimit, change) in cases {
            let token = token(change)
            try await run(token, costLimit: costLimit) { desk, order async throws in
                await #expect(throws: failure) { try await desk.plan(order, owner: key.address) }
            }
            #expect(token.sent.isEmpty)
        }
        let poor = token { $0.coins = UInt256(1) }
        try await run(poor) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            #expect(!plan.isAffordable)
            await #expect(throws: ApprovalFailure.unaffordable(cost: UInt256(60_000_000_120_000), coins: UInt256(1))) {
                try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            }
            let stranger = try #require(Address(hex: Self.stranger))
            let other = try await desk.plan(order, owner: stranger)
            await #expect(throws: ApprovalFailure.otherAccount) {
                try await desk.send(other, by: signing, patience: Self.patience) { _ in }
            }
        }
        #expect(poor.sent.isEmpty)
    }

    @Test(
        "nothing is signed while the wallet or everything is frozen, and the refusal is an entry",
        arguments: [FreezeScope.everything, .wallet("main"), .wallet("spare"), .agent("scout"), .gateway("lab")])
    func frozen(scope: FreezeScope) async throws {
        let token = token { _ in }
        let isStopped = scope == .everything || scope == .wallet("main")
        let freeze = Freeze(scope: scope, since: .vectors, actor: "op", reason: nil)
        #expect(try await books.freeze(freeze))
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            guard isStopped else { return try await desk.send(plan, by: signing, patience: Self.patience) { _ in } }
            await #expect(throws: ApprovalStopped.frozen(freeze)) {
                try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            }
        }
        #expect(token.sent.count == (isStopped ? 0 : 1))
        #expect(try await causes == (isStopped ? ["refused"] : ["admitted", "sent"]))
    }

    @Test("a freeze between the entry and the signature stops the signature")
    func frozenMeanwhile() async throws {
        let token = token { _ in }
        let freeze = Freeze(scope: .wallet("main"), since: .vectors, actor: "op", reason: nil)
        let books = books
        let store = WatchedStore(books, onReserved: { _ = try? await books.freeze(freeze) })
        let signing = ApprovalSigning(signer: key, of: "main", books: store, actor: "tester", clock: FixedClock())
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            await #expect(throws: ApprovalStopped.frozen(freeze)) {
                try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            }
        }
        #expect(token.sent.isEmpty)
        #expect(try await causes == ["admitted", "refused"])
    }

    @Test("books that cannot be written mean that no approval is signed")
    func unwritable() async throws {
        let token = token { _ in }
        let store = WatchedStore(books, refusesToWrite: true)
        let signing = ApprovalSigning(signer: key, of: "main", books: store, actor: "tester", clock: FixedClock())
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            await #expect(throws: LedgerError.self) {
                try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            }
        }
        #expect(token.sent.isEmpty)
    }

    @Test("an approval is in the journal before it is signed, and its transaction after it was sent")
    func entries() async throws {
        let token = token { _ in }
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
        }
        let entries = try await journal
        #expect(entries.map(\.line.cause) == ["admitted", "sent"])
        #expect(entries.allSatisfy { $0.line.subject == "main" && $0.line.actor == "tester" })
        let detail = try JSONReader.read(Array(#require(entries.last?.line.detail).utf8))
        #expect(detail["owner"]?.string == key.address.checksummed && detail["form"]?.string == "transaction")
        #expect(detail["spender"]?.string == Permit2.address.checksummed && detail["nonce"]?.string == "7")
        #expect(detail["transaction"]?.string == token.sent.first.map { "\(Keccak256.hash($0))" })
    }

    private var journal: [JournalEntry] {
        get async throws {
            try await books.read { (books) throws(LedgerError) in
                try books.entries(from: 1, limit: 100).filter { $0.line.kind == .approval }
            }
        }
    }

    private var causes: [String] { get async throws { try await journal.map(\.line.cause) } }

    @Test("a plan behind transactions on their way shows the gap, and is sent only where that is allowed")
    func gap() async throws {
        let token = token { $0.pending = 64 }
        try await run(token) { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            #expect(plan.next.number == 71 && plan.next.mined == 7 && plan.view.gap == 64)
            #expect(plan.steps.map(\.transaction.nonce) == [71])
            await #expect(throws: ApprovalFailure.gap(plan.next)) {
                try await desk.send(plan, by: signing, patience: Self.patience) { _ in }
            }
            #expect(token.sent.isEmpty && ApprovalFailure.gap(plan.next).description.contains("--allow-gap"))
            try await desk.send(plan, by: signing, allowsGap: true, patience: Self.patience) { _ in }
            #expect(token.sent.count == 1)
        }
    }

    @Test("reject- an account number that one of two endpoints makes up, before anything is signed")
    func deniedNumber() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (honest, liar) = (token(), token { $0.pending = 64 })
        let nodes = [
            try await RPCNode(group: group) { honest.answer($0, $1) },
            try await RPCNode(group: group) { liar.answer($0, $1) },
        ]
        let urls = nodes.map { "\"http://127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        let text = """
            chains:
              "eip155:56": { rpc: [\(urls)], finality: 1 }
            wallets:
              main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: [] }
            """
        let configuration = try Configuration.parse(text: text, file: "config.yaml", table: .pinned()).get()
        let folder = try TemporaryFolder()
        let order = try ApprovalOrder(
            wallet: "main", network: "eip155:56", asset: "USDT", amount: .text("1"), spender: nil, costLimit: "0.01",
            configuration: configuration)
        try await ApprovalDesk.open(
            "eip155:56", configuration, state: StateDirectory(folder.path), clock: FixedClock()
        ) { desk async throws in
            _ = await #expect(throws: ChainError.self) { try await desk.plan(order, owner: key.address) }
        }
        #expect(honest.sent.isEmpty && liar.sent.isEmpty)
        for node in nodes { try await node.stop() }
        try await group.shutdownGracefully()
    }

    @Test("a transaction that fails ends it, and the second of two is not sent")
    func failed() async throws {
        let token = token { state in
            (state.chainID, state.decimals, state.isTether, state.allowance) = (1, 6, true, UInt256(9))
            state.fails = true
        }
        try await run(token, "eip155:1") { desk, order async throws in
            let plan = try await desk.plan(order, owner: key.address)
            var hashes: [Bytes32] = []
            await #expect(throws: ApprovalFailure.self) {
                try await desk.send(plan, by: signing, patience: Self.patience) { hashes.append($0) }
            }
            #expect(hashes.count == 1 && token.sent.count == 1)
        }
    }

    @Test("reject- orders that name no token, amount or spender of the configuration")
    func orders() throws {
        let plain = try configuration("eip155:56", port: 1)
        func order(
            _ configuration: Configuration, network: String = "eip155:56", asset: String = "USDT",
            amount: String = "1", spender: String? = nil, cost: String = "0.01"
        ) throws(OperatorMistake) -> ApprovalOrder {
            try ApprovalOrder(
                wallet: "main", network: network, asset: asset, amount: .text(amount), spender: spender,
                costLimit: cost, configuration: configuration)
        }
        let alias = try order(plain, network: "bsc")
        #expect(alias.spender == Permit2.address)
        for amount in ["", "-1", "1e3", "1.0000000000000000001", "0x10"] {
            #expect(throws: OperatorMistake.self) { try order(plain, amount: amount) }
        }
        #expect(throws: OperatorMistake.self) { try order(plain, network: "eip155:424242") }
        #expect(throws: OperatorMistake.self) { try order(plain, asset: "DOGE") }
        #expect(throws: OperatorMistake.self) { try order(plain, cost: "much") }
        #expect(throws: OperatorMistake.self) { try order(plain, spender: Self.stranger) }
        #expect(throws: OperatorMistake.self) { try order(plain, spender: Self.stranger.uppercased()) }
        let open = try configuration("eip155:56", port: 1, spenders: ", spenders: [\"\(Self.stranger)\"]")
        let allowed = try order(open, spender: Self.stranger)
        #expect(allowed.spender.checksummed == Self.stranger)
    }
}
