package import Primitives
import Transport

/// A certificate that was made, as an operator is told of it.
package struct IssuedCertificate: Sendable {
    /// The file that holds its key, itself and the authority's certificate.
    package let path: String
    /// What `peers` calls it.
    package let peer: String
    /// When it ends, Unix seconds; nil where it does not say so readably.
    package let notAfter: Int64?
}

/// The local authority for listeners that speak TLS: it makes certificates for agents, and for the listeners themselves.
///
/// It is another one than that of ``AuthorityAdministration``, which programs trust for gateways' hosts. Its key lies beside
/// its certificate in a file that only its owner can read, and is made with the first certificate.
package struct AgentAuthority: Sendable {
    private static let file = "agent-authority.pem"
    private static let name = "Purser agent authority"
    /// How long a certificate is good for, in days, unless it is told otherwise.
    package static let days: Int64 = 365

    private let state: StateDirectory
    private let clock: any WallClock
    private let random: any RandomSource

    /// Works on a state directory.
    package init(state: StateDirectory, clock: any WallClock, random: any RandomSource) {
        self.state = state
        self.clock = clock
        self.random = random
    }

    /// Makes a certificate by which an agent proves who it is, and writes it with its key to a new file of mode 0600.
    ///
    /// Throws ``OperatorMistake`` for what can be no agent's name or no number of days, and ``StateDirectoryError`` `exists`
    /// rather than write over a file.
    package func issue(client agent: String, days: Int64, to path: String) throws -> IssuedCertificate {
        guard NameRule.isName(agent) else { throw OperatorMistake("`\(agent)` can be no agent's name") }
        return try issue(.client(name: agent), days: days, to: path)
    }

    /// Makes a certificate for a listener that is reached by these hosts, and writes it likewise.
    package func issue(server hosts: [String], days: Int64, to path: String) throws -> IssuedCertificate {
        let names = try hosts.map { text in
            guard let host = HostName(text) ?? HostName("[\(text)]") else {
                throw OperatorMistake("`\(text)` is neither a host's name nor an IP address")
            }
            return host
        }
        return try issue(.server(hosts: names), days: days, to: path)
    }

    private func issue(
        _ purpose: CertificateAuthority.Purpose, days: Int64, to path: String
    ) throws -> IssuedCertificate {
        guard (1...3650).contains(days) else { throw OperatorMistake("a certificate is good for 1 to 3650 days") }
        let authority = try loadOrMake()
        let issued = try authority.issue(
            purpose, serial: serial(), from: clock.now().seconds, for: days * 86_400)
        let text = String(decoding: issued.key + issued.certificate + (try authority.certificatePEM()), as: UTF8.self)
        try FileSystem.writeText(text, to: path, replacing: false)
        return IssuedCertificate(
            path: path, peer: "cert:sha256:\(Hex.encode(issued.fingerprint))", notAfter: issued.notAfter)
    }

    private func loadOrMake() throws -> CertificateAuthority {
        let known: [UInt8]
        do throws(StateDirectoryError) {
            known = try Self.certificatePEM(in: state)
        } catch .missing {
            let authority = try CertificateAuthority(
                name: Self.name, hosts: [], serial: try serial(), at: clock.now().seconds)
            let text = String(decoding: try authority.certificatePEM() + authority.keyPEM(), as: UTF8.self)
            try FileSystem.writeText(text, to: state.path(Self.file), replacing: false)
            return authority
        }
        return try CertificateAuthority(certificate: known, key: known)
    }

    private func serial() throws -> [UInt8] { Array(try random.bytes32().bytes.prefix(16)) }

    /// The file that holds its certificate, read as whoever trusts it does.
    static func certificatePEM(in state: StateDirectory) throws(StateDirectoryError) -> [UInt8] {
        Array(try FileSystem.readText(state.path(file), isSecret: true).utf8)
    }
}
