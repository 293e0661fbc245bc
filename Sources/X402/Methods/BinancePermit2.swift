import Ethereum
import Primitives

/// Binance's variant of `exact` by Permit2 on BNB Chain: the seller names the spender as `spenderAddress`.
///
/// It says `permit2-exact` for the transfer method, some of its sellers `permit2`. Off, and by allowed spenders only, for
/// the reason given with ``GatePermit2``.
package struct BinancePermit2: PaymentMethod {
    package let name = "exact-permit2-binance"
    package let scheme = "exact"
    package let keeper = NonceKeeper.permit2

    /// Makes the method.
    package init() {}

    package func claims(_ entry: PaymentRequirement) -> Bool {
        switch entry.extra.assetTransferMethod {
        case "permit2-exact": true
        case "permit2": entry.extra.names(otherThan: ExactPermit2.proxy, as: .spenderAddress)
        default: false
        }
    }

    package func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms {
        try entry.checkPermit2(rules)
        guard !GatePermit2.dictates(entry) else { throw .dictated }
        guard let spender = try entry.extra.spender(.spenderAddress), rules.profiles.contains(.binance),
            rules.spenders.contains(spender) || spender == ExactPermit2.proxy
        else { throw .spender }
        return .none
    }

    package func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)? {
        guard let spender = try? order.extra.spender(.spenderAddress) else { return nil }
        return Permit2Authorization(of: order, spender: spender) { .exact(to: $0, validAfter: $1) }
    }
}
