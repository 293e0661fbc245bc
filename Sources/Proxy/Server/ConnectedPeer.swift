import Transport

/// Who connected, by something better than a word of their own.
enum ConnectedPeer: Sendable {
    /// A program of this machine, by the kernel's word.
    case process(PeerIdentity)
    /// Whoever holds the key of a certificate, by the word of an authority that the operator named.
    case certificate(PeerCertificate)
}

extension ConnectedPeer: CustomStringConvertible {
    /// The same as `peers` would write it.
    var description: String {
        switch self {
        case .process(let identity): "uid:\(identity.user) gid:\(identity.group)"
        case .certificate(let certificate): PeerAgents.Peer.certificate(sha256: certificate.fingerprint).description
        }
    }

    /// The error text for a peer that `peers` maps to no agent.
    var notMapped: String {
        switch self {
        case .process(let identity):
            """
            No agent token was sent, and `peers` maps neither uid:\(identity.user) nor gid:\(identity.group) to an \
            agent.
            """
        case .certificate:
            """
            No agent token was sent, and `peers` maps neither the client certificate \(self) nor its names to exactly \
            one agent.
            """
        }
    }
}
