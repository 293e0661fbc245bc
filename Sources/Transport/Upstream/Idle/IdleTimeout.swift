import NIOCore

/// How long idle connections to one destination are trusted, by what its server says and does, as a value.
///
/// A request must rarely meet a connection that the server is just closing. So a connection is given up a second before the
/// server's own time-out, which the server says in a Keep-Alive field or shows by closing.
struct IdleTimeout: Equatable {
    /// The longest time: two minutes, so that each event loop keeps the connection of an agent that comes once a minute to
    /// either of two.
    static let longest = TimeAmount.minutes(2)
    /// For hosts that agents name: less than the shortest usual time-out of servers, 5 s.
    static let ofAgents = TimeAmount.seconds(4)
    /// How long it is remembered that the server closed an idle connection.
    ///
    /// It may have had another reason, such as a restart.
    static let memory = TimeAmount.minutes(10)

    private var shown: (time: TimeAmount, until: NIODeadline)?

    static func == (one: IdleTimeout, other: IdleTimeout) -> Bool {
        one.shown?.time == other.shown?.time && one.shown?.until == other.shown?.until
    }

    /// The server closed a connection that had been idle for this long.
    mutating func serverClosed(after time: TimeAmount, at now: NIODeadline) {
        // At a restart all connections are closed, and the oldest says most about the time-out.
        if let shown, now < shown.until, shown.time >= time { return }
        shown = (time, now + Self.memory)
    }

    /// How long a connection is kept that becomes idle now; `hint` is what its server said with the last answer.
    func trust(hint: TimeAmount?, at now: NIODeadline) -> TimeAmount {
        var longest = Self.longest
        if let shown, now < shown.until { longest = min(longest, shown.time) }
        if let hint { longest = min(longest, hint) }
        return max(longest - .seconds(1), .seconds(1))
    }
}
