package import CoreMetrics
import NIOCore

/// What the data plane measures of itself.
package struct ProxyMeters: Sendable {
    /// One of the times that are measured.
    struct Meter: Sendable {
        private let timer: Timer

        fileprivate init(_ label: String, _ factory: any MetricsFactory) {
            timer = Timer(label: label, dimensions: [], factory: factory)
        }

        func record(_ time: TimeAmount) { timer.recordNanoseconds(time.nanoseconds) }
    }

    /// A number of events that is counted.
    struct Count: Sendable {
        private let counter: Counter

        fileprivate init(_ label: String, _ factory: any MetricsFactory) {
            counter = Counter(label: label, dimensions: [], factory: factory)
        }

        func increment() { counter.increment() }
    }

    /// From a request's head to the gateway having it, connecting included.
    let forward: Meter
    /// From a challenge that is read to the payment's signature, its commit included.
    let signature: Meter
    /// From the gateway having a request to the head of its answer.
    let firstByte: Meter
    /// What requests waited for this process, as `Purser-Overhead-Us` tells each.
    let overhead: Meter
    /// From the head of an answer to its end.
    let relay: Meter
    /// Requests that were paid before and not paid again, since their answer did not arrive or was a failure.
    let heldRepetitions: Count
    /// How many requests got the answer to an earlier identical one, whose agent had left.
    let joined: Count

    /// Makes the meters of a factory; without one those of the process.
    package init(factory: any MetricsFactory = MetricsSystem.factory) {
        forward = Meter("purser_forward", factory)
        signature = Meter("purser_signature", factory)
        firstByte = Meter("purser_first_byte", factory)
        overhead = Meter("purser_overhead", factory)
        relay = Meter("purser_relay", factory)
        heldRepetitions = Count("purser_held_repetitions", factory)
        joined = Count("purser_answers_joined", factory)
    }
}

/// Where the time of one request goes: to others who are waited for, or to this process.
struct ExchangeTimes {
    private let arrived: NIODeadline
    /// When the present wait for somebody else began.
    private var waitingSince: NIODeadline?
    private var waited = TimeAmount.zero
    /// When the answer's head came.
    private(set) var answered: NIODeadline?

    init(arrived: NIODeadline) {
        self.arrived = arrived
    }

    /// From here on somebody else is waited for: a connection, an answer, the rest of a body.
    mutating func beginWait() {
        if waitingSince == nil { waitingSince = .now() }
    }

    /// The wait is over.
    ///
    /// Returns how long it was.
    @discardableResult
    mutating func endWait() -> TimeAmount {
        guard let since = waitingSince else { return .zero }
        let wait = NIODeadline.now() - since
        waitingSince = nil
        waited = waited + wait
        return wait
    }

    /// Since the request's head came.
    var sinceArrival: TimeAmount { NIODeadline.now() - arrived }

    /// What of the time up to now went to this process; the answer's head is on its way from here on.
    mutating func overhead() -> TimeAmount {
        let now = NIODeadline.now()
        answered = now
        return now - arrived - waited
    }
}
