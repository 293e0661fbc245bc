extension Configuration {
    /// One entry of `listen`.
    package enum Listener: Sendable, Hashable, CustomStringConvertible {
        /// An address and a port.
        case address(Listen)
        /// A Unix socket: its file, and the permission bits that say who may connect.
        case socket(path: String, mode: UInt32)
        /// An address and a port where TLS is spoken and clients show certificates.
        case secure(Listen, TLSFiles)
        /// The sockets that systemd hands over: those of a name, or all.
        case systemd(name: String?)

        /// What a listener that speaks TLS is and whom it believes, as paths of files in PEM.
        package struct TLSFiles: Sendable, Hashable {
            /// Its certificate, and those that lead from it to one that programs trust.
            package let certificate: String
            /// The certificate's key; the same file may hold both.
            package let key: String
            /// Whose word for a client counts; nil for the local authority of `purser ca client`.
            package let clients: String?

            /// Names files.
            package init(certificate: String, key: String, clients: String?) {
                self.certificate = certificate
                self.key = key
                self.clients = clients
            }
        }

        /// The permission bits of a socket's file unless it is told otherwise: the daemon's own user.
        package static let standardMode: UInt32 = 0o600
        /// What those bits may be.
        static let modes: [String: UInt32] = ["0600": 0o600, "0660": 0o660]

        /// Reads `127.0.0.1:4020`, `unix:PATH`, `systemd` or `systemd:NAME`; nil for anything else.
        package init?(_ text: String) {
            if text == "systemd" {
                self = .systemd(name: nil)
            } else if text.hasPrefix("systemd:") {
                let name = text.dropFirst("systemd:".count)
                guard !name.isEmpty, !name.contains(":") else { return nil }
                self = .systemd(name: String(name))
            } else if text.hasPrefix("unix:") {
                guard text.count > "unix:".count else { return nil }
                self = .socket(path: String(text.dropFirst("unix:".count)), mode: Self.standardMode)
            } else {
                guard let listen = Listen(text) else { return nil }
                self = .address(listen)
            }
        }

        /// The entry as the file writes it, without the mode.
        package var description: String {
            switch self {
            case .address(let listen): listen.description
            case .socket(let path, _): "unix:\(path)"
            case .secure(let listen, _): "tls://\(listen)"
            case .systemd(let name): name.map { "systemd:\($0)" } ?? "systemd"
            }
        }
    }
}
