package import Ethereum
import Primitives

/// Scheme `exact` by Permit2, through the x402 proxy that enforces the payee.
///
/// Source: x402 scheme `exact` on EVM, transfer method `permit2`, x402ExactPermit2Proxy.
package struct ExactPermit2: PaymentMethod {
    /// The proxy, by CREATE2 the same on every chain.
    package static let proxy = Address(
        lastBytesOf: Bytes32(words: (0, 0x4020_85c2, 0x48ee_a27d_92e8_b30b, 0x2c58_ed07_f9e2_0001)))

    package let name = "exact-permit2"
    package let scheme = "exact"
    package let keeper = NonceKeeper.permit2

    /// Makes the method.
    package init() {}

    package func claims(_ entry: PaymentRequirement) -> Bool {
        entry.extra.assetTransferMethod == "permit2"
    }

    package func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms {
        try entry.checkPermit2(rules)
        return .none
    }

    package func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)? {
        Permit2Authorization(of: order, spender: Self.proxy) { .exact(to: $0, validAfter: $1) }
    }
}
