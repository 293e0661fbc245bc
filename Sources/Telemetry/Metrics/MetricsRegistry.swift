package import CoreMetrics
import Synchronization

/// The process's metrics, which it keeps in memory and shows in the text format that Prometheus reads.
///
/// Timers are latency histograms in seconds, counters are counters; other numbers are read from whoever keeps them when
/// somebody asks. Labels are the programmer's or the operator's own, so there are few.
package final class MetricsRegistry: MetricsFactory {
    private struct Name: Hashable {
        let label: String
        let dimensions: String
    }

    private struct Metrics {
        var timers: [Name: LatencyHistogram] = [:]
        var counters: [Name: EventCount] = [:]
        var samplers: [String: Sampler] = [:]
    }

    /// A number that somebody else keeps, read when it is asked for.
    package struct Sample: Sendable {
        fileprivate let dimensions: [(String, String)]
        fileprivate let value: Int64

        /// Makes a sample of a series.
        package init(_ dimensions: [(String, String)], _ value: Int64) {
            self.dimensions = dimensions
            self.value = value
        }
    }

    /// What a sampled number is.
    package enum SampleKind: String, Sendable {
        /// It goes up and down.
        case gauge
        /// It only grows; its name gets `_total`.
        case counter
    }

    private struct Sampler: Sendable {
        let kind: SampleKind
        let read: @Sendable () -> [Sample]
    }

    private let metrics = Mutex(Metrics())

    /// Makes an empty registry.
    package init() {}

    /// Shows what `read` returns at each asking, under one name.
    package func sample(_ label: String, as kind: SampleKind, _ read: @escaping @Sendable () -> [Sample]) {
        metrics.withLock { $0.samplers[label] = Sampler(kind: kind, read: read) }
    }

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
        for (label, sampler) in metrics.samplers.sorted(by: { $0.key < $1.key }) {
            let name = sampler.kind == .counter ? label + "_total" : label
            lines.append("# TYPE \(name) \(sampler.kind.rawValue)")
            let series = sampler.read().map { (Self.name(label, $0.dimensions).dimensions, $0.value) }
            for (dimensions, value) in series.sorted(by: { $0.0 < $1.0 }) {
                lines.append("\(name)\(Self.braced(dimensions)) \(value)")
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
