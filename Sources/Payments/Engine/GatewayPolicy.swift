package import Ledger
import Policy

/// What a gateway's configuration says about paying it.
package struct GatewayPolicy: Sendable, Equatable {
    /// The longest window that is signed for it, in seconds, at least ``Vetting/minimumValidity``.
    package var maxValidity: Int64
    /// What the books are asked to hold it to.
    package var rules: ReservationRules

    /// Makes a policy; without arguments windows last at most ten minutes and three rejections in a row stop payments.
    package init(maxValidity: Int64 = 600, rules: ReservationRules = ReservationRules()) {
        self.maxValidity = maxValidity
        self.rules = rules
    }
}
