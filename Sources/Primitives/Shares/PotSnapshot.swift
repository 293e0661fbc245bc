/// What the units of a pot are.
package enum PotUnit: String, Sendable {
    /// Things that are counted.
    case count
    /// Bytes.
    case bytes
}

/// A pot at one moment, as operators see it.
package struct PotSnapshot: Sendable, Equatable {
    /// What one agent holds.
    package struct Holding: Sendable, Equatable {
        /// The agent's name.
        package let agent: String
        /// Units, at least 1.
        package let held: Int

        /// Makes a holding.
        package init(agent: String, held: Int) {
            self.agent = agent
            self.held = held
        }
    }

    /// The most holdings that a snapshot lists.
    package static let topCount = 5

    /// The pot's name, such as `replay-memory`.
    package let name: String
    /// The gateway that the pot belongs to; nil for a pot of the whole process.
    package let gateway: String?
    /// What its units are.
    package let unit: PotUnit
    /// All units.
    package let total: Int
    /// Units in use.
    package let used: Int
    /// Units of those that agents hold above their share.
    package let lent: Int
    /// What each active agent is guaranteed now.
    package let share: Int
    /// How often a wish was refused since the start.
    package let refused: UInt64
    /// How many holders were ended since the start, so that another agent had its share.
    package let takenBack: UInt64
    /// Who holds the most, the most first, at most ``topCount``.
    package let top: [Holding]

    /// Makes a snapshot.
    package init(
        name: String, gateway: String?, unit: PotUnit, total: Int, used: Int, lent: Int, share: Int, refused: UInt64,
        takenBack: UInt64, top: [Holding]
    ) {
        self.name = name
        self.gateway = gateway
        self.unit = unit
        self.total = total
        self.used = used
        self.lent = lent
        self.share = share
        self.refused = refused
        self.takenBack = takenBack
        self.top = top
    }

    /// Looks at a pot.
    package init<Holder>(
        name: String, gateway: String? = nil, unit: PotUnit, _ pot: SharedPot<Holder>, agents: ActiveAgents,
        at now: Int64
    ) {
        let active = agents.count(at: now)
        self.init(
            name: name, gateway: gateway, unit: unit, total: pot.rule.total, used: pot.used,
            lent: pot.lent(among: active) { agents.isActive($0, at: now) },
            share: pot.rule.share(among: active), refused: pot.refused, takenBack: pot.takenBack,
            top: pot.holdings.sorted { ($1.held, $0.agent) < ($0.held, $1.agent) }.prefix(Self.topCount).compactMap {
                holding in agents.agent(number: holding.agent).map { Holding(agent: $0.name, held: holding.held) }
            })
    }
}
