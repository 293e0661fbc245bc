/// Where the reading of a list of payments goes on that many agents share: whose turn is next, and how far each agent's own
/// part was read.
///
/// Each agent has an equal part of every reading, and what it does not need goes to the others. So an agent with few
/// payments has them read at once, however many another one has. Within an agent the oldest come first, and once all were
/// read it begins again.
package struct AgentRound: Sendable, Equatable {
    /// A payment's place in its agent's part of the list.
    package struct Place: Sendable, Equatable {
        /// What the part is sorted by in the first place, such as the end of the window.
        package let time: Int64
        /// The payment's number.
        package let number: Int64

        /// Makes a place.
        package init(time: Int64, number: Int64) {
            self.time = time
            self.number = number
        }

        /// Before the first payment.
        package static let start = Place(time: .min, number: .min)
    }

    /// The agent that was read last; nil before the first one.
    private var last: String?
    /// How far the parts were read that have more.
    private var places: [String: Place] = [:]

    /// Begins at the first agent, with the oldest payments of each.
    package init() {}

    /// The places in the list of the next reading, at most `limit`.
    ///
    /// `agents` are those with payments in the list, by name, after a name and at most so many; `part` are an agent's places
    /// in their order, after one and at most so many.
    package mutating func next<Failure>(
        limit: Int, agents: (_ after: String?, _ limit: Int) throws(Failure) -> [String],
        part: (_ agent: String, _ after: Place, _ limit: Int) throws(Failure) -> [Place]
    ) throws(Failure) -> [Place] {
        var turn = try agents(last, limit)
        if last != nil, turn.count < limit {
            let known = Set(turn)
            turn += try agents(nil, limit - turn.count).filter { !known.contains($0) }
        }
        // What is kept of agents whose payments have left the list ends with a whole round.
        if turn.count < limit {
            let present = Set(turn)
            places = places.filter { present.contains($0.key) }
        }
        var found: [Place] = []
        var isFirstPass = true
        while !turn.isEmpty, found.count < limit {
            let share = max(1, (limit - found.count) / turn.count)
            var unread: [String] = []
            for agent in turn where found.count < limit {
                let wanted = min(share, limit - found.count)
                // One more shows whether there are more.
                let read = try part(agent, places[agent] ?? .start, wanted + 1)
                found += read.prefix(wanted)
                places[agent] = read.count > wanted ? read[wanted - 1] : nil
                if read.count > wanted { unread.append(agent) }
                if isFirstPass { last = agent }
            }
            turn = unread
            isFirstPass = false
        }
        return found
    }
}

/// Some payments of a list that many agents share, and where the next reading goes on.
package struct AgentReading: Sendable, Equatable {
    /// The payments that could be read, and what is wrong with the others.
    package let payments: Salvaged<[PaymentRecord]>
    /// Where the next reading goes on.
    package let next: AgentRound

    /// Makes a reading.
    package init(payments: Salvaged<[PaymentRecord]>, next: AgentRound) {
        self.payments = payments
        self.next = next
    }
}
