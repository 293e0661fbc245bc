package import Ledger
import Payments
package import Primitives
import SystemCrypto

/// What an operator does to agents; it works beside a running daemon, since both go through the ledger's file.
package struct AgentAdministration: Sendable {
    private let ledger: any LedgerStore
    private let clock: any WallClock
    private let random: any RandomSource
    private let actor: String

    /// Works on a ledger in the name of `actor`.
    package init(
        ledger: any LedgerStore, clock: any WallClock, random: any RandomSource, actor: String = Operator.name
    ) {
        self.ledger = ledger
        self.clock = clock
        self.random = random
        self.actor = actor
    }

    /// Adds an agent and returns its token, of which only the hash is kept.
    ///
    /// `limits` has at most one for each window and measure. Throws what the ledger throws, and
    /// ``RandomnessUnavailable``.
    package func add(name: String, wallet: String?, team: String?, limits: [CapLimit]) async throws -> String {
        let token = AgentToken.make(random: try random.bytes32())
        try await ledger.add(
            Agent(name: name, wallet: wallet, team: team, tokenHash: Self.hash(token), addedAt: clock.now()),
            limits: limits, by: actor)
        return token
    }

    /// Gives an agent a new token and returns it; the old one is dead from the next request.
    package func replaceToken(of name: String) async throws -> String {
        let token = AgentToken.make(random: try random.bytes32())
        try await ledger.replaceToken(of: name, hash: Self.hash(token), by: actor, at: clock.now())
        return token
    }

    /// Removes an agent, its token and its own caps.
    package func remove(_ name: String) async throws(LedgerError) {
        try await ledger.removeAgent(name, by: actor, at: clock.now())
    }

    /// Puts an agent into a team, or into none.
    package func setTeam(_ team: String?, of name: String) async throws(LedgerError) {
        try await ledger.setTeam(team, of: name, by: actor, at: clock.now())
    }

    /// All agents by name, each with the use of the caps that count its payments.
    package func overview() async throws(LedgerError) -> [AgentOverview] {
        let rulebook = try await ledger.rulebook()
        let usage = try await ledger.usage(at: clock.now())
        return rulebook.agents.values.sorted { $0.name < $1.name }.map { agent in
            let keys = Set(rulebook.caps(of: agent).map(\.key))
            return AgentOverview(
                agent: agent, freeze: rulebook.freezes[.agent(agent.name)],
                usage: usage.filter { keys.contains($0.cap.key) })
        }
    }

    /// One agent with the use of the caps that count its payments; throws `unknownAgent`.
    package func overview(of name: String) async throws(LedgerError) -> AgentOverview {
        let rulebook = try await ledger.rulebook()
        guard let agent = rulebook.agents[name] else { throw .unknownAgent(name) }
        return AgentOverview(
            agent: agent, freeze: rulebook.freezes[.agent(name)],
            usage: try await ledger.usage(of: name, at: clock.now()))
    }

    private static func hash(_ token: String) -> Bytes32 { SHA256.hash(Array(token.utf8)) }
}

/// An agent as operators see it.
package struct AgentOverview: Sendable, Equatable {
    /// The agent.
    package let agent: Agent
    /// Its own freeze, where it is frozen.
    package let freeze: Freeze?
    /// The caps that count its payments and their use, narrowest first.
    package let usage: [CapUsage]

    /// The caps on the agent as a whole.
    package var own: [CapUsage] { usage.filter { $0.cap.scope.holder == .agent(agent.name) } }
}
