import Ethereum
import Primitives
package import X402

/// What would have been signed for an entry that is not paid.
package struct RefusedOrder: Sendable, Equatable {
    /// The values.
    package let order: PaymentOrder
    /// The payment scheme.
    package let scheme: String
    /// The payment method's name.
    package let method: String
}

extension Gate {
    /// The payment as the policy's rules see it.
    static func subject(_ refused: RefusedOrder, worth value: Dollars, in context: Context) -> PolicySubject {
        let order = refused.order
        let name = order.token.name
        return PolicySubject(
            request: context.request, scheme: refused.scheme, paymentMethod: refused.method,
            network: order.token.network, symbol: order.token.symbol, asset: order.token.addressText,
            payee: order.payToText,
            amount: order.amount, value: value, window: max(0, order.validBefore - context.clock.now.seconds),
            payeeIsNew: context.history.payees[name]?.contains(order.payToText) != true,
            priceRatio: PolicySubject.ratio(
                of: value, to: context.history.prices[name], model: context.request.model), time: context.clock.now)
    }
}

extension PolicyVerdict {
    /// What an operator should hear: what would not have been approved.
    var alerts: [GateAlert] {
        shadows.filter { $0.outcome != .approve }.map { .shadow(rule: $0.rule, outcome: $0.outcome) }
    }
}
