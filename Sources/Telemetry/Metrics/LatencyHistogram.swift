import CoreMetrics
import Synchronization

/// How often something took how long, in buckets whose bounds double from 1 µs to some 8 s.
final class LatencyHistogram: TimerHandler, Sendable {
    /// The buckets with an upper bound; what is longer counts in the last one.
    static let bounded = 24

    private struct Counts {
        /// One for each bucket, not cumulative.
        var buckets = [UInt64](repeating: 0, count: LatencyHistogram.bounded + 1)
        var nanoseconds: UInt64 = 0
    }

    private let counts = Mutex(Counts())

    /// The upper bound of a bucket, in nanoseconds.
    static func bound(_ bucket: Int) -> UInt64 { 1000 << UInt64(bucket) }

    func recordNanoseconds(_ duration: Int64) {
        let duration = UInt64(max(0, duration))
        // The first bucket ends at 1 µs, so that the number of bits of what is above it names the bucket.
        let above = duration == 0 ? 0 : (duration - 1) / 1000
        let bucket = min(UInt64.bitWidth - above.leadingZeroBitCount, Self.bounded)
        counts.withLock { counts in
            counts.buckets[bucket] += 1
            counts.nanoseconds &+= duration
        }
    }

    /// The buckets' counts, each with all below it, and the sum of all durations in nanoseconds.
    var cumulative: (buckets: [UInt64], nanoseconds: UInt64) {
        let counts = counts.withLock { $0 }
        var sum: UInt64 = 0
        return (
            counts.buckets.map {
                sum += $0; return sum
            }, counts.nanoseconds
        )
    }
}

/// A number that only grows.
final class EventCount: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}
