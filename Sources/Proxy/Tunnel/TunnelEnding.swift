import Ledger
import Payments

/// Why a tunnel was ended that nobody had closed.
enum TunnelEnding: Equatable, Sendable {
    /// An operator froze its agent, its gateway or everything.
    case frozen(Freeze)
    /// Its agent is not in the books any more.
    case agentRemoved
    /// Its agent has another token now.
    case tokenReplaced
    /// `peers` no longer maps the user or the certificate that opened it to its agent.
    case peerNotMapped
    /// The client certificate of its connection, or one that vouches for it, is over.
    case certificateExpired
    /// The configuration has no such gateway any more.
    case gatewayRemoved
    /// The gateway's address, base path, key or billing is another.
    case gatewayChanged
    /// The gateway takes no switch to another protocol any more.
    case upgradesRefused
    /// No list in `forward.hosts` names its host for its agent any more.
    case hostNotListed
    /// The address that was dialled is not public, and `forward.addresses` does not list it any more.
    case addressRefused
    /// `forward.terminate` lists its host now and did not before, or the other way round.
    case terminationChanged
    /// The books refused to count a message of its agent.
    case messageNotCounted
    /// Its agent sent what is no WebSocket message, so messages could not be counted.
    case notWebSocket

    /// Why a tunnel ends whose message was not counted: often because its right has ended and no review has seen it yet.
    init(_ failure: MeteringFailure) {
        switch failure {
        case .refused(.frozen(let freeze)): self = .frozen(freeze)
        case .refused(.unknownAgent): self = .agentRemoved
        case .refused, .notBooked: self = .messageNotCounted
        }
    }

    /// The word for it in logs, metrics and `status`.
    var word: String {
        switch self {
        case .frozen: "frozen"
        case .agentRemoved: "agent-removed"
        case .tokenReplaced: "token-replaced"
        case .peerNotMapped: "peer-not-mapped"
        case .certificateExpired: "certificate-expired"
        case .gatewayRemoved: "gateway-removed"
        case .gatewayChanged: "gateway-changed"
        case .upgradesRefused: "upgrades-refused"
        case .hostNotListed: "host-not-listed"
        case .addressRefused: "address-refused"
        case .terminationChanged: "termination-changed"
        case .messageNotCounted: "message-not-counted"
        case .notWebSocket: "not-websocket"
        }
    }
}
