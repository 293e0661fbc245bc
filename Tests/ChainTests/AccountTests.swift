import Ethereum
import Primitives
import Testing

@testable import Chain

@Suite("Accounts and fees")
struct AccountTests {
    private static let owner = FakeSettlement.payer
    private static let token = FakeSettlement.token

    private static func data(_ bytes: [UInt8]) -> String { Hex.prefixed(bytes) }

    private func chain(count: String = "\"0x9\"", pending: String = "\"0xa\"") -> FakeChain {
        var chain = FakeChain()
        chain.words[Self.data(ERC20.allowance(owner: Self.owner, spender: Permit2.address))] = Probes.word(UInt256(25))
        chain.words[Self.data(ERC20.balance(of: Self.owner))] = Probes.word(UInt256(30))
        chain.words[Self.data(ERC20.decimals)] = Probes.word(UInt256(6))
        chain.words[Self.data(ERC20.permitNonce(of: Self.owner))] = Probes.word(UInt256(3))
        chain.more = { method, parameters in
            method == "eth_getTransactionCount" ? parameters.last?.string == "pending" ? pending : count : nil
        }
        return chain
    }

    @Test("allowance, balance, decimals and permit number are read at the newest block that all endpoints have")
    func standing() async throws {
        var ahead = chain()
        ahead.tags["latest"] = 1101
        try await ChainLab.run([chain(), ahead]) { lab async throws in
            let allowance = try await lab.reader.allowance(
                owner: Self.owner, token: Self.token, spender: Permit2.address, at: ChainLab.now)
            #expect(allowance.value == UInt256(25) && allowance.block.number == 1100)
            let nonce = try await lab.reader.tokenNonce(owner: Self.owner, token: Self.token, at: ChainLab.now)
            #expect(nonce.value == UInt256(3))
            let balance = try await lab.reader.tokenBalance(owner: Self.owner, token: Self.token, at: ChainLab.now)
            #expect(balance.value == UInt256(30) && balance.block.number == 1100)
            let standing = try await lab.reader.standing(
                owner: Self.owner, token: Self.token, spender: Permit2.address, at: ChainLab.now)
            #expect(standing.balance == UInt256(30) && standing.allowance == UInt256(25))
            #expect(standing.decimals == UInt256(6))
        }
    }

    @Test("reject- endpoints that disagree about a balance: none of them pauses a wallet by itself")
    func disputedBalance() async throws {
        var liar = chain()
        liar.words[Self.data(ERC20.balance(of: Self.owner))] = Probes.word(.zero)
        try await ChainLab.run([chain(), liar]) { lab async throws in
            await #expect(throws: ChainError.self) {
                try await lab.reader.tokenBalance(owner: Self.owner, token: Self.token, at: ChainLab.now)
            }
        }
    }

    @Test("reject- endpoints that disagree about an allowance, and a token that is none")
    func rejected() async throws {
        var liar = chain()
        liar.words[Self.data(ERC20.allowance(owner: Self.owner, spender: Permit2.address))] = Probes.word(.max)
        try await ChainLab.run([chain(), liar]) { lab async throws in
            await #expect(throws: ChainError.self) {
                try await lab.reader.allowance(
                    owner: Self.owner, token: Self.token, spender: Permit2.address, at: ChainLab.now)
            }
        }
        var empty = chain()
        empty.words = [:]
        empty.word = "\"0x\""
        try await ChainLab.run([empty]) { lab async throws in
            await #expect(throws: ChainError.self) {
                try await lab.reader.standing(
                    owner: Self.owner, token: Self.token, spender: Permit2.address, at: ChainLab.now)
            }
        }
    }

    @Test("the next transaction has the number that all endpoints say, with what is missing in front of it")
    func next() async throws {
        for (pending, number, gap) in [("0x9", 9, 0), ("0xa", 10, 1), ("0x49", 73, 64), ("0x2", 9, 0)]
            as [(String, UInt64, UInt64)]
        {
            let node = chain(pending: "\"\(pending)\"")
            try await ChainLab.run([node, node]) { lab async throws in
                let next = try await lab.reader.nextTransaction(of: Self.owner, at: ChainLab.now)
                #expect(next.number == number && next.mined == 9 && next.gap == gap)
                // What is in blocks is read at the block that both have, not at whatever is newest.
                #expect(lab.nodes.allSatisfy { node in node.requests.contains { $0.contains("\"0x44c\"]") } })
            }
        }
    }

    @Test("reject- a number of the next transaction that not enough endpoints give, or that one denies")
    func deniedNumbers() async throws {
        let honest = chain(count: "\"0x7\"", pending: "\"0x7\"")
        try await ChainLab.run([honest, chain(count: "\"0x7\"", pending: "\"0x47\"")]) { lab async throws in
            let camps = [
                ChainError.Camp(number: 7, names: [lab.name(0)]), ChainError.Camp(number: 71, names: [lab.name(1)]),
            ]
            let error = ChainError.differentNumbers(camps)
            #expect(error.description.contains("\(lab.name(0)) says 7, \(lab.name(1)) says 71."))
            await #expect(throws: error) {
                try await lab.reader.nextTransaction(of: Self.owner, at: ChainLab.now)
            }
        }
        try await ChainLab.run([honest, chain(count: "\"0x47\"", pending: "\"0x47\"")]) { lab async throws in
            await #expect(
                throws: ChainError.disagreement(block: 1100, camps: [[lab.name(0)], [lab.name(1)]])
            ) { try await lab.reader.nextTransaction(of: Self.owner, at: ChainLab.now) }
        }
        var options = ChainLab.Options()
        options.more = ["http://127.0.0.1:1/"]
        for agreement in ChainAgreement.allCases {
            options.agreement = agreement
            try await ChainLab.run([honest, honest], options) { lab async throws in
                let next = try? await lab.reader.nextTransaction(of: Self.owner, at: ChainLab.now)
                #expect(next?.number == (agreement == .majority ? 7 : nil))
            }
        }
    }

    @Test(
        "reject- numbers of transactions that are none, or that no transaction can have",
        arguments: [
            "null", "\"10\"", "\"0x\"", "\"0x01\"", "7", "\"0xfffffffffffffffe\"", "\"0xffffffffffffffff\"",
            "\"0x10000000000000000\"", #"{"code":-32601,"message":"no"}"#,
        ])
    func badNumbers(bad: String) async throws {
        for node in [chain(pending: bad), chain(count: bad)] {
            try await ChainLab.run([node]) { lab async throws in
                await #expect(throws: ChainError.self) {
                    try await lab.reader.nextTransaction(of: Self.owner, at: ChainLab.now)
                }
            }
        }
    }

    @Test(
        "reject- a newest block that is more than an hour old, but on loopback, where a development chain may be idle")
    func oldBlock() async throws {
        let time: Int64 = 1_700_001_100
        for (url, age, isFresh) in [
            ("https://rpc.example", 3600, true), ("https://rpc.example", 3601, false),
            ("http://127.0.0.1:8545", 3601, true),
        ] as [(String, Int64, Bool)] {
            let endpoint = try ChainEndpoint(url)
            #expect(EndpointReader.isFresh(time, at: Timestamp(seconds: time + age), on: endpoint) == isFresh)
        }
        try await ChainLab.run([chain()]) { lab async throws in
            let now = Timestamp(seconds: time + 100_000)
            #expect(try await lab.reader.nextTransaction(of: Self.owner, at: now).mined == 9)
        }
    }

    @Test("reject- an endpoint whose newest block is more than two minutes behind another's: it holds no fee back")
    func laggard() async throws {
        func node(_ latest: UInt64) -> FakeChain {
            var chain = chain()
            let rest = chain.more
            chain.tags["latest"] = latest
            chain.baseFee = "\"0x64\""
            chain.more = { method, parameters in method == "eth_gasPrice" ? "\"0x65\"" : rest(method, parameters) }
            return chain
        }
        // By the clock the laggard's block is not old.
        let now = Timestamp(seconds: 1_700_004_500)
        for (latest, isLeftOut) in [(1100, true), (4279, true), (4280, false)] as [(UInt64, Bool)] {
            try await ChainLab.run([node(4400), node(latest)]) { lab async throws in
                guard isLeftOut else {
                    _ = try await lab.reader.fee(at: now)
                    let next = try await lab.reader.nextTransaction(of: Self.owner, at: now)
                    #expect(next.block.number == latest)
                    return
                }
                let reason = EndpointFault.Reason.behind(
                    time: 1_700_000_000 + Int64(latest), newest: 1_700_004_400)
                let error = ChainError.tooFewAnswers(
                    count: 1, needed: 2, faults: [EndpointFault(endpoint: lab.name(1), reason: reason)])
                await #expect(throws: error) { try await lab.reader.fee(at: now) }
                await #expect(throws: error) { try await lab.reader.nextTransaction(of: Self.owner, at: now) }
            }
            var options = ChainLab.Options()
            options.agreement = .majority
            try await ChainLab.run([node(4400), node(latest), node(4400)], options) { lab async throws in
                let block = try await lab.reader.nextTransaction(of: Self.owner, at: now).block
                #expect(block.number == (isLeftOut ? 4400 : latest))
            }
        }
    }

    @Test("what an account has is what all endpoints say")
    func coins() async throws {
        func chain(_ balance: String) -> FakeChain {
            var chain = FakeChain()
            chain.more = { method, _ in method == "eth_getBalance" ? balance : nil }
            return chain
        }
        try await ChainLab.run([chain("\"0x5\""), chain("\"0x5\"")]) { lab async throws in
            #expect(try await lab.reader.coinBalance(of: Self.owner, at: ChainLab.now) == UInt256(5))
        }
        try await ChainLab.run([chain("\"0x5\""), chain("\"0x6\"")]) { lab async throws in
            await #expect(throws: ChainError.self) {
                try await lab.reader.coinBalance(of: Self.owner, at: ChainLab.now)
            }
        }
    }

    private struct Offer {
        var price = "\"0x64\""
        var history = "null"
        var base: String?
    }

    private func fee(_ offers: [Offer], _ agreement: ChainAgreement = .all) async throws -> Transaction.Fee {
        let chains = offers.map { offer in
            var chain = FakeChain()
            chain.baseFee = offer.base
            chain.more = { method, _ in
                switch method {
                case "eth_gasPrice": offer.price
                case "eth_feeHistory": offer.history
                default: nil
                }
            }
            return chain
        }
        var options = ChainLab.Options()
        options.agreement = agreement
        var fee = Transaction.Fee.legacy(price: .zero)
        try await ChainLab.run(chains, options) { lab async throws in
            fee = try await lab.reader.fee(at: ChainLab.now)
        }
        return fee
    }

    @Test("fees follow the base fee where there is one, and the node's price where there is none")
    func fees() async throws {
        let base = "\"0x64\""
        let history = #"{"reward":[["0x5"],["0x7"],["0x1"]]}"#
        #expect(
            try await fee([Offer(history: history, base: base)])
                == .dynamic(maximum: UInt256(205), priority: UInt256(5)))
        #expect(
            try await fee([Offer(price: "\"0x6e\"", history: history, base: base)])
                == .dynamic(maximum: UInt256(210), priority: UInt256(10)))
        for history in ["null", #"{"code":-32601,"message":"no"}"#, #"{"reward":[]}"#] {
            #expect(
                try await fee([Offer(history: history, base: base)]) == .dynamic(maximum: UInt256(200), priority: .zero)
            )
        }
        #expect(try await fee([Offer(history: history)]) == .legacy(price: UInt256(110)))
    }

    @Test("one endpoint cannot raise the fee above what others ask for too")
    func raisedFees() async throws {
        let (plain, high) = (Offer(price: "\"0x64\""), Offer(price: "\"0x6400\""))
        for offers in [[plain, high], [high, plain]] {
            #expect(try await fee(offers) == .legacy(price: UInt256(110)))
        }
        #expect(try await fee([high, plain, plain], .majority) == .legacy(price: UInt256(110)))
        #expect(try await fee([high, plain, high], .majority) == .legacy(price: UInt256(28_160)))
        let (base, priority) = ("\"0x64\"", #"{"reward":[["0xffffff"]]}"#)
        #expect(
            try await fee([Offer(history: priority, base: base), Offer(base: base)])
                == .dynamic(maximum: UInt256(200), priority: .zero))
    }

    @Test("reject- endpoints that disagree about the base fee, or whether there is one")
    func deniedFees() async throws {
        for other in [Offer(base: "\"0x65\""), Offer()] {
            await #expect(throws: ChainError.self) { try await fee([Offer(base: "\"0x64\""), other]) }
        }
    }

    @Test("reject- fees that are no numbers, or no number of 256 bits")
    func badFees() async throws {
        let most = "\"0x" + String(repeating: "f", count: 64) + "\""
        for offer in [
            Offer(price: "null"), Offer(price: "1"), Offer(price: "\"0x" + String(repeating: "f", count: 65) + "\""),
            Offer(price: "\"0x1\"", base: most), Offer(base: "1"), Offer(base: "\"100\""),
        ] {
            await #expect(throws: ChainError.self) { try await fee([offer]) }
        }
    }

    @Test("a call is tried and its gas estimated by all endpoints, and a revert is told in their words")
    func simulation() async throws {
        func chain(_ answer: String, gas: String) -> FakeChain {
            var chain = FakeChain()
            chain.more = { method, parameters in
                switch method {
                case "eth_call" where parameters.first?["from"] != nil: answer
                case "eth_estimateGas": gas
                default: nil
                }
            }
            return chain
        }
        let reverts = #"{"code":3,"message":"execution reverted: no"}"#
        let accepts = chain("\"0x0102\"", gas: "\"0x10\"")
        try await ChainLab.run([accepts, chain("\"0x0102\"", gas: "\"0x12\"")]) { lab async throws in
            let answer = try await lab.reader.simulate(
                from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            #expect(answer == [1, 2])
            // What is not used is not paid.
            let gas = try await lab.reader.gas(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            #expect(gas == 18)
        }
        for liar in [
            chain(reverts, gas: "\"0x" + String(repeating: "f", count: 17) + "\""), chain("\"0x01\"", gas: "null"),
        ] {
            try await ChainLab.run([accepts, liar]) { lab async throws in
                await #expect(throws: ChainError.self) {
                    try await lab.reader.simulate(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
                }
                await #expect(throws: ChainError.self) {
                    try await lab.reader.gas(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
                }
            }
        }
        try await ChainLab.run([chain(reverts, gas: reverts)]) { lab async throws in
            let fault = EndpointFault(
                endpoint: lab.name(0), reason: .refused(code: 3, text: "execution reverted: no"), probe: 0)
            await #expect(throws: ChainError.tooFewAnswers(count: 0, needed: 1, faults: [fault])) {
                try await lab.reader.simulate(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            }
        }
    }

    @Test("a transaction is sent when one endpoint takes it under its own hash, and its receipt counts when all agree")
    func sending() async throws {
        let transaction = try #require(
            Transaction(
                chainID: ChainLab.chainID, nonce: 1, fee: .legacy(price: .zero), gasLimit: 1, to: Self.token,
                value: .zero, data: []))
        let signature = try #require(Signature(r: Probes.token.nonce, s: Probes.token.nonce, v: 27))
        let signed = SignedTransaction(transaction, signature: signature)
        func chain(_ answer: String, receipt: String = "null") -> FakeChain {
            var chain = FakeChain()
            chain.more = { method, _ in
                switch method {
                case "eth_sendRawTransaction": answer
                case "eth_getTransactionReceipt": receipt
                default: nil
                }
            }
            return chain
        }
        func receipt(status: String) -> String {
            #"{"transactionHash":"\#(signed.hash)","blockHash":"\#(Bytes32.zero)","blockNumber":"0x1","status":"\#(status)"}"#
        }
        let taken = "\"\(signed.hash)\""
        let known = #"{"code":-32000,"message":"already known"}"#
        try await ChainLab.run([chain(taken, receipt: receipt(status: "0x1")), chain(known)]) { lab async throws in
            try await lab.reader.send(signed, at: ChainLab.now)
            #expect(lab.nodes.allSatisfy { $0.requests[0].contains(Hex.prefixed(signed.bytes)) })
            // One of two has it in a block.
            #expect(try await lab.reader.receipt(of: signed.hash, at: ChainLab.now) == nil)
        }
        for (status, succeeded) in [("0x1", true), ("0x0", false)] {
            let node = chain(taken, receipt: receipt(status: status))
            try await ChainLab.run([node, node]) { lab async throws in
                #expect(try await lab.reader.receipt(of: signed.hash, at: ChainLab.now)?.succeeded == succeeded)
            }
        }
        try await ChainLab.run([chain("\"\(Bytes32.zero)\""), chain(known)]) { lab async throws in
            await #expect(throws: ChainError.self) { try await lab.reader.send(signed, at: ChainLab.now) }
        }
    }
}
