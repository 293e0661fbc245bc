import Synchronization

/// Where to listen.
package enum ListeningPlace: Sendable, Hashable, CustomStringConvertible {
    /// An IP literal without brackets, or `localhost`, and a port; port 0 takes any.
    case address(host: String, port: Int)
    /// A file of a Unix socket, by its absolute path, with the permission bits that say who may connect.
    case socket(path: String, mode: UInt32)
    /// The same as an address, where TLS is spoken and clients show certificates.
    case secure(host: String, port: Int, identity: ListenerIdentity)
    /// A socket that this process was started with, bound and listening already.
    case inherited(descriptor: Int32)

    /// The same as an operator knows it: `127.0.0.1:4020`, `unix:/run/purser.sock`.
    package var description: String {
        switch self {
        case .address(let host, let port): Self.authority(host, port)
        case .secure(let host, let port, _): "tls://\(Self.authority(host, port))"
        case .socket(let path, _): "unix:\(path)"
        case .inherited(let descriptor): "descriptor \(descriptor)"
        }
    }

    private static func authority(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// What a place presents to its clients and demands of them: replaced as a whole, for the connections to come.
package final class ListenerIdentity: Sendable, Hashable {
    private let context: Mutex<TLSServerContext>

    /// Begins with one.
    package init(_ context: TLSServerContext) { self.context = Mutex(context) }

    /// The one that new connections get.
    package var current: TLSServerContext { context.withLock { $0 } }

    /// Puts another in its place; no connection ends for it.
    package func replace(with context: TLSServerContext) { self.context.withLock { $0 = context } }

    /// The same one, and not one that presents the same.
    package static func == (left: ListenerIdentity, right: ListenerIdentity) -> Bool { left === right }

    /// By which one it is.
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Why a place cannot be listened at.
package struct ListenFailure: Error, Equatable, Sendable {
    /// What stands against it.
    package enum Cause: Equatable, Sendable {
        /// The system refused; an `errno`.
        case system(Int32)
        /// Something that is no socket has the file's name.
        case notASocket
        /// Somebody listens at the file.
        case taken
        /// The path does not fit into a socket's address.
        case tooLong
        /// What was handed over is no listening stream socket of IP or of a file.
        case notListening
    }

    /// Where.
    package let place: ListeningPlace
    /// Why.
    package let cause: Cause

    /// Makes a failure.
    package init(_ place: ListeningPlace, _ cause: Cause) {
        self.place = place
        self.cause = cause
    }
}
