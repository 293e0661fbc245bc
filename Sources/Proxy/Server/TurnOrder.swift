import NIOCore

/// Who goes next of those that could all go on now: agents before strangers.
///
/// Agents take turns. Of one agent's members, the one that has waited longest goes first. So an agent with many connections
/// gets no more turns than an agent with one.
struct TurnOrder<Member> {
    /// The most members of agents in a round, and the most strangers.
    static var agentsPerRound: Int { 16 }
    static var strangersPerRound: Int { 4 }

    /// The numbers of the agents that have members here, in the order of their turns.
    private var agents = CircularBuffer<Int>()
    private var members: [Int: CircularBuffer<Member>] = [:]
    private var strangers = CircularBuffer<Member>()

    /// Whether nobody waits.
    var isEmpty: Bool { agents.isEmpty && strangers.isEmpty }

    /// Adds a member after all others of its agent; nil is a stranger.
    mutating func append(_ member: Member, of agent: Int?) {
        guard let agent else { return strangers.append(member) }
        if members[agent] == nil { agents.append(agent) }
        members[agent, default: CircularBuffer()].append(member)
    }

    /// Puts agents' members back for which a round had no time, before all that came since.
    mutating func putBack(_ rest: [(member: Member, agent: Int)]) {
        for (member, agent) in rest.reversed() {
            if let index = agents.firstIndex(of: agent) { agents.remove(at: index) }
            agents.prepend(agent)
            members[agent, default: CircularBuffer()].prepend(member)
        }
    }

    /// Takes out those of the next round; strangers are few in it, so that the round stays short, but never none.
    mutating func takeRound() -> [Member] {
        var round: [Member] = []
        while round.count < Self.agentsPerRound, let agent = agents.popFirst() {
            if let member = members[agent]?.popFirst() { round.append(member) }
            if members[agent]?.isEmpty ?? true { members[agent] = nil } else { agents.append(agent) }
        }
        for _ in 0..<Self.strangersPerRound {
            guard let member = strangers.popFirst() else { break }
            round.append(member)
        }
        return round
    }
}
