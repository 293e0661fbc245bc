package import Ethereum
package import Primitives

/// A transfer's token and its two ends.
package struct TransferRoute: Hashable, Sendable {
    /// The token contract.
    package let token: Address
    /// Who paid.
    package let from: Address
    /// Who was paid.
    package let to: Address

    /// Makes a route.
    package init(token: Address, from: Address, to: Address) {
        self.token = token
        self.from = from
        self.to = to
    }
}

/// A payment of scheme `upto` of which it is asked what it moved.
package struct SettlementQuestion: Hashable, Sendable {
    /// Token, payer and payee.
    package let route: TransferRoute
    /// The Permit2 nonce.
    package let nonce: Bytes32
    /// The proxy that alone may submit it.
    package let spender: Address
    /// What was signed for, in atomic units.
    package let maximum: UInt256
    /// The first and the last second of chain time at which it can settle, Unix seconds.
    package let window: ClosedRange<Int64>
    /// The transaction that the seller named, where it named one.
    package let transaction: Bytes32?

    /// Makes a question.
    package init(
        route: TransferRoute, nonce: Bytes32, spender: Address, maximum: UInt256, window: ClosedRange<Int64>,
        transaction: Bytes32?
    ) {
        self.route = route
        self.nonce = nonce
        self.spender = spender
        self.maximum = maximum
        self.window = window
        self.transaction = transaction
    }

    /// The nonce's state.
    var probe: AuthorizationProbe {
        AuthorizationProbe(token: route.token, authorizer: route.from, nonce: nonce, kind: .permit2)
    }
}

/// How far transfers are looked for when no transaction is known.
package struct TransferSearch: Hashable, Sendable {
    /// Blocks of one `eth_getLogs`: what the endpoints' providers allow.
    package let blocksPerCall: UInt64
    /// Calls of one search, the newest blocks first.
    package let calls: Int

    /// 1,000 blocks a call, which nearly every provider allows, and 20 calls.
    package static let standard = TransferSearch(blocksPerCall: 1000, calls: 20)
    /// Transfers of one search that are looked into.
    static let transferLimit = 100

    /// Makes bounds; values are taken as the nearest of 1 to 100,000 blocks and 1 to 100 calls.
    package init(blocksPerCall: UInt64, calls: Int) {
        self.blocksPerCall = min(max(blocksPerCall, 1), 100_000)
        self.calls = min(max(calls, 1), 100)
    }
}
