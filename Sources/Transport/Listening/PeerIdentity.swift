package import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Who connected to a Unix socket, by the kernel's word: the effective user and group at that moment.
///
/// Whoever is handed the connection later speaks as the one who made it.
package struct PeerIdentity: Sendable, Hashable {
    /// The user's number.
    package let user: UInt32
    /// The number of the effective group; supplementary groups are not told.
    package let group: UInt32

    /// What users and groups of other namespaces look like that have no number here (user_namespaces(7)).
    package static let unknown: UInt32 = 65_534

    /// Makes an identity.
    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// Asks who connected; fails where the system does not tell.
    package static func ofPeer(of channel: any Channel) -> EventLoopFuture<PeerIdentity> {
        #if os(Linux)
        if let options = channel as? any SocketOptionProvider {
            let credentials: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
                level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
            return credentials.map { PeerIdentity(user: $0.user, group: $0.group) }
        }
        #endif
        return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    /// `struct ucred` of unix(7).
    private struct Credentials {
        let process: Int32
        let user: UInt32
        let group: UInt32
    }
}
