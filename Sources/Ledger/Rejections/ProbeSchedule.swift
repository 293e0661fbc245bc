package import Primitives

/// When a payment may be tried again where payments are paused: after a minute, then half as often each time.
package struct ProbeSchedule: Sendable, Equatable {
    /// The first pause, after the rejection that paused payments, in seconds.
    package static let firstPause: Int64 = 60
    /// The longest pause between two probes, in seconds.
    package static let longestPause: Int64 = 900

    /// The pause before the next probe, in seconds, 1 to ``longestPause``.
    package private(set) var pause: Int64
    /// When one payment may be tried.
    package private(set) var next: Timestamp

    /// Makes a schedule from what the books kept.
    package init(pause: Int64, next: Timestamp) {
        self.pause = pause
        self.next = next
    }

    /// The schedule of a pause that begins with a rejection at this time.
    package init(beginningAt time: Timestamp) {
        self.init(pause: Self.firstPause, next: time.adding(seconds: Self.firstPause))
    }

    /// Whether a payment may be tried.
    package func isDue(at now: Timestamp) -> Bool { now >= next }

    /// A payment is tried: the next one waits twice as long.
    package mutating func probed(at now: Timestamp) {
        pause = min(pause * 2, Self.longestPause)
        next = now.adding(seconds: pause)
    }

    /// A payment was rejected: at least the first pause follows.
    package mutating func rejected(at time: Timestamp) {
        next = max(next, time.adding(seconds: Self.firstPause))
    }
}
