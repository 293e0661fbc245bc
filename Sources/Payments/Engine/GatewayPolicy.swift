package import Ledger
package import Policy
package import X402

/// What a gateway's configuration says about paying it.
package struct GatewayPolicy: Sendable, Equatable {
    /// What the gate may approve.
    package var gate: GateRules
    /// Whether its word is enough to free what it did not take of an `upto` payment's maximum.
    ///
    /// Otherwise the chain has to show what was taken.
    package var trustsPartial = false
    /// Whether wallets sign in where they bought before, instead of paying again at once.
    ///
    /// It shows the seller which requests come from the same wallet.
    package var signsIn = false
    /// How often an agent may sign in at it within an hour; behind that its requests are paid.
    package var signInsPerHour = 10
    /// Who may sign its offers and receipts besides the payee.
    package var signers = PinnedSigners()
    /// What the books are asked to hold it to.
    package var rules: ReservationRules

    /// Makes a policy; without arguments, that of a gateway about which nothing is configured.
    package init(gate: GateRules = GateRules(), rules: ReservationRules = ReservationRules()) {
        self.gate = gate
        self.rules = rules
    }
}
