package import NIOCore

/// Whether an origin that could not be reached several times in a row is tried again, as a value.
///
/// While it rests, requests hear at once that it does, instead of each waiting for a connection that does not come. Then
/// one connection is tried, and the rest is twice as long when that fails too.
package struct CircuitBreaker: Equatable, Sendable {
    /// Failures in a row after which an origin rests.
    package static let threshold = 5
    /// The first rest.
    package static let firstRest = TimeAmount.seconds(1)
    /// The longest rest.
    package static let longestRest = TimeAmount.seconds(30)

    private enum State: Equatable {
        /// It is tried; so many tries have failed in a row.
        case closed(failures: Int)
        /// It is not tried before this time.
        case open(until: NIODeadline, rest: TimeAmount)
        /// One connection is under way that decides; who comes meanwhile waits no longer than that.
        case trying(since: NIODeadline, rest: TimeAmount)
    }

    private var state = State.closed(failures: 0)

    /// An origin of which nothing bad is known.
    package init() {}

    /// Whether nothing bad is known.
    var isIdle: Bool { state == .closed(failures: 0) }

    /// Asks for a connection; returns how long the origin rests still, or nil when one may be tried now.
    package mutating func rest(at now: NIODeadline) -> TimeAmount? {
        switch state {
        case .closed: return nil
        case .open(let until, let rest):
            guard now >= until else { return until - now }
            state = .trying(since: now, rest: rest)
            return nil
        case .trying(let since, let rest):
            // A trial that never came to an end must not close the origin for good.
            guard now >= since + Self.longestRest else { return rest }
            state = .trying(since: now, rest: rest)
            return nil
        }
    }

    /// A connection came about.
    package mutating func succeeded() { state = .closed(failures: 0) }

    /// None came about.
    package mutating func failed(at now: NIODeadline) {
        switch state {
        case .closed(let failures) where failures + 1 < Self.threshold: state = .closed(failures: failures + 1)
        case .closed: state = .open(until: now + Self.firstRest, rest: Self.firstRest)
        case .trying(_, let rest):
            let longer = min(rest + rest, Self.longestRest)
            state = .open(until: now + longer, rest: longer)
        // One that was begun before the rest says nothing new.
        case .open: break
        }
    }
}
