import Primitives
import Proxy
import TestSupport
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A local authority, and programs that trust it and speak TLS through the proxy.
final class TerminationPlace {
    let folder: TemporaryFolder
    let authority: CertificateAuthority
    /// The test's clock is real: the programs that verify have no other.
    let clock = FixedClock(Timestamp(seconds: Int64(time(nil))))

    init(hosts: [String]) throws {
        folder = try TemporaryFolder()
        authority = try CertificateAuthority(
            name: "local", hosts: hosts.compactMap { HostName($0) }, serial: [UInt8](repeating: 7, count: 16),
            at: clock.now().seconds)
        try SecureUpstream.makeCertificates(in: folder)
        _ = try folder.write(authority.certificatePEM(), to: "local.pem")
    }

    func termination(_ patterns: [String]) throws -> TLSTermination {
        try TLSTermination(
            authority: authority, hosts: patterns.compactMap { HostPattern($0) }, clock: clock,
            random: SeededRandom(seed: 3))
    }

    /// What openssl receives through the proxy for bytes that it sends inside TLS.
    func ask(_ text: String, of host: String, port: Int, through lab: Lab) throws -> String {
        _ = try folder.write(text.utf8, to: "request")
        let script = """
            cd \(folder.path) && openssl s_client -quiet -proxy 127.0.0.1:\(lab.port) -proxy_user scout \
              -proxy_pass pass:\(Lab.token) -connect \(host):\(port) -servername \(host) -CAfile local.pem \
              -verify_return_error -verify_hostname \(host) < request > answer 2> errors
            """
        _ = unsafe system(script)
        let answer = try folder.lines(of: "answer").joined(separator: "\n")
        return answer.isEmpty ? try folder.lines(of: "errors").joined(separator: "\n") : answer
    }

    /// What Python's `ssl` receives through the proxy for bytes that it sends inside TLS, and how that ended: `whole` with a
    /// close_notify, `broken` without.
    func askPython(_ text: String, of host: String, port: Int, through lab: Lab) throws -> (answer: String, end: String)
    {
        _ = try folder.write(text.utf8, to: "request")
        _ = try folder.write(Self.program.utf8, to: "program.py")
        let script = """
            cd \(folder.path) && python3 program.py \(lab.port) \(host) \(port) \(Lab.token) > answer 2> errors
            """
        guard unsafe system(script) == 0 else {
            return (try folder.lines(of: "errors").joined(separator: "\n"), "failed")
        }
        var lines = try folder.lines(of: "answer")
        let end = lines.popLast() ?? ""
        return (lines.joined(separator: "\n"), end)
    }

    /// A connection that is opened and answered inside TLS, by one's own choice of the name to ask for; each line it is told
    /// is sent inside, and what comes back is told.
    func open(_ text: String, of host: String, port: Int, naming name: String? = nil, through lab: Lab) throws
        -> Program
    {
        _ = try folder.write(text.utf8, to: "request")
        _ = try folder.write(Self.talker.utf8, to: "talker.py")
        return try Program([
            "python3", folder.path("talker.py"), folder.path, "\(lab.port)", "\(host):\(port)", name ?? host, Lab.token,
        ])
    }

    private static let talker = """
        import base64, os, socket, ssl, sys
        # Whoever holds the proxy's sockets too keeps connections open that the proxy has closed.
        os.closerange(3, 4096)
        folder, proxy, place, name, token = sys.argv[1:6]
        raw = socket.create_connection(("127.0.0.1", int(proxy)), timeout=20)
        login = base64.b64encode(f"scout:{token}".encode()).decode()
        lines = [f"CONNECT {place} HTTP/1.1", f"host: {place}", f"proxy-authorization: Basic {login}", "", ""]
        raw.sendall("\\r\\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\\r\\n\\r\\n"):
            head += raw.recv(1) or sys.exit("no tunnel")
        context = ssl.create_default_context(cafile=f"{folder}/local.pem")
        context.check_hostname = False
        sys.stdin.readline()
        try:
            peer = context.wrap_socket(raw, server_hostname=name or None)
            peer.sendall(open(f"{folder}/request", "rb").read())
            print(peer.recv(65536).decode().split("\\r\\n")[0], flush=True)
            for line in sys.stdin:
                peer.sendall(line.rstrip("\\n").encode())
                print(peer.recv(65536).decode(), flush=True)
        except ssl.SSLError as error:
            print("tls", error.reason, flush=True)
        """

    private static let program = """
        import base64, socket, ssl, sys
        proxy, host, port, token = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
        raw = socket.create_connection(("127.0.0.1", proxy), timeout=20)
        login = base64.b64encode(f"scout:{token}".encode()).decode()
        place = f"{host}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"host: {place}", f"proxy-authorization: Basic {login}", "", ""]
        raw.sendall("\\r\\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\\r\\n\\r\\n"):
            head += raw.recv(1) or sys.exit("no tunnel")
        context = ssl.create_default_context(cafile="local.pem")
        peer = context.wrap_socket(raw, server_hostname=host, suppress_ragged_eofs=False)
        peer.sendall(open("request", "rb").read())
        answer = b""
        try:
            while data := peer.recv(65536):
                answer += data
            end = "whole"
        except OSError:
            end = "broken"
        print(answer.decode())
        print(end)
        """
}
