import Ethereum
import Primitives

/// The JSON-RPC calls that are made of nodes.
///
/// Source: ethereum/execution-apis.
enum NodeCall {
    /// Which chain the node serves.
    static let chainID = JSONRPCCall("eth_chainId")
    /// What legacy transactions pay for gas.
    static let gasPrice = JSONRPCCall("eth_gasPrice")

    /// A block without its transactions; `block` is a tag or a quantity.
    static func block(_ block: String) -> JSONRPCCall {
        JSONRPCCall("eth_getBlockByNumber") { text in
            text.element(block)
            text.raw("false".utf8)
        }
    }

    /// What a contract answers as of a block; with `account` as if that had sent the call.
    static func contract(
        _ contract: Address, data: [UInt8], from account: Address? = nil, at block: UInt64
    ) -> JSONRPCCall {
        JSONRPCCall("eth_call") { text in
            call(&text, from: account, to: contract, data: data)
            text.element(JSONRPCQuantity.encode(block))
        }
    }

    /// A transaction as it was sent.
    static func transaction(_ hash: Bytes32) -> JSONRPCCall {
        JSONRPCCall("eth_getTransactionByHash") { $0.element("\(hash)") }
    }

    /// What became of a transaction; null until it is in a block.
    static func receipt(_ hash: Bytes32) -> JSONRPCCall {
        JSONRPCCall("eth_getTransactionReceipt") { $0.element("\(hash)") }
    }

    /// The transfers of a token from one account to another in a range of blocks, both ends included.
    static func transfers(_ route: TransferRoute, in blocks: ClosedRange<UInt64>) -> JSONRPCCall {
        JSONRPCCall("eth_getLogs") { text in
            text.object { filter in
                filter.field("fromBlock", JSONRPCQuantity.encode(blocks.lowerBound))
                filter.field("toBlock", JSONRPCQuantity.encode(blocks.upperBound))
                filter.field("address", Hex.prefixed(route.token.bytes))
                filter.array("topics") { topics in
                    topics.element("\(ERC20.transferTopic)")
                    topics.element("\(route.from.word)")
                    topics.element("\(route.to.word)")
                }
            }
        }
    }

    /// How many transactions an account has made; `block` is a tag or a quantity.
    static func transactionCount(_ account: Address, _ block: String) -> JSONRPCCall {
        JSONRPCCall("eth_getTransactionCount") { text in
            text.element(Hex.prefixed(account.bytes))
            text.element(block)
        }
    }

    /// Reads the answer to that; nil for what is no number of transactions, which end before 2^64 - 1 (EIP-2681).
    static func transactionCount(in answer: JSONValue) -> UInt64? {
        answer.string.flatMap(JSONRPCQuantity.decode).flatMap { $0 < .max - 1 ? $0 : nil }
    }

    /// What an account has of the chain's own coin; `block` is a tag or a quantity.
    static func coinBalance(_ account: Address, _ block: String) -> JSONRPCCall {
        JSONRPCCall("eth_getBalance") { text in
            text.element(Hex.prefixed(account.bytes))
            text.element(block)
        }
    }

    /// The median priority fee of each of so many blocks, of which `block` is the last.
    static func feeHistory(blocks: UInt64, through block: UInt64) -> JSONRPCCall {
        JSONRPCCall("eth_feeHistory") { text in
            text.element(JSONRPCQuantity.encode(blocks))
            text.element(JSONRPCQuantity.encode(block))
            text.raw("[50]".utf8)
        }
    }

    /// The gas that a transaction would use.
    static func gasEstimate(from account: Address, to contract: Address, data: [UInt8]) -> JSONRPCCall {
        JSONRPCCall("eth_estimateGas") { call(&$0, from: account, to: contract, data: data) }
    }

    /// Hands a signed transaction over.
    static func send(_ transaction: [UInt8]) -> JSONRPCCall {
        JSONRPCCall("eth_sendRawTransaction") { $0.element(Hex.prefixed(transaction)) }
    }

    private static func call(_ text: inout JSONText, from account: Address?, to contract: Address, data: [UInt8]) {
        text.object { call in
            if let account { call.field("from", Hex.prefixed(account.bytes)) }
            call.field("to", Hex.prefixed(contract.bytes))
            call.field("data", Hex.prefixed(data))
        }
    }
}
