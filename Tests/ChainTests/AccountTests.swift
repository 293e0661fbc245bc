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
            let standing = try await lab.reader.standing(
                owner: Self.owner, token: Self.token, spender: Permit2.address, at: ChainLab.now)
            #expect(standing.balance == UInt256(30) && standing.allowance == UInt256(25))
            #expect(standing.decimals == UInt256(6))
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

    @Test("the next transaction's number is the highest that an endpoint has seen, within reason")
    func pending() async throws {
        try await ChainLab.run([chain(), chain(pending: "\"0xc\""), chain(pending: "\"0x1000\"")]) { lab async throws in
            #expect(try await lab.reader.pendingTransactionCount(of: Self.owner, at: ChainLab.now) == 12)
        }
        try await ChainLab.run([chain(pending: "\"0x2\"")]) { lab async throws in
            #expect(try await lab.reader.pendingTransactionCount(of: Self.owner, at: ChainLab.now) == 9)
        }
        for bad in ["\"0x1000\"", "null", "\"10\"", "\"0x\"", "\"0x01\""] {
            try await ChainLab.run([chain(pending: bad)]) { lab async throws in
                await #expect(throws: ChainError.self) {
                    try await lab.reader.pendingTransactionCount(of: Self.owner, at: ChainLab.now)
                }
            }
        }
    }

    private func fee(_ price: String, _ history: String) async throws -> Transaction.Fee {
        var chain = FakeChain()
        chain.more = { method, _ in
            switch method {
            case "eth_gasPrice": price
            case "eth_feeHistory": history
            default: nil
            }
        }
        var fee = Transaction.Fee.legacy(price: .zero)
        try await ChainLab.run([chain]) { lab async throws in fee = try await lab.reader.fee(at: ChainLab.now) }
        return fee
    }

    @Test("fees follow the base fee where there is one, and the node's price where there is none")
    func fees() async throws {
        let history = #"{"baseFeePerGas":["0x50","0x64"],"reward":[["0x5"],["0x7"],["0x1"]]}"#
        #expect(try await fee("\"0x64\"", history) == .dynamic(maximum: UInt256(205), priority: UInt256(5)))
        #expect(try await fee("\"0x6e\"", history) == .dynamic(maximum: UInt256(210), priority: UInt256(10)))
        #expect(try await fee("\"0x64\"", "null") == .legacy(price: UInt256(110)))
        #expect(try await fee("\"0x64\"", #"{"code":-32601,"message":"no"}"#) == .legacy(price: UInt256(110)))
        #expect(try await fee("\"0x64\"", #"{"baseFeePerGas":[]}"#) == .legacy(price: UInt256(110)))
    }

    @Test("reject- fees that are no numbers, or no number of 256 bits")
    func badFees() async throws {
        let most = "\"0x" + String(repeating: "f", count: 64) + "\""
        for (price, history) in [
            ("null", "null"), ("1", "null"), ("\"0x" + String(repeating: "f", count: 65) + "\"", "null"),
            ("\"0x1\"", "{\"baseFeePerGas\":[\(most)]}"),
        ] {
            await #expect(throws: ChainError.self) { try await fee(price, history) }
        }
    }

    @Test("a call is tried and its gas estimated by the first endpoint that can, and a revert is told in its words")
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
        try await ChainLab.run([chain(reverts, gas: reverts), chain("\"0x0102\"", gas: "\"0x10\"")]) {
            lab async throws in
            let answer = try await lab.reader.simulate(
                from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            #expect(answer == [1, 2])
            let gas = try await lab.reader.gas(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            #expect(gas == 16)
        }
        try await ChainLab.run([chain(reverts, gas: "\"0x" + String(repeating: "f", count: 17) + "\"")]) {
            lab async throws in
            let fault = EndpointFault(
                endpoint: lab.name(0), reason: .refused(code: 3, text: "execution reverted: no"))
            await #expect(throws: ChainError.tooFewAnswers(count: 0, needed: 1, faults: [fault])) {
                try await lab.reader.simulate(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
            }
            await #expect(throws: ChainError.self) {
                try await lab.reader.gas(from: Self.owner, to: Self.token, data: [1], at: ChainLab.now)
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
