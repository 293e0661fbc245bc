import Ethereum
import Primitives

@testable import Chain

/// One transaction that may have settled a payment, as nodes tell of it; every part can be made to lie.
struct FakeSettlement: Sendable {
    static let payer = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x1234)))
    static let payee = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x5050)))
    static let token = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0xabcd)))
    static let proxy = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x4020)))
    static let router = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x9999)))
    static let nonce = Bytes32(words: (0, 0, 7, 5))
    static let hash = Bytes32(words: (0xaa, 0, 0, 1))

    var hash = FakeSettlement.hash
    var block: UInt64 = 990
    var status = "0x1"
    var to = FakeSettlement.proxy
    /// What the proxy is called with.
    var nonce = FakeSettlement.nonce
    var called = UInt256(700)
    var maximum = UInt256(1000)
    var withPermit = false
    /// What the token's events say.
    var moved = [UInt256(700)]
    var branch: UInt64 = 1

    static func question(transaction: Bytes32? = hash) -> SettlementQuestion {
        SettlementQuestion(
            route: TransferRoute(token: token, from: payer, to: payee), nonce: nonce, spender: proxy,
            maximum: UInt256(1000), window: 1_700_000_900...1_700_000_995, transaction: transaction)
    }

    var input: String {
        func number(_ value: UInt64) -> Bytes32 { UInt256(value).bigEndianBytes }
        let permit = withPermit ? [number(1000), number(9), number(1), number(2), number(27)] : []
        let words =
            permit + [
                Self.token.word, maximum.bigEndianBytes, nonce, number(1_700_000_995), called.bigEndianBytes,
                Self.payer.word, Self.payee.word, Self.router.word, number(1_700_000_900), number(320), number(65),
            ]
        return Hex.prefixed((withPermit ? SettleCall.settleWithPermit : SettleCall.settle) + words.flatMap(\.bytes))
    }

    var blockHash: Bytes32 { Bytes32(words: (branch, 0, 0, block)) }

    var logs: String {
        let events = moved.enumerated().map { index, amount in
            """
            {"address":"\(Hex.prefixed(Self.token.bytes))","topics":["\(ERC20.transferTopic)","\(Self.payer.word)",\
            "\(Self.payee.word)"],"data":"\(amount.bigEndianBytes)","transactionHash":"\(hash)",\
            "blockNumber":"\(JSONRPCQuantity.encode(block))","logIndex":"\(JSONRPCQuantity.encode(UInt64(index)))"}
            """
        }
        return events.joined(separator: ",")
    }

    func answer(_ method: String, _ parameters: [JSONValue]) -> String? {
        guard parameters.first?.string == "\(hash)" else { return nil }
        switch method {
        case "eth_getTransactionByHash":
            return """
                {"hash":"\(hash)","blockHash":"\(blockHash)","to":"\(Hex.prefixed(to.bytes))","input":"\(input)"}
                """
        case "eth_getTransactionReceipt":
            return """
                {"transactionHash":"\(hash)","blockHash":"\(blockHash)","status":"\(status)",\
                "blockNumber":"\(JSONRPCQuantity.encode(block))","logs":[\(logs)]}
                """
        default: return nil
        }
    }
}

extension FakeChain {
    /// A chain on which the nonce is used from a block on, by one of these transactions.
    static func settled(_ settlements: [FakeSettlement], usedFrom: UInt64? = 990, history: UInt64 = 0) -> FakeChain {
        var chain = FakeChain()
        chain.more = { method, parameters in
            if method == "eth_call" {
                let block = parameters.last?.string.flatMap(JSONRPCQuantity.decode) ?? 0
                guard block >= history else { return "{\"code\":-32000,\"message\":\"missing trie node\"}" }
                return Probes.word(UInt256(usedFrom.map { block >= $0 } ?? false ? 1 << 5 : 0))
            }
            if method == "eth_getLogs" {
                let filter = parameters.first
                func bound(_ key: String) -> UInt64 { filter?[key]?.string.flatMap(JSONRPCQuantity.decode) ?? 0 }
                let range = bound("fromBlock")...bound("toBlock")
                let logs = settlements.filter { range.contains($0.block) }.map(\.logs).filter { !$0.isEmpty }
                return "[\(logs.joined(separator: ","))]"
            }
            return settlements.lazy.compactMap { $0.answer(method, parameters) }.first
        }
        return chain
    }
}
