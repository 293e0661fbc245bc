import Synchronization

/// Which agents have had a request in the last minute, for all pots together.
///
/// A request writes one time and one count into the object of its agent, without a lock. Agents are added up once a second.
/// Times are milliseconds of a clock that never goes back.
package final class ActiveAgents: Sendable {
    /// For how long an agent counts after its last request, in milliseconds.
    package static let period: Int64 = 60_000
    /// How often agents are added up, in milliseconds.
    private static let pause: Int64 = 1_000

    private struct State {
        var byName: [String: ActiveAgent] = [:]
        var all: [ActiveAgent] = []
    }

    private let state = Mutex(State())
    private let counted = Atomic<Int>(0)
    private let countedAt = Atomic<Int64>(.min / 2)

    private let clock: @Sendable () -> Int64

    /// Begins without agents; `clock` shows milliseconds to those who have no time at hand.
    package init(clock: @escaping @Sendable () -> Int64 = { 0 }) {
        self.clock = clock
    }

    /// The time by the pots' clock.
    package func now() -> Int64 { clock() }

    /// The agent of a name; looked up once a connection, not once a request.
    package func agent(named name: String) -> ActiveAgent {
        state.withLock { state in
            if let agent = state.byName[name] { return agent }
            let agent = ActiveAgent(name: name, number: state.all.count, among: self)
            state.byName[name] = agent
            state.all.append(agent)
            return agent
        }
    }

    /// The agent of a number.
    func agent(number: Int) -> ActiveAgent? {
        state.withLock { $0.all.indices.contains(number) ? $0.all[number] : nil }
    }

    /// Whether the agent of a number is active.
    package func isActive(_ number: Int, at now: Int64) -> Bool { agent(number: number)?.isActive(at: now) ?? false }

    /// How many agents are active, at least 1: whoever asks is.
    package func count(at now: Int64) -> Int {
        if now - countedAt.load(ordering: .relaxed) >= Self.pause {
            state.withLock { state in
                countedAt.store(now, ordering: .relaxed)
                counted.store(state.all.count { $0.recount(at: now) }, ordering: .relaxed)
            }
        }
        return max(1, counted.load(ordering: .relaxed))
    }

    fileprivate func becameActive(_ agent: ActiveAgent) {
        state.withLock { _ in
            if agent.beginsToCount() { counted.wrappingAdd(1, ordering: .relaxed) }
        }
    }
}

/// One agent, as long as the process runs: when it had its last request, and how many are under way.
package final class ActiveAgent: Sendable {
    /// The agent's name.
    package let name: String
    /// Its place in the pots' accounts, from 0.
    package let number: Int
    private unowned let agents: ActiveAgents
    private let lastRequest = Atomic<Int64>(.min / 2)
    private let underWay = Atomic<Int>(0)
    private let isCounted = Atomic<Bool>(false)

    fileprivate init(name: String, number: Int, among agents: ActiveAgents) {
        self.name = name
        self.number = number
        self.agents = agents
    }

    /// A request of the agent came, whatever becomes of it.
    package func hadRequest(at now: Int64) {
        lastRequest.store(now, ordering: .relaxed)
        if !isCounted.load(ordering: .relaxed) { agents.becameActive(self) }
    }

    /// A request began that takes a while; until it has ended the agent is active.
    package func requestBegan(at now: Int64) {
        underWay.wrappingAdd(1, ordering: .relaxed)
        hadRequest(at: now)
    }

    /// A request that began has ended.
    package func requestEnded(at now: Int64) {
        underWay.wrappingSubtract(1, ordering: .relaxed)
        lastRequest.store(now, ordering: .relaxed)
    }

    /// Whether the agent has a request under way, or had one in the last minute.
    package func isActive(at now: Int64) -> Bool {
        underWay.load(ordering: .relaxed) > 0 || now - lastRequest.load(ordering: .relaxed) < ActiveAgents.period
    }

    fileprivate func recount(at now: Int64) -> Bool {
        let isActive = isActive(at: now)
        isCounted.store(isActive, ordering: .relaxed)
        return isActive
    }

    fileprivate func beginsToCount() -> Bool { !isCounted.exchange(true, ordering: .relaxed) }
}
