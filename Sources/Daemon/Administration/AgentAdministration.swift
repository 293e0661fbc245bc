package import Ledger
import Payments
package import Primitives
import SystemCrypto

/// What an operator does to agents; it works beside a running daemon, since both go through the ledger's file.
package struct AgentAdministration: Sendable {
    private let ledger: any LedgerStore
    private let clock: any WallClock
    private let random: any RandomSource

    /// Works on a ledger.
    package init(ledger: any LedgerStore, clock: any WallClock, random: any RandomSource) {
        self.ledger = ledger
        self.clock = clock
        self.random = random
    }

    /// Adds an agent and returns its token, of which only the hash is kept.
    ///
    /// `caps` has at most one for each window. Throws what the ledger throws, and ``RandomnessUnavailable``.
    package func add(name: String, wallet: String?, caps: [Cap]) async throws -> String {
        let token = AgentToken.make(random: try random.bytes32())
        try await ledger.add(
            Agent(name: name, wallet: wallet, tokenHash: Self.hash(token), caps: caps, addedAt: clock.now()))
        return token
    }

    /// Gives an agent a new token and returns it; the old one is dead from the next request.
    package func replaceToken(of name: String) async throws -> String {
        let token = AgentToken.make(random: try random.bytes32())
        try await ledger.replaceToken(of: name, hash: Self.hash(token))
        return token
    }

    /// All agents by name, with the use of their caps.
    package func overview() async throws(LedgerError) -> [AgentOverview] {
        var lines: [AgentOverview] = []
        for agent in try await ledger.agents() { lines.append(try await overview(of: agent)) }
        return lines
    }

    /// One agent with the use of its caps; throws `unknownAgent`.
    package func overview(of name: String) async throws(LedgerError) -> AgentOverview {
        guard let agent = try await ledger.agents().first(where: { $0.name == name }) else { throw .unknownAgent(name) }
        return try await overview(of: agent)
    }

    private func overview(of agent: Agent) async throws(LedgerError) -> AgentOverview {
        AgentOverview(
            name: agent.name, wallet: agent.wallet, addedAt: agent.addedAt,
            usage: try await ledger.usage(of: agent.name, at: clock.now()))
    }

    private static func hash(_ token: String) -> Bytes32 { SHA256.hash(Array(token.utf8)) }
}

/// An agent as operators see it.
package struct AgentOverview: Sendable, Equatable {
    /// The agent's name.
    package let name: String
    /// The wallet it is bound to; nil means the only one.
    package let wallet: String?
    /// When it was added.
    package let addedAt: Timestamp
    /// Its caps and their use, narrowest window first.
    package let usage: [CapUsage]
}
