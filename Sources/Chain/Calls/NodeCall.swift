import Ethereum
import Primitives

/// The JSON-RPC calls that a reading is made of.
///
/// Source: ethereum/execution-apis.
enum NodeCall {
    /// Which chain the node serves.
    static let chainID = JSONRPCCall("eth_chainId")

    /// A block without its transactions; `block` is a tag or a quantity.
    static func block(_ block: String) -> JSONRPCCall {
        JSONRPCCall("eth_getBlockByNumber") { text in
            text.element(block)
            text.raw("false".utf8)
        }
    }

    /// What the contract of a probe says about it as of a block.
    static func authorization(_ probe: AuthorizationProbe, at block: UInt64) -> JSONRPCCall {
        JSONRPCCall("eth_call") { text in
            text.object { call in
                call.field("to", Hex.prefixed(AuthorizationCall.contract(for: probe).bytes))
                call.field("data", Hex.prefixed(AuthorizationCall.data(for: probe)))
            }
            text.element(JSONRPCQuantity.encode(block))
        }
    }
}
