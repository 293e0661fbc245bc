/// Where to listen.
package enum ListeningPlace: Sendable, Hashable, CustomStringConvertible {
    /// An IP literal without brackets, or `localhost`, and a port; port 0 takes any.
    case address(host: String, port: Int)
    /// A file of a Unix socket, by its absolute path, with the permission bits that say who may connect.
    case socket(path: String, mode: UInt32)
    /// A socket that this process was started with, bound and listening already.
    case inherited(descriptor: Int32)

    /// The same as an operator knows it: `127.0.0.1:4020`, `unix:/run/purser.sock`.
    package var description: String {
        switch self {
        case .address(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path, _): "unix:\(path)"
        case .inherited(let descriptor): "descriptor \(descriptor)"
        }
    }
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
