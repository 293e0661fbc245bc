/// The rule by which everything that agents share is divided.
///
/// Each agent with a request in the last minute has a share: total ÷ such agents. What is idle is lent to those who hold
/// their share already, except the last quarter of the pot, which is kept for agents below their share. The whole
/// arithmetic is in whole units, rounded down:
///
/// - The quarter that is kept is `total / 4`, so a pot of fewer than four units keeps none.
/// - A share is `total / agents`, but never a part of the quarter while there is one agent alone, so that the next agent
///   finds a quarter of the pot free; and at least one unit, so that where there are more agents than units each may hold
///   one, as long as there are any.
package struct ShareRule: Sendable, Equatable {
    /// All units of the pot: things that are counted, or bytes.
    package let total: Int

    /// Makes the rule of a pot.
    package init(total: Int) {
        self.total = max(0, total)
    }

    /// What may be in use together with units that were lent.
    package var lendable: Int { total - total / 4 }

    /// What each of `agents` active agents is guaranteed.
    package func share(among agents: Int) -> Int {
        max(1, min(total / max(1, agents), lendable))
    }

    /// What becomes of a wish for more units.
    package enum Answer: Sendable, Equatable {
        /// They may be taken.
        case granted
        /// They would be lent, and nothing more is lent.
        case notLent
        /// They belong to the agent's share, and others hold them.
        case shareIsLent
    }

    /// Whether an agent that holds `held` may have `weight` more units, where `used` of the pot are in use and `agents` are
    /// active.
    package func answer(to weight: Int, held: Int, used: Int, among agents: Int) -> Answer {
        let isShare = weight <= share(among: agents) - held
        if isShare, weight <= total - used { return .granted }
        if weight <= lendable - used { return .granted }
        return isShare ? .shareIsLent : .notLent
    }
}
