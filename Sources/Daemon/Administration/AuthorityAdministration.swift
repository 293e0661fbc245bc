import Ethereum
package import Primitives
import Proxy
import Transport

/// What an operator sees of the local certificate authority.
package struct AuthorityOverview: Sendable {
    /// The file that holds its certificate and its key.
    package let path: String
    /// SHA-256 of the certificate, in hex.
    package let fingerprint: String
    /// When it ends, Unix seconds; nil where its certificate does not say so readably.
    package let notAfter: Int64?
}

/// Makes, shows and hands out the authority in whose name TLS is ended for listed hosts.
///
/// Its key lies beside the certificate in one file that only its owner can read, without a passphrase: the daemon needs it
/// whenever it starts, and what it is good for ends at this machine's own trust stores and at the listed hosts.
package struct AuthorityAdministration: Sendable {
    private static let file = "authority.pem"
    private static let name = "Purser local authority"

    private let state: StateDirectory
    private let clock: any WallClock
    private let random: any RandomSource

    /// Works on a state directory.
    package init(state: StateDirectory, clock: any WallClock, random: any RandomSource) {
        self.state = state
        self.clock = clock
        self.random = random
    }

    /// Makes a new authority for the configuration's `forward.terminate`, and for no other host.
    ///
    /// `forAnyHost` leaves it free to vouch for every host. Throws ``OperatorMistake`` when no host is listed, or when one
    /// stands for all of them, and ``StateDirectoryError`` `exists` unless `replacing`.
    package func make(
        _ configuration: Configuration, forAnyHost: Bool, replacing: Bool
    ) throws -> AuthorityOverview {
        let hosts = try forAnyHost ? [] : Self.hosts(of: configuration)
        let serial = Array(try random.bytes32().bytes.prefix(16))
        let authority = try CertificateAuthority(
            name: Self.name, hosts: hosts, serial: serial, at: clock.now().seconds)
        let text = String(decoding: try authority.certificatePEM() + authority.keyPEM(), as: UTF8.self)
        try FileSystem.writeText(text, to: path, replacing: replacing)
        return overview(authority)
    }

    private static func hosts(of configuration: Configuration) throws -> [HostName] {
        let patterns = configuration.forward.terminate
        guard !patterns.isEmpty else {
            throw OperatorMistake(
                "`forward.terminate` lists no host: list those whose TLS is to be ended, or say --any-host")
        }
        return try patterns.map { pattern in
            guard let host = pattern.domain else {
                throw OperatorMistake(
                    "`\(pattern)` in `forward.terminate` stands for every host: say --any-host if that is meant")
            }
            return host
        }
    }

    /// The authority that is there; throws ``StateDirectoryError`` where there is none.
    package func overview() throws -> AuthorityOverview { overview(try load()) }

    /// The certificate that programs are to trust, in PEM.
    package func certificatePEM() throws -> [UInt8] { try load().certificatePEM() }

    func load() throws -> CertificateAuthority {
        let text = Array(try FileSystem.readText(path, isSecret: true).utf8)
        return try CertificateAuthority(certificate: text, key: text)
    }

    private var path: String { state.path(Self.file) }

    private func overview(_ authority: CertificateAuthority) -> AuthorityOverview {
        AuthorityOverview(
            path: path, fingerprint: Hex.encode(authority.fingerprint), notAfter: authority.notAfter)
    }
}

extension AuthorityAdministration {
    /// What ends TLS for the listed hosts; nil where none is listed.
    ///
    /// Throws ``StartFailure`` where there is no authority, or one that may not vouch for a listed host.
    func termination(_ configuration: Configuration) throws -> TLSTermination? {
        let patterns = configuration.forward.terminate
        guard !patterns.isEmpty else { return nil }
        do {
            let termination = try TLSTermination(
                authority: try load(), hosts: patterns, clock: clock, random: random)
            // Better now than when the first program asks.
            for host in patterns.compactMap(\.domain) { _ = try termination.context(for: host) }
            return termination
        } catch let error as StateDirectoryError {
            throw StartFailure("forward.terminate: \(error); `purser ca init` makes the authority that it needs")
        } catch let error as TLSError {
            throw StartFailure("forward.terminate: \(error); `purser ca init --replace` makes a new authority")
        }
    }
}
