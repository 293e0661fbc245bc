import Logging
import Proxy
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where a daemon accepts requests, as it is told to whoever started it.
package struct ServingPlaces: Sendable, Equatable {
    /// `127.0.0.1:4020`, `unix:/run/purser.sock`, in the configuration's order.
    package let all: [String]
    /// The first port; 0 where only files are listened at.
    package let port: Int
}

/// From what `listen` says to what is bound.
enum ListenerPlan {
    /// The places in the configuration's order; inherited sockets that no entry names are closed.
    ///
    /// Throws ``StartFailure`` for an entry that stands for nothing.
    static func places(
        of listeners: [Configuration.Listener], secure: SecureListeners, inherited: [InheritedSocket],
        path: (String) -> String, logger: Logger
    ) throws(StartFailure) -> [ListeningPlace] {
        var rest = inherited
        var places: [ListeningPlace] = []
        for listener in listeners {
            switch listener {
            case .address(let listen): places.append(.address(host: listen.host, port: listen.port))
            case .secure(let listen, _):
                guard let identity = secure.identity(of: listener) else { continue }
                places.append(.secure(host: listen.host, port: listen.port, identity: identity))
            case .socket(let file, let mode): places.append(.socket(path: path(file), mode: mode))
            case .systemd(let name):
                let chosen = rest.filter { name == nil || $0.name == name }
                guard !chosen.isEmpty else {
                    throw StartFailure(
                        "cannot listen on \(listener): systemd passed no such socket (FileDescriptorName= names one)")
                }
                rest.removeAll { chosen.contains($0) }
                places += chosen.map { .inherited(descriptor: $0.descriptor) }
            }
        }
        for socket in rest {
            logger.warning(
                "socket of systemd closed, since no `listen` entry names it", metadata: ["name": "\(socket.name)"])
            close(socket.descriptor)
        }
        return places
    }
}
