/// How many requests of each agent have begun within one millisecond on one event loop.
///
/// A loop serves all sockets that are ready before it looks at its sockets again. Without a limit, an agent that sends on
/// hundreds of connections at once would have all of them served before anyone else. Requests above the limit wait for their
/// turn. A millisecond stands for one look at the sockets: reading the clock costs less than asking the loop.
struct BegunRequests {
    /// The most that begin at once.
    static let limit = 4

    private var millisecond = Int64.min
    private var counts: [Int: Int] = [:]

    /// Whether another request of an agent may begin at a time in milliseconds; counts it if so.
    mutating func mayBegin(agent: Int, at now: Int64) -> Bool {
        if now != millisecond {
            millisecond = now
            counts.removeAll(keepingCapacity: true)
        }
        guard counts[agent, default: 0] < Self.limit else { return false }
        counts[agent, default: 0] += 1
        return true
    }
}
