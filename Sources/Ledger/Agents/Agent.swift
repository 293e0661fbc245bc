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

/// The agents as of one generation: what the data plane needs to know who is calling.
package struct AgentRegistry: Sendable {
    /// Grows with every change of an agent, token or cap.
    package let generation: UInt64
    private let byTokenHash: [Bytes32: Agent]
    private let byName: [String: Agent]

    /// Makes a registry.
    package init(generation: UInt64, agents: [Agent]) {
        self.generation = generation
        byTokenHash = Dictionary(agents.map { ($0.tokenHash, $0) }, uniquingKeysWith: { first, _ in first })
        byName = Dictionary(agents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The agent whose token has this hash.
    package func agent(tokenHash: Bytes32) -> Agent? { byTokenHash[tokenHash] }

    /// The agent of that name.
    package func agent(named name: String) -> Agent? { byName[name] }
}
