import Transport

/// Which agent a program is that connects to a Unix socket without a token.
package struct PeerAgents: Sendable, Equatable {
    /// Whom the kernel names.
    package enum Peer: Hashable, Sendable, CustomStringConvertible {
        case user(UInt32)
        case group(UInt32)

        /// Reads `uid:1000` or `gid:1000`; nil for anything else and for the number of all whom nobody knows.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = UInt32(parts[1]), "\(number)" == parts[1],
                number != PeerIdentity.unknown, number != .max
            else { return nil }
            switch parts[0] {
            case "uid": self = .user(number)
            case "gid": self = .group(number)
            default: return nil
            }
        }

        /// The same as the configuration writes it.
        package var description: String {
            switch self {
            case .user(let number): "uid:\(number)"
            case .group(let number): "gid:\(number)"
            }
        }
    }

    /// The agents' names.
    package let agents: [Peer: String]

    /// Nobody is known without a token.
    package static let none = PeerAgents([:])

    /// Makes a table.
    package init(_ agents: [Peer: String]) {
        self.agents = agents
    }

    /// The agent of a peer: by its user, or else by its group.
    func agent(of peer: PeerIdentity) -> String? { agents[.user(peer.user)] ?? agents[.group(peer.group)] }
}
