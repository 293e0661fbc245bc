import Proxy
import Telemetry

/// Shows a scraper which tunnels are open, by agent, kind and gateway, and how many were ended, by reason.
///
/// Hosts that agents name are left out: nothing that an agent chooses makes a series.
enum TunnelMetrics {
    /// Shows what `tunnels` returns at each asking.
    static func show(_ tunnels: @escaping @Sendable () -> TunnelSnapshot, in registry: MetricsRegistry) {
        registry.sample("purser_tunnels_open", as: .gauge) {
            var counts: [[String]: Int] = [:]
            for row in tunnels().open {
                counts[[row.agent, row.kind, row.gateway ?? ""], default: 0] += row.count
            }
            return counts.map { key, count in
                MetricsRegistry.Sample([("agent", key[0]), ("kind", key[1]), ("gateway", key[2])], Int64(count))
            }
        }
        registry.sample("purser_tunnels_ended", as: .counter) {
            tunnels().ended.map { MetricsRegistry.Sample([("reason", $0.key)], Int64($0.value)) }
        }
    }
}
