package import Ledger

/// Which contract keeps the nonce of a payment, and with it the proof of what became of the payment.
package enum NonceKeeper: Sendable, Hashable {
    /// The token, by `authorizationState(address,bytes32)` (EIP-3009).
    case token
    /// Permit2, by `nonceBitmap(address,uint256)`.
    case permit2

    /// The keeper of a method of payment's nonces; nil for a method that nothing is known of, whose payments are never
    /// proven.
    package init?(method: String) {
        switch method {
        case "exact-eip3009": self = .token
        case "exact-permit2", "upto-permit2": self = .permit2
        // Vendors' variants differ in the spender, which Permit2's nonces do not depend on.
        case _ where method.hasPrefix("exact-permit2-"): self = .permit2
        default: return nil
        }
    }

    /// The keeper of a payment's nonce; nil too where method and scheme contradict each other.
    package init?(_ terms: PaymentIntent.Terms) {
        guard terms.method.hasPrefix(terms.scheme + "-") else { return nil }
        self.init(method: terms.method)
    }

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
