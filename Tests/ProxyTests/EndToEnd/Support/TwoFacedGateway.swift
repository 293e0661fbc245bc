import Primitives
import TestSupport
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A gateway in Python whose TLS goes wrong: at once, or from the second connection on.
final class TwoFacedGateway {
    enum Fault: String, CaseIterable {
        case expired
        case selfSigned
        case otherHost
        /// It speaks TLS 1.0 and nothing newer.
        case old
        /// It goes away in the middle of the handshake.
        case truncated

        /// What an agent is told.
        var words: String {
            switch self {
            case .expired: "certificate rejected for localhost: it has expired"
            case .selfSigned: "certificate rejected for localhost: it is self-signed"
            case .otherHost: "certificate rejected for localhost: it is for another name"
            case .old: "TLS handshake failed: tlsv1 alert protocol version"
            case .truncated: "connection closed during the TLS handshake"
            }
        }
    }

    let port: Int
    private let folder: TemporaryFolder
    private let program: Program

    /// The authority that vouches for it.
    var trustFile: String { folder.path("ca.pem") }

    /// `challenge` is the answer of its sound first connection, where there is to be one.
    init(_ fault: Fault, challenging challenge: String?) throws {
        folder = try TemporaryFolder()
        let now = Int64(time(nil))
        let serial = [UInt8](repeating: 5, count: 16)
        func authority() throws -> CertificateAuthority {
            try CertificateAuthority(name: "authority", hosts: [], serial: serial, at: now)
        }
        let trusted = try authority()
        _ = try folder.write(trusted.certificatePEM(), to: "ca.pem")
        for (name, host, start) in [
            ("good", "localhost", 0), ("expired", "localhost", -10 * 86_400), ("otherHost", "other.example", 0),
        ] as [(String, String, Int64)] {
            let issued = try trusted.issue(
                .server(hosts: [HostName(host)].compactMap { $0 }), serial: serial, from: now + start, for: 86_400)
            _ = try folder.write(issued.certificate + issued.key, to: "\(name).pem")
        }
        let stranger = try authority()
        _ = try folder.write(try stranger.certificatePEM() + stranger.keyPEM(), to: "selfSigned.pem")
        _ = try folder.write((challenge ?? "").utf8, to: "challenge")
        program = try Program(["python3", "-c", Self.script, folder.path, fault.rawValue])
        guard let port = Int(try program.tell("")) else { throw WireError.malformed("port") }
        self.port = port
    }

    private static let script = #"""
        import os, socket, ssl, sys
        folder, fault = sys.argv[1:3]
        def context(name):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.load_cert_chain(f"{folder}/{name}.pem")
            return made
        good = context("good")
        bad = context(fault if os.path.exists(f"{folder}/{fault}.pem") else "good")
        if fault == "old":
            bad.set_ciphers("ALL:@SECLEVEL=0")
            bad.minimum_version = bad.maximum_version = ssl.TLSVersion.TLSv1
        challenge = open(f"{folder}/challenge", "rb").read().replace(b"\r\n", b"\r\nconnection: close\r\n", 1)
        listener = socket.create_server(("127.0.0.1", 0))
        sys.stdin.readline()
        print(listener.getsockname()[1], flush=True)
        is_good = len(open(f"{folder}/challenge", "rb").read()) > 0
        while True:
            raw = listener.accept()[0]
            try:
                if not is_good and fault == "truncated":
                    raw.recv(65536)
                    raw.close()
                    continue
                peer = (good if is_good else bad).wrap_socket(raw, server_side=True)
                data = b""
                while not data.endswith(b"\r\n\r\nq"):
                    data += peer.recv(65536)
                peer.sendall(challenge)
                peer.unwrap()
            except OSError:
                pass
            is_good = False
            raw.close()
        """#
}
