package import Ledger
package import Policy

/// What a gateway's configuration says about paying it.
package struct GatewayPolicy: Sendable, Equatable {
    /// What the gate may approve.
    package var gate: GateRules
    /// What the books are asked to hold it to.
    package var rules: ReservationRules

    /// Makes a policy; without arguments, that of a gateway about which nothing is configured.
    package init(gate: GateRules = GateRules(), rules: ReservationRules = ReservationRules()) {
        self.gate = gate
        self.rules = rules
    }
}
