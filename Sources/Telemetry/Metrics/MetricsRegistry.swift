package import CoreMetrics
import Synchronization

/// The process's metrics, which it keeps in memory and shows in the text format that Prometheus reads.
///
/// Timers are latency histograms in seconds, counters are counters; nothing else is measured here. Labels are the
/// programmer's own, so there are few.
package final class MetricsRegistry: MetricsFactory {
    private struct Name: Hashable {
        let label: String
        let dimensions: String
    }

    private struct Metrics {
        var timers: [Name: LatencyHistogram] = [:]
        var counters: [Name: EventCount] = [:]
    }

    private let metrics = Mutex(Metrics())

    /// Makes an empty registry.
    package init() {}

    /// Everything so far, in Prometheus' text exposition format 0.0.4.
    package var text: String {
        let metrics = metrics.withLock { $0 }
        var lines: [String] = []
        for (label, members) in Dictionary(grouping: metrics.counters, by: \.key.label).sorted(by: { $0.key < $1.key })
        {
            lines.append("# TYPE \(label)_total counter")
            for (name, count) in members.sorted(by: { $0.key.dimensions < $1.key.dimensions }) {
                lines.append("\(label)_total\(Self.braced(name.dimensions)) \(count.value)")
            }
        }
        for (label, members) in Dictionary(grouping: metrics.timers, by: \.key.label).sorted(by: { $0.key < $1.key }) {
            lines.append("# TYPE \(label)_seconds histogram")
            for (name, histogram) in members.sorted(by: { $0.key.dimensions < $1.key.dimensions }) {
                let (buckets, nanoseconds) = histogram.cumulative
                let front = name.dimensions.isEmpty ? "" : name.dimensions + ","
                for (bucket, count) in buckets.enumerated() {
                    let bound =
                        bucket < LatencyHistogram.bounded ? Self.seconds(LatencyHistogram.bound(bucket)) : "+Inf"
                    lines.append("\(label)_seconds_bucket{\(front)le=\"\(bound)\"} \(count)")
                }
                lines.append("\(label)_seconds_sum\(Self.braced(name.dimensions)) \(Self.seconds(nanoseconds))")
                lines.append("\(label)_seconds_count\(Self.braced(name.dimensions)) \(buckets.last ?? 0)")
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func braced(_ dimensions: String) -> String { dimensions.isEmpty ? "" : "{\(dimensions)}" }

    /// Nanoseconds as seconds, exactly.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        let digits = String(nanoseconds % 1_000_000_000)
        let fraction = String(repeating: "0", count: 9 - digits.count) + digits
        return "\(nanoseconds / 1_000_000_000).\(fraction)"
    }

    private static func name(_ label: String, _ dimensions: [(String, String)]) -> Name {
        let pairs = dimensions.map { key, value in
            let escaped = value.map { character in
                switch character {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(character)
                }
            }
            return "\(key)=\"\(escaped.joined())\""
        }
        return Name(label: label, dimensions: pairs.sorted().joined(separator: ","))
    }
}

extension MetricsRegistry {
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = Self.name(label, dimensions)
        return metrics.withLock { metrics in
            let timer = metrics.timers[name] ?? LatencyHistogram()
            metrics.timers[name] = timer
            return timer
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let name = Self.name(label, dimensions)
        return metrics.withLock { metrics in
            let count = metrics.counters[name] ?? EventCount()
            metrics.counters[name] = count
            return count
        }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) {}

    package func destroyRecorder(_ handler: any RecorderHandler) {}

    package func destroyMeter(_ handler: any MeterHandler) {}

    package func destroyTimer(_ handler: any TimerHandler) {}
}
