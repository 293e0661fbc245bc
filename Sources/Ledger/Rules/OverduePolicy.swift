/// What becomes of unproven payments whose window has passed.
package struct OverduePolicy: Sendable, Equatable {
    /// How many seconds after the end of the window nothing can come any more.
    package var margin: Int64
    /// Gateways whose payments lapse, by their operator's choice: they stop counting, without proof.
    package var lapsing: Set<String>
    /// Networks that a chain reader watches: proof comes from there, and nothing is presumed.
    package var proven: Set<String>

    /// Makes a policy; without arguments everything is presumed settled a minute after its window.
    package init(margin: Int64 = 60, lapsing: Set<String> = [], proven: Set<String> = []) {
        self.margin = margin
        self.lapsing = lapsing
        self.proven = proven
    }

    /// What happens to a payment whose window has passed; nil when it waits for proof.
    package func event(gateway: String, network: String) -> PaymentEvent? {
        if proven.contains(network) { return nil }
        return lapsing.contains(gateway) ? .lapsed : .windowPassed
    }
}
