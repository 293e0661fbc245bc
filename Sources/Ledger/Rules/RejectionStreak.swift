package import Primitives

/// How often a gateway refused payments in one token without a good answer between, and when it may be asked again.
package struct RejectionStreak: Sendable, Equatable {
    /// The first pause behind the rejection that stops payments, in seconds.
    package static let firstPause: Int64 = 60
    /// The longest pause between two probes, in seconds.
    package static let longestPause: Int64 = 900

    /// Rejections in a row.
    package private(set) var count: Int64
    /// The pause behind the next probe, in seconds.
    package private(set) var pause: Int64
    /// When one payment may be tried again.
    package private(set) var nextProbe: Timestamp

    /// Makes a streak from what the books kept.
    package init(count: Int64, pause: Int64, nextProbe: Timestamp) {
        self.count = count
        self.pause = pause
        self.nextProbe = nextProbe
    }

    /// The streak behind one more rejection.
    package static func after(_ streak: RejectionStreak?, rejectedAt time: Timestamp) -> RejectionStreak {
        var next = streak ?? RejectionStreak(count: 0, pause: firstPause, nextProbe: time)
        next.count += 1
        // A probe that was let through has set its own pause already.
        next.nextProbe = max(next.nextProbe, time.adding(seconds: firstPause))
        return next
    }

    /// Whether payments are stopped after `limit` rejections; 0 never stops them.
    package func stops(after limit: Int64) -> Bool { limit > 0 && count >= limit }

    /// Whether a payment may be tried at a moment.
    package func admits(after limit: Int64, at now: Timestamp) -> Bool { !stops(after: limit) || now >= nextProbe }

    /// The streak behind a probe that is let through: the next one waits twice as long.
    package func probed(at now: Timestamp) -> RejectionStreak {
        let pause = min(pause * 2, Self.longestPause)
        return RejectionStreak(count: count, pause: pause, nextProbe: now.adding(seconds: pause))
    }
}

/// What a gateway's configuration asks of the books when money is set aside.
package struct ReservationRules: Sendable, Equatable {
    /// Rejections in a row, per token, behind which nothing more is signed for the gateway; 0 never stops.
    package var stopAfterRejections: Int64
    /// For how many seconds the same request is not paid again after a failure that was paid; 0 pays it at once.
    package var repeatAfterFailure: Int64

    /// Makes rules.
    package init(stopAfterRejections: Int64 = 3, repeatAfterFailure: Int64 = 60) {
        self.stopAfterRejections = stopAfterRejections
        self.repeatAfterFailure = repeatAfterFailure
    }
}

/// What becomes of unproven payments whose window has passed.
package struct OverduePolicy: Sendable, Equatable {
    /// How many seconds behind the end of the window nothing can come any more.
    package var margin: Int64
    /// Gateways whose payments lapse, by their operator's choice: they stop counting, without proof.
    package var lapsing: Set<String>
    /// Networks that a chain reader watches: proof comes from there, and nothing is presumed.
    package var proven: Set<String>

    /// Makes a policy; without arguments everything is presumed settled a minute behind its window.
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
