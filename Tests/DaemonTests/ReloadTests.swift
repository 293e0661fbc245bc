import Ledger
import LedgerSQLite
import Logging
import NIOCore
import NIOPosix
import Policy
import Primitives
import TestSupport
import Testing

@testable import Daemon

/// A daemon that serves and is told to reload.
@Suite("Reloading the configuration")
struct ReloadTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory
    private let random = SeededRandom(seed: 5)
    private let log = RecordingLog()

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private static func configuration(_ gateways: String, more: String = "") -> String {
        """
        listen: 127.0.0.1:0
        \(more)
        gateways:
        \(gateways)
        wallets:
          main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
        """
    }

    private static let one = "  one: { url: http://127.0.0.1:1 }"
    private static let two = "  two: { url: http://127.0.0.1:1 }"

    /// Serves by a configuration while `body` changes files and has them read again.
    private func serve(
        _ configuration: String = ReloadTests.configuration(ReloadTests.one),
        _ body: @escaping @Sendable (RunningCase) async throws -> Void
    ) async throws {
        let wallets = WalletAdministration(state: state, random: random)
        _ = try StateInitialization(state: state, wallets: wallets).run(passphrase: nil, isLight: true)
        try state.writeConfiguration(configuration)
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        let token = try await AgentAdministration(ledger: ledger, clock: FixedClock(.vectors), random: random)
            .add(name: "scout", wallet: nil, team: nil, limits: [])
        try ledger.close()
        let (reloads, reload) = AsyncStream.makeStream(of: Void.self)
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        let state = state
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (failures, failure) = AsyncStream.makeStream(of: (any Error).self)
        try await Serving.serve(
            state.loadConfiguration(), state: state, clock: FixedClock(.vectors), random: random, logger: log.logger,
            ready: { ready.yield($0.port) }, reloads: reloads,
            untilAsked: {
                let port = await ports.first { _ in true } ?? 0
                do {
                    try await body(RunningCase(state: state, token: token, port: port, group: group, reload: reload))
                } catch {
                    failure.yield(error)
                }
            })
        try await group.shutdownGracefully()
        failure.finish()
        if let error = await failures.first(where: { _ in true }) { throw error }
    }

    struct RunningCase: Sendable {
        let state: StateDirectory
        let token: String
        let port: Int
        let group: MultiThreadedEventLoopGroup
        let reload: AsyncStream<Void>.Continuation

        /// Whether an agent's request at a path finds a gateway; none can be reached.
        func knows(_ gateway: String) async throws -> Bool {
            let fields = ["Authorization: Bearer \(token)"]
            return try await RawClient.send("GET", "/\(gateway)/x", fields, port: port, group: group).status != 404
        }

        /// Has the files read again and waits for the report.
        func reloaded(number: Int64 = 1) async throws -> ReloadReport {
            reload.yield()
            return try await state.reloadReport(number: number)
        }
    }

    @Test("gateways are swapped, and what waits for a restart is named")
    func swap() async throws {
        try await serve { daemon in
            #expect(try await daemon.knows("one"))
            #expect(try await !daemon.knows("two"))
            try daemon.state.writeConfiguration(
                Self.configuration(Self.two, more: "log-level: debug\nreplay: { memory: 2MiB }"))
            let report = try await daemon.reloaded()
            #expect(report.problem == nil && report.policy == nil)
            #expect(report.waiting == ["replay", "log-level"])
            #expect(try await daemon.knows("two"))
            #expect(try await !daemon.knows("one"))
        }
        #expect(log.lines.contains { $0.hasPrefix("notice: configuration reloaded gateways=1") })
    }

    @Test(
        "a file that serve would refuse changes nothing, and the next good one does",
        arguments: [
            (
                "gateways: { two: { url: nowhere } }\n", "", "gateways.two.url"
            ),
            (
                "gateways: { two: { url: http://127.0.0.1:1, credential: { file: missing.key } } }\n", "",
                "gateway two: "
            ),
            ("gateways: { two: { url: http://127.0.0.1:1 } }\n", "rules: 7\n", "policy.yaml"),
        ])
    func refused(configuration: String, policy: String, words: String) async throws {
        try await serve { daemon in
            try daemon.state.writeConfiguration(configuration)
            if !policy.isEmpty {
                try FileSystem.writeText(policy, to: daemon.state.policyFile, replacing: true)
            }
            let report = try await daemon.reloaded()
            #expect(report.problem?.contains(words) == true, "\(report)")
            #expect(try await daemon.knows("one"))
            #expect(try await !daemon.knows("two"))
            try FileSystem.remove(daemon.state.policyFile)
            try daemon.state.writeConfiguration(Self.configuration(Self.two))
            #expect(try await daemon.reloaded(number: 2).problem == nil)
            #expect(try await daemon.knows("two"))
        }
        #expect(log.lines.contains { $0.hasPrefix("error: configuration not reloaded, the one in force stays") })
    }

    @Test(
        "a policy that is renamed away while a reload comes stays in force, and is taken away by the operator's word only"
    )
    func policyAway() async throws {
        try await serve { daemon in
            let file = daemon.state.policyFile
            try FileSystem.writeText(PolicyFile.example, to: file, replacing: true)
            let hash = try await daemon.reloaded().policy
            #expect(hash != nil)
            try FileSystem.remove(file)
            try daemon.state.writeConfiguration(Self.configuration(Self.two))
            let report = try await daemon.reloaded(number: 2)
            #expect(report.problem?.contains("there is no \(file), and payments were decided by") == true, "\(report)")
            #expect(try await daemon.knows("one"))
            try daemon.state.writeConfiguration(Self.configuration(Self.two, more: "policy: none"))
            let meant = try await daemon.reloaded(number: 3)
            #expect(meant.problem == nil && meant.policy == nil)
            #expect(try await daemon.knows("two"))
        }
    }

    @Test("a policy that was written meanwhile is in force, and told by its hash")
    func policy() async throws {
        try await serve { daemon in
            try FileSystem.writeText(PolicyFile.example, to: daemon.state.policyFile, replacing: true)
            let table = try daemon.state.loadConfiguration().assets
            let hash = try daemon.state.loadPolicy(table, isNoneMeant: false)?.snapshot.hash
            #expect(try await daemon.reloaded().policy == hash?.description)
        }
    }

    @Test("what stands in the state directory is read back as it was written")
    func report() {
        var report = ReloadReport(process: 7, number: 3, at: "2026-11-25T00:00:00Z")
        report.configuration = ReloadReport.hash(of: "")
        report.waiting = ["listen", "wallets"]
        report.problem = "a \"problem\"\nof two lines"
        #expect(ReloadReport(report.text) == report)
        for text in ["", "{}", "[]", #"{"process":1}"#, #"{"process":99999999999,"number":1,"at":""}"#] {
            #expect(ReloadReport(text) == nil)
        }
    }

    @Test("each key that a reload cannot change is named when it differs")
    func differences() throws {
        let base = try read("listen: 127.0.0.1:1").get()
        let texts = [
            ("listen", "listen: 127.0.0.1:2"), ("metrics", "metrics: 127.0.0.1:9"), ("trust-file", "trust-file: c"),
            ("replay", "replay: { memory: 2MiB }"), ("kept-answers", "kept-answers: { time: 30s }"),
            ("log-level", "log-level: debug"),
            ("wallets", "wallets: { main: { keystore: k, passphrase-file: p, pay: [] } }"),
            ("chains", "chains: { \"eip155:42161\": { rpc: [http://127.0.0.1:1] } }"),
            (
                "assets",
                "assets: [{ network: eip155:99, address: 0x00000000000000000000000000000000000000aa, symbol: TST, "
                    + "decimals: 18, transfer: permit2, usd: 1 }]"
            ),
        ]
        for (key, text) in texts {
            let full = key == "listen" ? text : "listen: 127.0.0.1:1\n" + text
            #expect(base.differences(needingRestart: try read(full).get()) == [key])
        }
        let free = "listen: 127.0.0.1:1\nhosts: [a]\npeers: { \"uid:1\": scout }\nforward: { addresses: [\"::1\"] }"
        #expect(base.differences(needingRestart: try read(free).get()).isEmpty)
    }
}

extension StateDirectory {
    /// The report of a daemon's reload, once it is there.
    func reloadReport(number: Int64) async throws -> ReloadReport {
        for _ in 0..<500 {
            if let text = try? FileSystem.readText(reloadFile), let report = ReloadReport(text), report.number == number
            {
                return report
            }
            // The report is a file, as for the command that waits for it.
            try await Task.sleep(for: .milliseconds(10))
        }
        throw StartFailure("no report")
    }
}
