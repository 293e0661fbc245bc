import NIOCore
import Primitives

/// A connection of an agent among those of all agents.
extension AgentConnection {
    /// Another agent lacks its share of the connections: this one serves no other request, and a request that makes no
    /// progress ends with it, unless a payment of it is reserved or sent.
    func takenBack() {
        isEnded = true
        switch phase {
        case .handshake, .head, .waiting, .lingering, .closed: context?.close(promise: nil)
        case .body, .answering: exchange?.takenBack(from: "connections")
        case .identifying, .opening: break
        }
    }

    /// What an agent is told that may not have the connection on which it has shown its token; nil where it may.
    func refusal(of agent: String) -> Problem? {
        switch shared.identify(place, as: agent) {
        case .admitted: nil
        case .overLimit: .tooManyConnections(of: agent, limit: rules.connections.perAgent)
        case .overShare: .connectionsShared(with: agent)
        }
    }
}
