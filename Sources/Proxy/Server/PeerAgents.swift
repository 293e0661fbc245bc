package import Transport

/// Which agent it is that connects without a token to a Unix socket, or with a certificate to a listener that speaks TLS.
package struct PeerAgents: Sendable, Equatable {
    /// Whom the kernel or a certificate names.
    package enum Peer: Hashable, Sendable, CustomStringConvertible {
        case user(UInt32)
        case group(UInt32)
        /// The one certificate of that SHA-256, 64 lower-case hexadecimal digits.
        case certificate(sha256: String)
        /// Every certificate with that name.
        case named(PeerCertificate.Name)

        /// Reads `uid:1000`, `gid:1000`, `cert:sha256:DIGITS`, or `cert:dns:`, `cert:uri:` or `cert:email:` with a name; nil
        /// for anything else and for the number of all whom nobody knows.
        package init?(_ text: String) {
            guard let colon = text.firstIndex(of: ":") else { return nil }
            let rest = text[text.index(after: colon)...]
            guard text[..<colon] != "cert" else {
                guard let peer = Self.certificate(rest) else { return nil }
                self = peer
                return
            }
            guard let number = UInt32(rest), "\(number)" == rest, number != PeerIdentity.unknown, number != .max
            else { return nil }
            switch text[..<colon] {
            case "uid": self = .user(number)
            case "gid": self = .group(number)
            default: return nil
            }
        }

        private static func certificate(_ text: Substring) -> Peer? {
            guard let colon = text.firstIndex(of: ":") else { return nil }
            let value = text[text.index(after: colon)...]
            switch text[..<colon] {
            case "sha256": return fingerprint(value).map { .certificate(sha256: $0) }
            case "dns": return HostName(value).flatMap { $0.isAddress ? nil : .named(.dns($0.text)) }
            case "uri": return isName(value) && value.contains(":") ? .named(.uri(String(value))) : nil
            case "email": return isName(value) && value.contains("@") ? .named(.email(String(value))) : nil
            default: return nil
            }
        }

        /// 32 bytes in hexadecimal digits, with or without colons between them, as openssl writes them.
        private static func fingerprint(_ text: Substring) -> String? {
            let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
            guard pairs.count == 1 || (pairs.count == 32 && pairs.allSatisfy { $0.utf8.count == 2 }) else { return nil }
            let digits = pairs.joined().lowercased()
            let isHex = digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x66 }
            return isHex && digits.utf8.count == 64 ? digits : nil
        }

        private static func isName(_ text: Substring) -> Bool {
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        }

        /// The same as the configuration writes it.
        package var description: String {
            switch self {
            case .user(let number): "uid:\(number)"
            case .group(let number): "gid:\(number)"
            case .certificate(let digits): "cert:sha256:\(digits)"
            case .named(.dns(let name)): "cert:dns:\(name)"
            case .named(.uri(let name)): "cert:uri:\(name)"
            case .named(.email(let name)): "cert:email:\(name)"
            }
        }

        /// Whether it says who somebody at a Unix socket is; a certificate's otherwise.
        package var isLocal: Bool {
            switch self {
            case .user, .group: true
            case .certificate, .named: false
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

    /// The agent of a peer: by its user or else by its group; by its certificate or else by the names in it, which is nobody
    /// where those are several agents'.
    func agent(of peer: ConnectedPeer) -> String? {
        switch peer {
        case .process(let identity):
            return agents[.user(identity.user)] ?? agents[.group(identity.group)]
        case .certificate(let certificate):
            if let agent = agents[.certificate(sha256: certificate.fingerprint)] { return agent }
            let named = Set(certificate.names.compactMap { agents[.named($0)] })
            return named.count == 1 ? named.first : nil
        }
    }
}
