package import Primitives

/// A caller with its own token and wallet; what it may spend is said by the caps that name it, its team or the house.
package struct Agent: Sendable, Equatable {
    /// The name: 1 to 64 characters of `a-z 0-9 . _ -`, beginning with a letter or digit.
    package let name: String
    /// The wallet it pays from; nil means the only wallet of the configuration.
    package let wallet: String?
    /// The team it is in, named as agents are; nil means none.
    package let team: String?
    /// SHA-256 of the token; the token itself is never stored.
    package let tokenHash: Bytes32
    /// When it was added; the books keep the time of the entry that says so.
    package var addedAt: Timestamp

    /// Makes an agent.
    package init(name: String, wallet: String?, team: String?, tokenHash: Bytes32, addedAt: Timestamp) {
        self.name = name
        self.wallet = wallet
        self.team = team
        self.tokenHash = tokenHash
        self.addedAt = addedAt
    }

    /// Whether a text may name an agent.
    package static func isValidName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= 64 else { return false }
        func isWord(_ byte: UInt8) -> Bool { byte.isASCIIDigit || (byte >= 0x61 && byte <= 0x7a) }
        return isWord(first) && bytes.allSatisfy { isWord($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
    }
}

/// The agents and freezes as of one generation: what the data plane needs to know who is calling, and what is stopped.
package struct AgentRegistry: Sendable {
    /// Grows with every change of an agent, token, cap or freeze.
    package let generation: UInt64
    /// The freezes in force.
    package let freezes: [FreezeScope: Freeze]
    /// Who has a cap that limits money; nil where that is not known.
    private let moneyCapHolders: Set<CapHolder>?
    private let byTokenHash: [Bytes32: Agent]
    private let byName: [String: Agent]

    /// Makes a registry.
    package init(generation: UInt64, agents: [Agent], freezes: [Freeze], caps: [Cap]? = nil) {
        moneyCapHolders = caps.map { Set($0.filter { $0.limit.measure != .payments }.map(\.scope.holder)) }
        self.generation = generation
        self.freezes = Dictionary(freezes.map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        byTokenHash = Dictionary(agents.map { ($0.tokenHash, $0) }, uniquingKeysWith: { first, _ in first })
        byName = Dictionary(agents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The agent whose token has this hash.
    package func agent(tokenHash: Bytes32) -> Agent? { byTokenHash[tokenHash] }

    /// The agent of that name.
    package func agent(named name: String) -> Agent? { byName[name] }

    /// Whether a cap of the agent, its team or the house limits money, be it for some gateways or tokens only; true where
    /// that is not known.
    package func mayHaveMoneyCap(_ agent: Agent) -> Bool {
        guard let holders = moneyCapHolders else { return true }
        return holders.contains(.agent(agent.name)) || holders.contains(.house)
            || agent.team.map { holders.contains(.team($0)) } ?? false
    }

    /// The freeze under which an agent may open no tunnel to a place, the widest first; nil where there is none.
    ///
    /// `gateways` are the gateways at the place, by name: their freezes count when all of them are frozen.
    package func freeze(of agent: String, at gateways: [String]) -> Freeze? {
        if let freeze = freezes[.everything] ?? freezes[.agent(agent)] { return freeze }
        let frozen = gateways.compactMap { freezes[.gateway($0)] }
        return frozen.count == gateways.count ? frozen.first : nil
    }
}
