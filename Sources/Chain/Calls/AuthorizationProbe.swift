package import Ethereum
package import Primitives

/// One authorization whose nonce is looked up on the chain.
package struct AuthorizationProbe: Hashable, Sendable {
    /// Which contract keeps the nonce.
    package enum Kind: Hashable, Sendable {
        /// The token itself (EIP-3009).
        case eip3009
        /// Permit2's unordered nonces, for every token alike.
        case permit2

        /// Whether no block behind a final one can settle an authorization that ends at `expiry`, in Unix seconds.
        ///
        /// EIP-3009 wants a time before `validBefore`. Permit2 still settles at its `deadline`, and on some chains the
        /// next block has the same time, so there the block has to be past it.
        package func isExpired(_ expiry: UInt64, asOf block: ChainBlock) -> Bool {
            guard let expiry = Int64(exactly: expiry) else { return false }
            return switch self {
            case .eip3009: block.time >= expiry
            case .permit2: block.time > expiry
            }
        }
    }

    /// The token contract.
    package let token: Address
    /// Who signed the authorization.
    package let authorizer: Address
    /// The authorization's nonce; Permit2's `uint256` as a big-endian word.
    package let nonce: Bytes32
    /// Which contract keeps the nonce.
    package let kind: Kind

    /// Makes a probe.
    package init(token: Address, authorizer: Address, nonce: Bytes32, kind: Kind) {
        self.token = token
        self.authorizer = authorizer
        self.nonce = nonce
        self.kind = kind
    }
}
