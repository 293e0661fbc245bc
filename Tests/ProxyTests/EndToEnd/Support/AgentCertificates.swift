import Primitives
import Proxy
import TestSupport
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An authority for agents, a listener's certificate, agents' certificates good and bad, and programs that show them.
final class AgentCertificates {
    let folder: TemporaryFolder
    let identity: ListenerIdentity
    let authority: CertificateAuthority
    private let listener: CertificateAuthority.Issued

    /// What an agent shows.
    enum Kind: String, CaseIterable {
        case good
        case second
        case none
        case foreign
        case expired
        case future
        /// A server's.
        case server
        case selfSigned

        /// Whether it proves anything.
        var isGood: Bool { self == .good || self == .second }
    }

    /// The programs that verify have no other clock.
    static var now: Int64 { Int64(time(nil)) }
    private static let serial = [UInt8](repeating: 9, count: 16)

    init() throws {
        folder = try TemporaryFolder()
        authority = try Self.makeAuthority()
        listener = try authority.issue(
            .server(hosts: ["localhost", "purser.test"].compactMap { HostName($0) }), serial: Self.serial,
            from: Self.now,
            for: 86_400)
        identity = ListenerIdentity(
            try TLSServerContext(chain: listener.certificate, key: listener.key, clients: authority.certificatePEM()))
        _ = try folder.write(authority.certificatePEM(), to: "ca.pem")
        let stranger = try Self.makeAuthority()
        for (kind, name, issuer, start, end) in [
            (Kind.good, "scout", authority, 0, 86_400), (.second, "other", authority, 0, 86_400),
            (.foreign, "scout", stranger, 0, 86_400), (.expired, "scout", authority, -10 * 86_400, 86_400),
            (.future, "scout", authority, 10 * 86_400, 86_400),
        ] as [(Kind, String, CertificateAuthority, Int64, Int64)] {
            try write(
                issuer.issue(.client(name: name), serial: Self.serial, from: Self.now + start, for: end), as: kind)
        }
        try write(listener, as: .server)
        _ = try folder.write(try stranger.certificatePEM() + stranger.keyPEM(), to: "selfSigned.pem")
    }

    private static func makeAuthority() throws -> CertificateAuthority {
        try CertificateAuthority(name: "agents", hosts: [], serial: serial, at: now)
    }

    private func write(_ issued: CertificateAuthority.Issued, as kind: Kind) throws {
        _ = try folder.write(issued.certificate + issued.key, to: "\(kind.rawValue).pem")
        _ = try folder.write(Hex.encode(issued.fingerprint).utf8, to: "\(kind.rawValue).sha256")
    }

    /// Presents the same, and believes others than before.
    func believe(_ other: CertificateAuthority) throws {
        identity.replace(
            with: try TLSServerContext(
                chain: listener.certificate, key: listener.key, clients: other.certificatePEM()))
    }

    /// What `peers` calls a certificate.
    func peer(_ kind: Kind) throws -> PeerAgents.Peer {
        .certificate(sha256: try folder.lines(of: "\(kind.rawValue).sha256").joined())
    }

    /// Where the proxy listens with them.
    var place: ListeningPlace { .secure(host: "127.0.0.1", port: 0, identity: identity) }

    /// Options of a lab that listens there and takes the good certificate for the agent.
    func options() throws -> Lab.Options {
        var options = Lab.Options()
        options.places = [place]
        options.peers = PeerAgents([try peer(.good): "scout"])
        return options
    }

    /// The port of the place in a lab.
    static func port(of lab: Lab) throws -> Int {
        guard case .secure(_, let port, _) = lab.places[1] else { throw WireError.malformed("place") }
        return port
    }

    // MARK: Programs

    /// What openssl receives and says, for bytes that it sends.
    ///
    /// `options` come last; `pause` is how many seconds pass before the bytes are sent, and again before they end.
    func openssl(_ input: String, _ kind: Kind, _ options: String = "", pause: Double = 0, to lab: Lab) throws -> String
    {
        _ = try folder.write(input.utf8, to: "input")
        let certificate = kind == .none ? "" : "-cert \(kind.rawValue).pem -key \(kind.rawValue).pem"
        let script = """
            cd \(folder.path) && (sleep \(pause); cat input; sleep \(pause)) |
              timeout 20 openssl s_client -ign_eof -connect 127.0.0.1:\(try Self.port(of: lab)) \
              -servername localhost -CAfile ca.pem -verify_return_error \(certificate) \(options) > answer 2>&1
            """
        _ = unsafe system(script)
        return try folder.lines(of: "answer").joined(separator: "\n")
    }

    /// What curl receives.
    func curl(_ arguments: String) throws -> String {
        _ = unsafe system("cd \(folder.path) && timeout 20 curl -sS --noproxy '' \(arguments) > answer 2>&1")
        return try folder.lines(of: "answer").joined(separator: "\n")
    }

    /// A connection of Python's `ssl`, driven line by line.
    func python(_ kind: Kind, version: String = "1.3", to lab: Lab) throws -> Program {
        _ = try folder.write(Self.program.utf8, to: "agent.py")
        return try Program(
            ["python3", folder.path("agent.py"), "\(try Self.port(of: lab))", folder.path, kind.rawValue, version])
    }

    /// Commands of one line each, each answered with one line: `send TEXT` and `ask PATH FIELD…`; `new` connects again, with
    /// the session of before; `cut` drops the connection without a goodbye; `read` reads to the end.
    private static let program = #"""
        import os, socket, ssl, sys
        port, folder, kind, version = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
        context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
        if kind != "none":
            context.load_cert_chain(f"{folder}/{kind}.pem")
        peer = None
        def connect(session=None):
            raw = socket.create_connection(("127.0.0.1", port), timeout=15)
            return context.wrap_socket(raw, server_hostname="localhost", session=session, suppress_ragged_eofs=False)
        def answer():
            data = b""
            while b"\r\n\r\n" not in data:
                piece = peer.recv(65536)
                if not piece:
                    return "end"
                data += piece
            head, body = data.split(b"\r\n\r\n", 1)
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += peer.recv(65536)
            return head.split(b" ")[1].decode() + " " + body.decode()
        for line in sys.stdin:
            word, rest = line.rstrip("\n").partition(" ")[::2]
            try:
                if word == "new":
                    session = peer.session if peer else None
                    peer = connect(session)
                    result = "resumed" if peer.session_reused else "full"
                elif word == "ask":
                    path, *fields = rest.split("|")
                    if not any(field.startswith("host:") for field in fields):
                        fields.append(f"host: localhost:{port}")
                    peer.sendall("\r\n".join([f"GET {path} HTTP/1.1", *fields, "", ""]).encode())
                    result = answer()
                elif word == "send":
                    peer.sendall(rest.encode().decode("unicode_escape").encode())
                    result = "sent"
                elif word == "cut":
                    socket.close(peer.detach())
                    result = "cut"
                elif word == "read":
                    data = b""
                    while piece := peer.recv(65536):
                        data += piece
                    result = "whole " + repr(data)
            except ssl.SSLError as error:
                result = "tls " + str(error.reason)
            except OSError as error:
                result = "error " + type(error).__name__
            print(result.replace("\n", " "), flush=True)
        """#
}

/// A child that answers each line with a line.
final class Program {
    private let identifier: pid_t
    private let wire: Wire

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw WireError.system(errno)
        }
        // Later children must not inherit the end of this one.
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var child: pid_t = 0
        let code = unsafe posix_spawnp(&child, arguments[0], &actions, nil, &words, environ)
        for index in unsafe words.indices { unsafe free(words[index]) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        guard code == 0 else { throw WireError.system(code) }
        identifier = child
        wire = Wire(descriptor: ends[0])
    }

    deinit {
        wire.close()
        kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    /// Tells it a line and reads its answer.
    @discardableResult
    func tell(_ line: String) throws -> String {
        try say(line)
        return try hear()
    }

    /// Tells it a line whose answer is waited for later.
    func say(_ line: String) throws { try wire.send(line + "\n") }

    /// Waits for its next answer.
    func hear() throws -> String {
        var answer: [UInt8] = []
        while true {
            let byte = try wire.read(1)
            if byte == [10] { return String(decoding: answer, as: UTF8.self) }
            answer += byte
        }
    }
}
