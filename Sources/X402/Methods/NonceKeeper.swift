/// Which contract keeps the nonce of a payment, and with it the proof of what became of the payment.
package enum NonceKeeper: Sendable, Hashable {
    /// The token, by `authorizationState(address,bytes32)` (EIP-3009).
    case token
    /// Permit2, by `nonceBitmap(address,uint256)`.
    case permit2

    /// Whether no block behind a final one of this time, Unix seconds, can settle a payment that ends at `validBefore`.
    ///
    /// EIP-3009 wants a time before `validBefore`. Permit2 still settles at its deadline, which is a second less than
    /// the `validBefore` of the books, and the next block may have the same time: the final one has to be past it.
    package func isDead(validBefore: Int64, asOf time: Int64) -> Bool {
        switch self {
        case .token: time >= validBefore
        case .permit2: time > deadline(validBefore)
        }
    }

    /// The last second at which Permit2 settles.
    private func deadline(_ validBefore: Int64) -> Int64 { validBefore > .min ? validBefore - 1 : validBefore }
}
