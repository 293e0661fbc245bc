import Ledger
import Payments
import Transport

/// Who sends a request, before the books are asked about it.
enum Caller: Sendable {
    /// Whoever has this token.
    case token(AgentCredential)
    /// The agent of that name, as which the kernel's word or a certificate counts.
    case peer(ConnectedPeer, agent: String)

    /// The field that named the agent and does not travel on; nil where it is a list that others share.
    var field: FieldName? {
        guard case .token(let credential) = self, credential.field != .secWebSocketProtocol else { return nil }
        return credential.field
    }

    /// What else of the head has the agent's token.
    var copies: TokenCopies { if case .token(let credential) = self { credential.copies } else { .none } }

    /// The token, where there is one.
    var credential: AgentCredential? { if case .token(let credential) = self { credential } else { nil } }

    /// What an agent is told whom the books do not have.
    func unknown(status: Int) -> Problem {
        switch self {
        case .token: Problem(status: status, code: "unknown-token", detail: "No agent has this token.")
        case .peer(let peer, let agent):
            Problem(
                status: status, code: "peer-agent-unknown",
                detail: "`peers` says that \(peer) is agent \(agent): there is no such agent."
            )
        }
    }
}

extension AgentDirectory {
    /// Looks up who calls, without blocking.
    func agent(_ caller: Caller) -> LookUp {
        switch caller {
        case .token(let credential): agent(tokenHash: credential.hash)
        case .peer(_, let name): agent(named: name)
        }
    }
}

extension AgentRegistry {
    /// The agent who calls.
    func agent(_ caller: Caller) -> Agent? {
        switch caller {
        case .token(let credential): agent(tokenHash: credential.hash)
        case .peer(_, let name): agent(named: name)
        }
    }
}
