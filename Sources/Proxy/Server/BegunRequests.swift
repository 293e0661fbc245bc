/// Which agents' requests may begin at once on one event loop, and which wait for their turn.
///
/// A loop serves all sockets that are ready before it looks at its sockets again. Without a limit, an agent that sends on
/// hundreds of connections at once would have all of them served before anyone else. So few requests of an agent begin within
/// a millisecond, which stands for one look at the sockets: reading the clock costs less than asking the loop. And an agent
/// whose requests take long to read, such as bodies in tiny chunks, uses half of the loop's time at most.
struct BegunRequests {
    /// The most that begin within a millisecond.
    static let limit = 4
    /// Nanoseconds of the loop that an agent may use before it has to leave others as much.
    static let burst: Int64 = 500_000
    /// Agents that are remembered before those are forgotten that may begin again.
    private static let kept = 64

    private var millisecond = Int64.min
    private var counts: [Int: Int] = [:]
    /// When each agent has left others as much time as it has used, in nanoseconds.
    private var evenAt: [Int: Int64] = [:]

    /// Whether another request of an agent may begin at a time in nanoseconds; counts it if so.
    mutating func mayBegin(agent: Int, at now: Int64) -> Bool {
        guard (evenAt[agent] ?? .min) <= now + Self.burst else { return false }
        if now / 1_000_000 != millisecond {
            millisecond = now / 1_000_000
            counts.removeAll(keepingCapacity: true)
        }
        guard counts[agent, default: 0] < Self.limit else { return false }
        counts[agent, default: 0] += 1
        return true
    }

    /// What was read of an agent's connection took so many nanoseconds, up to a time.
    mutating func took(_ time: Int64, agent: Int, until now: Int64) {
        if evenAt.count >= Self.kept { evenAt = evenAt.filter { $0.value > now } }
        evenAt[agent] = max(evenAt[agent] ?? .min, now - time) + 2 * time
    }
}
