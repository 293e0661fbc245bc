import Primitives
import Proxy
import TestSupport
import Testing
import Transport

@Suite("Strangers that begin TLS handshakes", .mayBlock)
struct HandshakeFloodTests {
    /// Each line `flood NUMBER` replays one hello so often, each time on a new connection, and answers how many of them were
    /// answered with a key and how many with an alert alone.
    private static let program = #"""
        import socket, ssl, sys
        port = int(sys.argv[1])
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        output = ssl.MemoryBIO()
        try:
            context.wrap_bio(ssl.MemoryBIO(), output).do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = output.read()
        for line in sys.stdin:
            keys = alerts = 0
            for _ in range(int(line.split()[1])):
                with socket.create_connection(("127.0.0.1", port), timeout=15) as wire:
                    wire.sendall(hello)
                    first = wire.recv(1)
                    keys += first == b"\x16"
                    alerts += first == b"\x15"
            print(keys, alerts, flush=True)
        """#

    @Test("are answered with keys 128 times at once, and keep no agent out that was there before")
    func flood() async throws {
        let certificates = try AgentCertificates()
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(try certificates.options(), upstream) { lab async throws in
            _ = try certificates.folder.write(Self.program.utf8, to: "stranger.py")
            let port = try AgentCertificates.port(of: lab)
            let stranger = try Program(["python3", certificates.folder.path("stranger.py"), "\(port)"])
            let agents = try ["1.2", "1.3"].map { try certificates.python(.good, version: $0, to: lab) }
            for agent in agents {
                #expect(try agent.tell("new") == "full")
                // The ticket comes with the first answer.
                #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            }
            let clock = ContinuousClock()
            let start = clock.now
            var (keys, alerts) = (0, 0)
            for _ in 0..<4 {
                // The agents connect again while the address has nothing left.
                let counts = try stranger.tell("flood 300").split(separator: " ").compactMap { Int($0) }
                keys += counts[0]
                alerts += counts[1]
                for agent in agents {
                    #expect(try agent.tell("new") == "full")
                    #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
                }
            }
            let seconds = (clock.now - start) / .seconds(1)
            #expect(keys + alerts == 1200)
            // Whatever the machine's speed: 128, and 64 a second.
            #expect(Double(keys) <= 129 + 64 * seconds, "\(keys) in \(seconds) s")
        }
    }
}
