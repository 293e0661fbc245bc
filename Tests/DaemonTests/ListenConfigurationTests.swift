import Logging
import Proxy
import TestSupport
import Testing
import Transport

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Configuration: where to listen, and who connects")
struct ListenConfigurationTests {
    private static let digits = String(repeating: "0a", count: 32)

    @Test("one place or several, of every kind")
    func listeners() throws {
        #expect(try read("listen: unix:agents.sock").get().listen == [.socket(path: "agents.sock", mode: 0o600)])
        let configuration = try read(
            """
            listen:
              - 127.0.0.1:0
              - "[::1]:4020"
              - unix:/run/purser/a.sock
              - { unix: b.sock, mode: 0660 }
              - { tls: "0.0.0.0:4443", certificate: listener.pem }
              - { tls: "[::]:443", certificate: c.pem, key: k.pem, client-ca: a.pem }
              - systemd:web
              - systemd:agents
            peers: { "uid:1000": scout, "gid:0": writer, "cert:dns:Scout.example": scout, "cert:sha256:\(Self.digits)": other }
            """
        ).get()
        #expect(
            configuration.listen == [
                .address(.init(host: "127.0.0.1", port: 0)), .address(.init(host: "::1", port: 4020)),
                .socket(path: "/run/purser/a.sock", mode: 0o600), .socket(path: "b.sock", mode: 0o660),
                .secure(
                    .init(host: "0.0.0.0", port: 4443),
                    .init(certificate: "listener.pem", key: "listener.pem", clients: nil)),
                .secure(
                    .init(host: "::", port: 443), .init(certificate: "c.pem", key: "k.pem", clients: "a.pem")),
                .systemd(name: "web"), .systemd(name: "agents"),
            ])
        #expect(
            configuration.peers
                == PeerAgents([
                    .user(1000): "scout", .group(0): "writer", .named(.dns("scout.example")): "scout",
                    .certificate(sha256: Self.digits): "other",
                ]))
        #expect(try read("").get().peers == .none)
    }

    @Test(
        "mistakes are told by line and key",
        arguments: [
            ("listen: []", "listen", "there has to be one entry at least"),
            ("listen: [4020]", "listen[0]", "`4020` is not an IP address"),
            ("listen: \"unix:\"", "listen", "nor `unix:PATH`"),
            ("listen: \"systemd:\"", "listen", "nor `unix:PATH`, `systemd` or `systemd:NAME`"),
            ("listen: systemd:a:b", "listen", "`systemd:a:b` is not"),
            ("listen: [{ unix: s, mode: 0666 }]", "listen[0].mode", "`0666` is not `0600` or `0660`"),
            ("listen: [{ mode: 0600 }]", "listen[0].unix", "this key is required"),
            ("listen: [{ unix: s, group: x }]", "listen[0].group", "there is no such key here"),
            ("listen: [127.0.0.1:1, 127.0.0.1:1]", "listen[1]", "stands in the list already"),
            ("listen: [unix:s, { unix: s, mode: 0660 }]", "listen[1]", "stands in the list already"),
            ("listen: [systemd:x, systemd]", "listen[1]", "stands in the list already"),
            ("listen: [{ tls: \"0.0.0.0:1\" }]", "listen[0].certificate", "this key is required"),
            ("listen: [{ tls: \"example:1\", certificate: c }]", "listen[0].tls", "is not an IP address"),
            (
                "listen: [{ tls: \"0.0.0.0:1\", certificate: c, mode: 0600 }]", "listen[0].mode",
                "there is no such key here"
            ),
            (
                "listen: [127.0.0.1:1, { tls: \"127.0.0.1:1\", certificate: c }]", "listen[1]",
                "stands in the list already"
            ),
            ("peers: { \"cert:sha256:00\": scout }", "peers.cert:sha256:00", "`cert:sha256:DIGITS`"),
            ("peers: { \"cert:dns:*.example\": scout }", "peers.cert:dns:*.example", "`cert:dns:NAME`"),
            (
                "peers: { \"cert:dns:a.example\": scout, \"cert:dns:A.example\": other }", "peers.cert:dns:A.example",
                "stands here already"
            ),
            ("peers: { root: scout }", "peers.root", "is not `uid:NUMBER`, `gid:NUMBER`"),
            ("peers: { \"uid:65534\": scout }", "peers.uid:65534", "65534 is whoever has no number here"),
            ("peers: { \"uid:4294967295\": scout }", "peers.uid:4294967295", "is not `uid:NUMBER`"),
            ("peers: { \"uid:01\": scout }", "peers.uid:01", "is not `uid:NUMBER`"),
            ("peers: { \"uid:1\": Scout }", "peers.uid:1", "can be no agent's name"),
        ])
    func mistakes(text: String, key: String, words: String) throws {
        guard case .failure(let errors) = try read(text) else {
            Issue.record("\(text) was accepted")
            return
        }
        #expect(errors.mistakes.map(\.key) == [key])
        #expect(errors.mistakes[0].message.contains(words), "\(errors)")
    }

    @Test("sockets of systemd go to the entries that name them; what is missing or left over is told")
    func plan() throws {
        let inherited = [
            InheritedSocket(name: "web", descriptor: 100_900), InheritedSocket(name: "agents", descriptor: 100_901),
        ]
        let log = RecordingLog()
        func places(_ listeners: [Configuration.Listener]) throws -> [ListeningPlace] {
            let secure = try SecureListeners(listeners, state: StateDirectory("/state"))
            return try ListenerPlan.places(
                of: listeners, secure: secure, inherited: inherited, path: { "/state/" + $0 }, logger: log.logger)
        }
        #expect(
            try places([.systemd(name: "agents"), .socket(path: "s", mode: 0o600), .systemd(name: "web")]) == [
                .inherited(descriptor: 100_901), .socket(path: "/state/s", mode: 0o600),
                .inherited(descriptor: 100_900),
            ])
        #expect(try places([.systemd(name: nil)]).count == 2)
        #expect(log.lines.isEmpty)
        #expect(throws: StartFailure.self) { try places([.systemd(name: "other")]) }
        _ = try places([.systemd(name: "web")])
        #expect(log.lines.count == 1 && log.lines[0].contains("agents"))
    }
}
