import COpenSSL

/// A certificate authority of this machine's own: it vouches for hosts whose TLS is ended here, to programs that were told to
/// trust it.
///
/// Times are seconds since the epoch, serial numbers 16 random bytes.
package final class CertificateAuthority: Sendable {
    private let certificate: Certificate
    private let key: KeyPair

    /// How long an authority is good for, in seconds: ten years.
    package static let validity: Int64 = 3650 * 86_400
    /// How long the certificate of a host is good for, in seconds: a week.
    package static let hostValidity: Int64 = 7 * 86_400
    /// How far back certificates begin, in seconds: other clocks may be behind.
    static let slack: Int64 = 3600

    /// Makes a new authority that may vouch for the given names only, and for what is below them; for any when there are
    /// none.
    package init(name: String, hosts: [HostName], serial: [UInt8], at now: Int64) throws(TLSError) {
        var extensions: [(number: Int32, value: String)] = [
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
            (NID_subject_key_identifier, "hash"),
        ]
        if !hosts.isEmpty {
            // An authority for names alone must not vouch for addresses either, and the other way around (RFC 5280
            // section 4.2.1.10): a form that is not mentioned is not constrained.
            var permitted = hosts.map { "permitted;" + Self.constraint($0) }
            if !hosts.contains(where: { $0.isAddress }) {
                permitted += ["excluded;IP:0.0.0.0/0.0.0.0", "excluded;IP:::/::"]
            }
            if hosts.allSatisfy(\.isAddress) { permitted.append("permitted;DNS:invalid") }
            extensions.append((NID_name_constraints, "critical," + permitted.joined(separator: ",")))
        }
        let key = try KeyPair()
        self.key = key
        certificate = try Certificate(
            Certificate.Content(
                name: name, serial: serial, notBefore: now - Self.slack, notAfter: now + Self.validity,
                extensions: extensions),
            of: key, issuer: nil, signedBy: key)
    }

    /// An authority as its files hold it: a certificate and its key, both in PEM.
    package init(certificate: [UInt8], key: [UInt8]) throws(TLSError) {
        self.certificate = try Certificate(pem: certificate)
        self.key = try KeyPair(pem: key)
        guard self.certificate.isFor(self.key) else {
            throw TLSError.configuration("the authority's key is not that of its certificate")
        }
    }

    private static func constraint(_ host: HostName) -> String {
        guard host.isAddress else { return "DNS:\(host.text)" }
        let all = host.text.contains(":") ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255"
        return "IP:\(host.text)/\(all)"
    }

    /// The certificate that programs are to trust, PEM.
    package func certificatePEM() throws(TLSError) -> [UInt8] { try certificate.pem() }

    /// The key, PEM without a passphrase.
    ///
    /// Whoever has it can pose as the authority's hosts to every program that trusts it: never log it.
    package func keyPEM() throws(TLSError) -> [UInt8] { try key.pem() }

    /// SHA-256 of the certificate's DER form.
    package var fingerprint: [UInt8] { certificate.fingerprint }

    /// When it ends; nil when its certificate does not say so readably.
    package var notAfter: Int64? { certificate.notAfter }

    /// What a certificate is for.
    package enum Purpose: Sendable {
        /// A client proves that it is somebody.
        case client(name: String)
        /// A server proves that it is reached by these hosts; at least one.
        case server(hosts: [HostName])

        fileprivate var name: String {
            switch self {
            case .client(let name): name
            // Words, so that no verifier takes it for a name of the host: those stand in the alternative names.
            case .server(let hosts): "Purser for \(hosts.first?.text ?? "nobody")"
            }
        }

        fileprivate var extensions: [(number: Int32, value: String)] {
            switch self {
            case .client(let name):
                [(NID_ext_key_usage, "clientAuth"), (NID_subject_alt_name, "DNS:\(name)")]
            case .server(let hosts):
                [
                    (NID_ext_key_usage, "serverAuth"),
                    (
                        NID_subject_alt_name,
                        hosts.map { ($0.isAddress ? "IP:" : "DNS:") + $0.text }.joined(separator: ",")
                    ),
                ]
            }
        }
    }

    /// A certificate and its new key, both in PEM.
    package struct Issued: Sendable {
        /// The certificate.
        package let certificate: [UInt8]
        /// Its key, without a passphrase: never log it.
        package let key: [UInt8]
        /// SHA-256 of the certificate's DER form.
        package let fingerprint: [UInt8]
        /// When it ends; nil where it does not say so readably.
        package let notAfter: Int64?
    }

    /// Makes a certificate with a key of its own, good for `seconds` but not longer than the authority.
    package func issue(
        _ purpose: Purpose, serial: [UInt8], from now: Int64, for seconds: Int64
    ) throws(TLSError) -> Issued {
        let key = try KeyPair()
        let leaf = try leaf(purpose, of: key, serial: serial, from: now, for: seconds)
        return Issued(
            certificate: try leaf.pem(), key: try key.pem(), fingerprint: leaf.fingerprint, notAfter: leaf.notAfter)
    }

    private func leaf(
        _ purpose: Purpose, of key: KeyPair, serial: [UInt8], from now: Int64, for seconds: Int64
    ) throws(TLSError) -> Certificate {
        try Certificate(
            Certificate.Content(
                name: purpose.name, serial: serial, notBefore: now - Self.slack,
                notAfter: min(now + seconds, certificate.notAfter ?? now),
                extensions: [
                    (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                    (NID_authority_key_identifier, "keyid:always"),
                ] + purpose.extensions),
            of: key, issuer: certificate, signedBy: self.key)
    }

    /// The key that a process presents for all hosts, made anew by each process.
    package struct HostKey: Sendable {
        let pair: KeyPair

        /// Makes a new key.
        package init() throws(TLSError) { pair = try KeyPair() }
    }

    /// A server's side of TLS for a host, with a certificate of a week.
    ///
    /// Throws ``TLSError/configuration(_:)`` for a host that the authority may not vouch for, or when it is over itself.
    package func serverContext(
        for host: HostName, key hostKey: HostKey, serial: [UInt8], at now: Int64
    ) throws(TLSError) -> TLSServerContext {
        let leaf = try leaf(
            .server(hosts: [host]), of: hostKey.pair, serial: serial, from: now, for: Self.hostValidity)
        if let fault = leaf.fault(trusting: certificate, host: host, at: now) {
            throw TLSError.configuration("the local authority cannot vouch for \(host.text): \(fault)")
        }
        return try TLSServerContext(leaf, key: hostKey.pair)
    }
}
