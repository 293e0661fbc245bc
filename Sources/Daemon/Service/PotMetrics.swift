import Primitives
import Telemetry

/// Shows a scraper how the pots are divided that the agents share: the total, what is in use and lent, who holds the most, and
/// how often something was refused or taken back.
enum PotMetrics {
    /// Shows what `pots` returns at each asking.
    static func show(_ pots: @escaping @Sendable () -> [PotSnapshot], in registry: MetricsRegistry) {
        func sample(
            _ name: String, as kind: MetricsRegistry.SampleKind, _ value: @escaping @Sendable (PotSnapshot) -> Int64
        ) {
            registry.sample("purser_pot_\(name)", as: kind) {
                pots().map { MetricsRegistry.Sample(labels(of: $0), value($0)) }
            }
        }
        sample("size", as: .gauge) { Int64($0.total) }
        sample("used", as: .gauge) { Int64($0.used) }
        sample("lent", as: .gauge) { Int64($0.lent) }
        sample("share", as: .gauge) { Int64($0.share) }
        sample("refused", as: .counter) { Int64(clamping: $0.refused) }
        sample("taken_back", as: .counter) { Int64(clamping: $0.takenBack) }
        registry.sample("purser_pot_held", as: .gauge) {
            pots().flatMap { pot in
                pot.top.map { MetricsRegistry.Sample(labels(of: pot) + [("agent", $0.agent)], Int64($0.held)) }
            }
        }
    }

    private static func labels(of pot: PotSnapshot) -> [(String, String)] {
        [("pot", pot.name), ("unit", pot.unit.rawValue)] + (pot.gateway.map { [("gateway", $0)] } ?? [])
    }
}
