import NIOCore

/// Who goes next of those that could all go on now: agents before strangers, and of each kind whoever has waited longest.
struct TurnOrder<Member> {
    /// The most agents of a round, and the most strangers.
    static var agentsPerRound: Int { 16 }
    static var strangersPerRound: Int { 4 }

    private var agents = CircularBuffer<Member>()
    private var strangers = CircularBuffer<Member>()

    /// Whether nobody waits.
    var isEmpty: Bool { agents.isEmpty && strangers.isEmpty }

    /// Puts a member behind all others of its kind.
    mutating func append(_ member: Member, isAgent: Bool) {
        if isAgent { agents.append(member) } else { strangers.append(member) }
    }

    /// Takes out those of the next round; strangers are few in it, so that the round stays short, but never none.
    mutating func takeRound() -> [Member] {
        var round: [Member] = []
        while round.count < Self.agentsPerRound, let member = agents.popFirst() { round.append(member) }
        for _ in 0..<Self.strangersPerRound {
            guard let member = strangers.popFirst() else { break }
            round.append(member)
        }
        return round
    }
}
