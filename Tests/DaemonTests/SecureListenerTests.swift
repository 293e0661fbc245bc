import Ledger
import LedgerSQLite
import Logging
import Primitives
import TestSupport
import Testing

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The clock that certificates are verified by.
private struct RealClock: WallClock {
    func now() -> Timestamp { Timestamp(seconds: Int64(time(nil))) }
}

@Suite("A TLS listener of the daemon, from its configuration")
struct SecureListenerTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory
    private let random = SeededRandom(seed: 5)
    private let log = RecordingLog()

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private func configure(peers: String) throws {
        try state.writeConfiguration(
            """
            listen: [{ tls: "127.0.0.1:0", certificate: listener.pem }]
            peers: { \(peers) }
            gateways: { one: { url: http://127.0.0.1:1 } }
            wallets:
              main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
            """)
    }

    /// What curl is told by the daemon at a path: the code of a problem, or what curl says.
    private static func ask(_ folder: String, _ port: Int, _ certificate: String = "scout.pem") throws -> String {
        let script = """
            cd \(folder) && timeout 20 curl -sS --noproxy '*' --cacert scout.pem --cert \(certificate) \
              https://localhost:\(port)/one/x > answer 2>&1
            """
        _ = unsafe system(script)
        let text = try FileSystem.readText(folder + "/answer")
        return (try? JSONReader.read(Array(text.utf8)))?["code"]?.string ?? text
    }

    @Test("a certificate is its agent by `peers`, and mapping, certificate and authority change with a reload")
    func life() async throws {
        let wallets = WalletAdministration(state: state, random: random)
        _ = try StateInitialization(state: state, wallets: wallets).run(passphrase: nil, isLight: true)
        let authority = AgentAuthority(state: state, clock: RealClock(), random: SystemSources.random)
        let scout = try authority.issue(client: "scout", days: 1, to: folder.path("scout.pem"))
        _ = try authority.issue(server: ["localhost"], days: 1, to: folder.path("listener.pem"))
        _ = try authority.issue(server: ["other.test"], days: 20, to: folder.path("other.pem"))
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await ledger.add(
            Agent(name: "scout", wallet: nil, team: nil, tokenHash: .numbered(1), addedAt: .vectors),
            limits: [CapLimit(.lifetime, .cents(500))], by: "tester")
        try ledger.close()
        try configure(peers: "\"\(scout.peer)\": scout")
        let (reloads, reload) = AsyncStream.makeStream(of: Void.self)
        let (places, ready) = AsyncStream.makeStream(of: ServingPlaces.self)
        let (failures, failure) = AsyncStream.makeStream(of: (any Error).self)
        let suite = self
        try await Serving.serve(
            state.loadConfiguration(), state: state, clock: RealClock(), random: random, logger: log.logger,
            ready: { ready.yield($0) }, reloads: reloads,
            untilAsked: {
                do {
                    guard let place = await places.first(where: { _ in true }) else { throw StartFailure("no place") }
                    #expect(place.all == ["tls://127.0.0.1:\(place.port)"])
                    try await suite.go(through: place.port, reload)
                } catch {
                    failure.yield(error)
                }
            })
        failure.finish()
        if let error = await failures.first(where: { _ in true }) { throw error }
        #expect(log.lines.contains { $0.hasPrefix("warning: the certificate of a listener ends soon") })
    }

    private func go(through port: Int, _ reload: AsyncStream<Void>.Continuation) async throws {
        // Nobody is behind the gateway: whoever is told that was let through.
        #expect(try Self.ask(folder.path, port) == "gateway-unreachable")
        try configure(peers: "\"cert:dns:other\": scout")
        reload.yield()
        #expect(try await state.reloadReport(number: 1).problem == nil)
        #expect(try Self.ask(folder.path, port) == "peer-not-mapped")
        try configure(peers: "\"cert:dns:scout\": scout")
        reload.yield()
        #expect(try await state.reloadReport(number: 2).problem == nil)
        #expect(try Self.ask(folder.path, port) == "gateway-unreachable")
        // Half a file changes nothing.
        let listener = try FileSystem.readText(folder.path("listener.pem"))
        try FileSystem.writeText(
            String(listener.prefix(listener.count / 2)), to: folder.path("listener.pem"), replacing: true)
        try configure(peers: "")
        reload.yield()
        #expect(try await state.reloadReport(number: 3).problem?.contains("tls://127.0.0.1:0") == true)
        #expect(try Self.ask(folder.path, port) == "gateway-unreachable")
        // Another certificate, which curl does not take for localhost's.
        try FileSystem.writeText(
            try FileSystem.readText(folder.path("other.pem")), to: folder.path("listener.pem"), replacing: true)
        reload.yield()
        #expect(try await state.reloadReport(number: 4).problem == nil)
        #expect(try Self.ask(folder.path, port).contains("other.test") || Self.ask(folder.path, port).contains("SSL"))
        try FileSystem.writeText(listener, to: folder.path("listener.pem"), replacing: true)
        // Another authority: what the old one vouched for is nobody's.
        let elsewhere = try TemporaryFolder()
        _ = try AgentAuthority(
            state: StateDirectory(elsewhere.path), clock: RealClock(), random: SystemSources.random
        ).issue(client: "scout", days: 1, to: folder.path("stranger.pem"))
        #expect(try Self.ask(folder.path, port, "stranger.pem").contains("curl"))
        try FileSystem.writeText(
            try FileSystem.readText(elsewhere.path("agent-authority.pem")), to: folder.path("agent-authority.pem"),
            replacing: true)
        reload.yield()
        #expect(try await state.reloadReport(number: 5).problem == nil)
        #expect(try Self.ask(folder.path, port).contains("curl"))
        #expect(try Self.ask(folder.path, port, "stranger.pem") == "peer-not-mapped")
    }
}
