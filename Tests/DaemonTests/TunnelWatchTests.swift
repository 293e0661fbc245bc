import Ledger
import LedgerSQLite
import NIOCore
import NIOPosix
import Payments
import Primitives
import Proxy
import SystemCrypto
import Telemetry
import TestSupport
import Testing

@testable import Daemon

/// A daemon with an open tunnel, and changes that another process makes.
@Suite("A daemon's tunnels")
struct TunnelWatchTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory
    private let random = SeededRandom(seed: 5)
    private static let token = AgentToken.make(random: .numbered(7))

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private static func configuration(hosts: String) -> String {
        """
        listen: 127.0.0.1:0
        gateways: { one: { url: http://127.0.0.1:1 } }
        wallets:
          main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
        forward: { hosts: { house: [\(hosts)] }, addresses: [127.0.0.0/8] }
        """
    }

    /// What a test has in front of it: a daemon, a tunnel of its agent, and a handle of another process on the books.
    private struct Open: Sendable {
        let state: StateDirectory
        let ledger: SQLiteLedger
        let tunnel: any Channel
        let target: Int
        let reload: AsyncStream<Void>.Continuation

        /// What the daemon tells, once that is so.
        func report(_ isMeant: (TunnelReport) -> Bool) async throws -> TunnelReport? {
            for _ in 0..<500 {
                if let report = TunnelReport.read(in: state), isMeant(report) { return report }
                try await Task.sleep(for: .milliseconds(10))
            }
            return nil
        }
    }

    private func serve(_ body: @escaping @Sendable (Open) async throws -> Void) async throws {
        let wallets = WalletAdministration(state: state, random: random)
        _ = try StateInitialization(state: state, wallets: wallets).run(passphrase: nil, isLight: true)
        try state.writeConfiguration(Self.configuration(hosts: "\"127.0.0.1:*\""))
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await ledger.add(
            Agent(
                name: "scout", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(Self.token.utf8)),
                addedAt: .vectors), limits: [], by: "tester")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let host = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let target = host.localAddress?.port ?? 0
        let (reloads, reload) = AsyncStream.makeStream(of: Void.self)
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        let (failures, failure) = AsyncStream.makeStream(of: (any Error).self)
        let (state, log) = (state, RecordingLog())
        try await Serving.serve(
            state.loadConfiguration(), state: state, clock: FixedClock(.vectors), random: random, logger: log.logger,
            ready: { ready.yield($0.port) }, reloads: reloads,
            untilAsked: {
                do {
                    let port = await ports.first { _ in true } ?? 0
                    let tunnel = try await Self.tunnel(through: port, to: target, group)
                    try await body(
                        Open(state: state, ledger: ledger, tunnel: tunnel, target: target, reload: reload))
                } catch {
                    failure.yield(error)
                }
            })
        try ledger.close()
        try await group.shutdownGracefully()
        failure.finish()
        if let error = await failures.first(where: { _ in true }) { throw error }
        #expect(try !folder.entries().contains("tunnels.json"))
    }

    private static func tunnel(
        through port: Int, to target: Int, _ group: MultiThreadedEventLoopGroup
    ) async throws -> any Channel {
        let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get()
        let request =
            "CONNECT 127.0.0.1:\(target) HTTP/1.1\r\nhost: x\r\nproxy-authorization: Bearer \(token)\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: request))
        return channel
    }

    @Test("an open tunnel is told in a private file, ends within moments of a freeze, and the freeze hears of it")
    func freeze() async throws {
        let folder = folder
        try await serve { open in
            let report = try #require(try await open.report { !$0.open.isEmpty })
            #expect(
                report.open == [
                    TunnelReport.Row(
                        agent: "scout", kind: "tunnel", gateway: nil, host: "127.0.0.1:\(open.target)", count: 1)
                ])
            #expect(try folder.mode(of: "tunnels.json") == 0o600)
            #expect(
                try await open.ledger.freeze(Freeze(scope: .everything, since: .vectors, actor: "op", reason: nil)))
            let generation = open.ledger.currentGeneration
            #expect(await EndedTunnels.under(.everything, since: generation, in: open.state) == .ended(1))
            try await open.tunnel.closeFuture.get()
            let later = try #require(try await open.report { $0.open.isEmpty })
            #expect(later.ended == ["frozen": 1] && later.endedUnder == ["everything": 1])
            // A second freeze ends nothing more.
            #expect(
                try await open.ledger.freeze(
                    Freeze(scope: .agent("scout"), since: .vectors, actor: "op", reason: nil)))
            #expect(
                await EndedTunnels.under(.agent("scout"), since: open.ledger.currentGeneration, in: open.state)
                    == .ended(0))
        }
    }

    @Test("a token that another process replaced ends its tunnel")
    func token() async throws {
        try await serve { open in
            #expect(try await open.report { !$0.open.isEmpty } != nil)
            try await open.ledger.replaceToken(of: "scout", hash: .numbered(9), by: "op", at: .vectors)
            try await open.tunnel.closeFuture.get()
            #expect(try await open.report { $0.ended == ["token-replaced": 1] } != nil)
        }
    }

    @Test("a reload says how many tunnels it ended")
    func reload() async throws {
        try await serve { open in
            #expect(try await open.report { !$0.open.isEmpty } != nil)
            open.reload.yield()
            #expect(try await open.state.reloadReport(number: 1).tunnelsEnded == 0)
            try open.state.writeConfiguration(Self.configuration(hosts: "elsewhere.example"))
            open.reload.yield()
            #expect(try await open.state.reloadReport(number: 2).tunnelsEnded == 1)
            try await open.tunnel.closeFuture.get()
        }
    }

    @Test("a report is written and read again, and is another process's when it is")
    func text() throws {
        let tunnels = TunnelSnapshot(
            generation: 7,
            open: [
                .init(agent: "a", kind: "switched", gateway: "g", host: nil, count: 2),
                .init(agent: "b", kind: "tunnel", gateway: nil, host: "x\"y:1", count: 1),
            ], ended: ["frozen": 3], endedUnder: ["agent:b": 3])
        let report = TunnelReport(process: 12, at: "now", tunnels: tunnels)
        #expect(TunnelReport(report.text) == report)
        for text in ["", "{}", "[]", report.text.replacing("12", with: "\"12\"")] { #expect(TunnelReport(text) == nil) }
        try report.write(in: state)
        #expect(TunnelReport.read(of: 12, in: state) == report)
        #expect(TunnelReport.read(of: 13, in: state) == nil)
        // Nobody holds the lock.
        #expect(TunnelReport.read(in: state) == nil)
        let many = (0..<1500).map { number in
            TunnelSnapshot.Row(agent: "a", kind: "tunnel", gateway: nil, host: "h\(number):1", count: 1)
        }
        let long = TunnelReport(
            process: 1, at: "", tunnels: TunnelSnapshot(generation: 1, open: many, ended: [:], endedUnder: [:]))
        #expect(long.open.count == TunnelReport.rowLimit)
    }

    @Test("a scraper sees tunnels by agent, kind and gateway, and no host that an agent named")
    func metrics() {
        let registry = MetricsRegistry()
        func row(_ kind: String, _ gateway: String?, _ host: String?, _ count: Int) -> TunnelSnapshot.Row {
            TunnelSnapshot.Row(agent: "a", kind: kind, gateway: gateway, host: host, count: count)
        }
        let tunnels = TunnelSnapshot(
            generation: 1,
            open: [row("tunnel", nil, "x:1", 1), row("tunnel", nil, "y:1", 2), row("switched", "g", nil, 4)],
            ended: ["frozen": 3], endedUnder: [:])
        TunnelMetrics.show({ tunnels }, in: registry)
        #expect(
            registry.text == """
                # TYPE purser_tunnels_ended_total counter
                purser_tunnels_ended_total{reason="frozen"} 3
                # TYPE purser_tunnels_open gauge
                purser_tunnels_open{agent="a",gateway="",kind="tunnel"} 3
                purser_tunnels_open{agent="a",gateway="g",kind="switched"} 4

                """)
    }

    @Test("without a daemon nothing was open, and one that says nothing is not waited for without end")
    func silent() async throws {
        let ended = await EndedTunnels.under(.everything, since: 1, in: state)
        #expect(ended == .noDaemon)
        let lock = try StateLock(path: state.lockFile)
        #expect(await EndedTunnels.under(.everything, since: 1, in: state) == .untold)
        withExtendedLifetime(lock) {}
    }
}
