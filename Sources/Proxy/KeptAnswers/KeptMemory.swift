import NIOCore
import Primitives
import Synchronization

/// The memory that all kept answers of the process may take together, divided by the agents' shares.
///
/// An agent that may have no more drops its own oldest answer for a newer one. Another agent's is dropped only where it is
/// borrowed and has not grown for a while.
final class KeptMemory: Sendable {
    private struct Holder: UnitHolder {
        weak let answer: KeptAnswer?
        let progress: HolderProgress
        var lastProgress: Int64 { progress.lastProgress }
        var mayBeEnded: Bool { true }
    }

    private struct Entry {
        let place: PotPlace
        let agent: Int
    }

    private struct State {
        var pot: SharedPot<Holder>
        var entries: [UInt64: Entry] = [:]
        var numbers: [PotPlace: UInt64] = [:]
        /// Numbers of answers of each agent from the oldest on, with those that are gone.
        var order: [Int: CircularBuffer<UInt64>] = [:]
        var next: UInt64 = 0
        /// Numbers of answers that are gone and are let stand until it is worth a walk.
        private static let spareNumbers = 1024

        /// Takes an answer out, and the memory that it had.
        mutating func remove(_ number: UInt64) -> KeptAnswer? {
            guard let entry = entries.removeValue(forKey: number) else { return nil }
            numbers[entry.place] = nil
            let answer = pot.remove(at: entry.place)?.answer
            while let first = order[entry.agent]?.first, entries[first] == nil { order[entry.agent]?.removeFirst() }
            // An old answer at the front must not keep the numbers of all that came and went after it.
            if let count = order[entry.agent]?.count, count > 2 * entries.count + Self.spareNumbers {
                order[entry.agent]?.removeAll { entries[$0] == nil }
            }
            return answer
        }
    }

    /// How much one answer and all together may take.
    let limits: KeptAnswerLimits
    private let agents: ActiveAgents
    private let state: Mutex<State>

    init(limits: KeptAnswerLimits, agents: ActiveAgents) {
        self.limits = limits
        self.agents = agents
        state = Mutex(State(pot: SharedPot(total: limits.total)))
    }

    /// The memory in use, in bytes.
    var used: Int { state.withLock { $0.pot.used } }

    /// How many answers are kept.
    var count: Int { state.withLock { $0.entries.count } }

    /// How many numbers are remembered for the order of answers: bounded by those that are kept.
    var remembered: Int { state.withLock { $0.order.values.reduce(0) { $0 + $1.count } } }

    /// Takes an answer of an agent in, by the number that is returned.
    func add(_ answer: KeptAnswer, of agent: ActiveAgent, _ progress: HolderProgress) -> UInt64 {
        state.withLock { state in
            state.next += 1
            let place = state.pot.add(Holder(answer: answer, progress: progress), of: agent.number)
            state.entries[state.next] = Entry(place: place, agent: agent.number)
            state.numbers[place] = state.next
            state.order[agent.number, default: []].append(state.next)
            return state.next
        }
    }

    /// Takes memory for an answer, from older ones of its agent where there is no other, or from what others have borrowed;
    /// false where it is itself the oldest or more than all may have is asked for.
    func take(_ bytes: Int, for number: UInt64, at now: Int64) -> Bool {
        let active = agents.count(at: now)
        let (isTaken, dropped) = state.withLock { state -> (Bool, [KeptAnswer]) in
            guard bytes <= limits.total, let entry = state.entries[number] else { return (false, []) }
            var dropped: [KeptAnswer] = []
            while true {
                let answer = state.pot.take(bytes, at: entry.place, among: active)
                if answer == .granted { return (true, dropped) }
                if answer == .shareIsLent,
                    let stalled = state.pot.reclaim(
                        for: entry.agent, among: active, at: now,
                        isActive: { self.agents.isActive($0, at: now) }),
                    let other = state.numbers[stalled]
                {
                    if let answer = state.remove(other) { dropped.append(answer) }
                } else if let oldest = state.order[entry.agent]?.first, oldest != number {
                    if let answer = state.remove(oldest) { dropped.append(answer) }
                } else {
                    state.pot.countRefusal()
                    return (false, dropped)
                }
            }
        }
        for answer in dropped { answer.drop() }
        return isTaken
    }

    /// Puts back what an answer had.
    func remove(_ number: UInt64) {
        _ = state.withLock { $0.remove(number) }
    }

    /// The pot as it is now.
    func snapshot(at now: Int64) -> PotSnapshot {
        PotSnapshot(name: "kept-answers", unit: .bytes, state.withLock { $0.pot }, agents: agents, at: now)
    }
}
