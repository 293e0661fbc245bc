package import Primitives

/// Decides which refusals get rows of their own, and counts the others by agent, code and minute.
///
/// It is a value that lives as long as a store and is kept in memory only. Of each agent, code and minute the first five are
/// booked, as long as the rows of the last hour stay within ``rowBytesPerHour``. All others of a minute become one line of
/// the journal. So an agent's refusals take at most ``bytesPerHour`` of the books in an hour, whatever it varies, and a crash
/// loses at most the counts of the minute that is running. Two processes on one file have a counter each.
package struct RefusalCounter: Sendable {
    /// How many refusals of one agent, code and minute are booked one by one.
    package static let bookedPerMinute = 5
    /// How many of them are tried to book, where the books do not take them.
    static let triedPerMinute = 10
    /// How many bytes an agent's refusals may take of the books in any 60 minutes: rows and counted lines.
    package static let bytesPerHour = 1 << 20
    /// The part of it that rows may take.
    ///
    /// A counted line a minute takes less than 2 KiB.
    package static let rowBytesPerHour = bytesPerHour - 60 * (2 << 10)
    /// How many codes a counted line names; more are counted as `other`.
    package static let namedCodes = 24
    /// How many ended minutes wait for the books, for each agent; with more, the oldest become one.
    static let waitingMinutes = 60

    /// How many minutes late a refusal may come.
    private static let lateMinutes: Int64 = 2

    /// The minute in which an agent was refused last.
    private struct Minute: Sendable {
        let number: Int64
        /// The refusals that have rows, by code.
        var booked: [String: [PaymentID]] = [:]
        /// How many were to have rows, those that the books did not take included, by code.
        var tried: [String: Int] = [:]
        var counted: CountedRefusals?
    }

    private struct Refused: Sendable {
        var minute: Minute
        /// The counts of minutes that are over and not in the books yet, oldest first.
        var ended: [CountedRefusals] = []
        /// Bytes of rows by minute, of the last hour.
        var written: [(minute: Int64, bytes: Int)] = []
    }

    private var agents: [String: Refused] = [:]

    /// Makes a counter that has seen nothing.
    package init() {}

    /// Whether a refusal gets a row; if so, it is taken to have one.
    ///
    /// Asked again about the same one, it says the same.
    package mutating func admits(_ refusal: RefusedPayment, at now: Timestamp) -> Bool {
        let (agent, code) = (refusal.purpose.agent, refusal.code)
        enter(now, agent)
        guard var refused = agents[agent] else { return false }
        defer { agents[agent] = refused }
        let booked = refused.minute.booked[code] ?? []
        if booked.contains(refusal.id) { return true }
        let bytes = refusal.rowBytes
        let written = refused.written.reduce(0) { $0 + $1.bytes }
        let tried = refused.minute.tried[code] ?? 0
        guard booked.count < Self.bookedPerMinute, tried < Self.triedPerMinute,
            written + bytes <= Self.rowBytesPerHour
        else { return false }
        refused.minute.tried[code] = tried + 1
        refused.minute.booked[code] = booked + [refusal.id]
        if refused.written.last?.minute == refused.minute.number {
            refused.written[refused.written.count - 1].bytes += bytes
        } else {
            refused.written.append((refused.minute.number, bytes))
        }
        return true
    }

    /// Takes back that a refusal has a row, because the books did not take it: another one may have its place.
    ///
    /// Not without end: books that take none are not tried with every refusal.
    package mutating func revoke(_ refusal: RefusedPayment) {
        let (agent, code) = (refusal.purpose.agent, refusal.code)
        guard var refused = agents[agent], let index = refused.minute.booked[code]?.firstIndex(of: refusal.id) else {
            return
        }
        refused.minute.booked[code]?.remove(at: index)
        if let last = refused.written.indices.last, refused.written[last].minute == refused.minute.number {
            refused.written[last].bytes -= refusal.rowBytes
        }
        agents[agent] = refused
    }

    /// Counts a refusal that got no row.
    package mutating func count(_ code: String, of agent: String, at now: Timestamp) {
        enter(now, agent)
        let one = CountedRefusals(agent: agent, first: now, last: now, codes: [code: 1])
        let counted = agents[agent]?.minute.counted
        agents[agent]?.minute.counted = counted?.adding(one) ?? one
    }

    /// Takes out the counts of the minutes that are over, or all of them before the process ends, by agent and time.
    package mutating func take(all: Bool = false, at now: Timestamp) -> [CountedRefusals] {
        var taken: [CountedRefusals] = []
        for (name, var refused) in agents {
            let isOver = refused.minute.number != Self.minute(of: now)
            taken += refused.ended
            refused.ended = []
            if all || isOver, let counted = refused.minute.counted {
                taken.append(counted)
                refused.minute.counted = nil
            }
            Self.forget(&refused.written, at: now)
            agents[name] = isOver && refused.written.isEmpty ? nil : refused
        }
        return taken.sorted { ($0.agent, $0.first) < ($1.agent, $1.first) }
    }

    /// Puts counts back that could not be written.
    package mutating func restore(_ counts: [CountedRefusals]) {
        for count in counts {
            let minute = Minute(number: Self.minute(of: count.last))
            agents[count.agent, default: Refused(minute: minute)].ended.append(count)
            shorten(count.agent)
        }
    }

    /// Begins a new minute where it is another one than that of the agent's last refusal; a clock that was put back begins
    /// one, too.
    ///
    /// What was decided a moment ago and comes late belongs to the present minute.
    private mutating func enter(_ now: Timestamp, _ agent: String) {
        let number = Self.minute(of: now)
        guard var refused = agents[agent] else {
            agents[agent] = Refused(minute: Minute(number: number))
            return
        }
        guard !(number...number + Self.lateMinutes).contains(refused.minute.number) else { return }
        if let counted = refused.minute.counted { refused.ended.append(counted) }
        refused.minute = Minute(number: number)
        Self.forget(&refused.written, at: now)
        agents[agent] = refused
        shorten(agent)
    }

    /// Makes the two oldest ended minutes one while there are too many.
    private mutating func shorten(_ agent: String) {
        while let ended = agents[agent]?.ended, ended.count > Self.waitingMinutes {
            agents[agent]?.ended = [ended[0].adding(ended[1])] + ended[2...]
        }
    }

    private static func minute(of time: Timestamp) -> Int64 { time.seconds / 60 }

    /// Forgets the rows of minutes that are an hour or more away.
    private static func forget(_ written: inout [(minute: Int64, bytes: Int)], at now: Timestamp) {
        let minute = minute(of: now)
        written.removeAll { abs(minute - $0.minute) > 60 }
    }
}
