package import Primitives

/// An agent as a request was admitted for it: it has to be the same still when something is signed for that request.
package struct AgentClaim: Sendable, Equatable {
    /// The agent's name.
    package let name: String
    /// When it was added: another agent may have the name by now.
    package let addedAt: Timestamp
    /// SHA-256 of the token that the request showed; nil where the kernel's word or a certificate stood for it.
    package let tokenHash: Bytes32?
    /// The generation of the books in which it was looked up.
    package let generation: UInt64

    /// Makes a claim.
    package init(_ agent: Agent, tokenHash: Bytes32?, generation: UInt64) {
        name = agent.name
        addedAt = agent.addedAt
        self.tokenHash = tokenHash
        self.generation = generation
    }

    /// Whether an agent of the books is the one that was looked up, by the same token.
    func isMet(by agent: Agent) -> Bool {
        agent.addedAt == addedAt && (tokenHash == nil || tokenHash == agent.tokenHash)
    }
}
