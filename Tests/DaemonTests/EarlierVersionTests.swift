import Audit
import Ethereum
import Ledger
import LedgerSQLite
import Logging
import NIOCore
import NIOPosix
import Policy
import Primitives
import Simulator
import SystemCrypto
import TestSupport
import Testing

@testable import Daemon

/// A copy of `Tests/Fixtures/version-0.1.0`, which version 0.1.0 wrote.
private struct EarlierState {
    /// The last entry of the books and its hash, as version 0.1.0 printed them.
    static let anchor = "108=0x54655e525a2beaf60bf212268d18cf2ca1bb57c5ea91c40b95af1b6714823d2c"
    private static let source = "Tests/Fixtures/version-0.1.0"

    let folder: TemporaryFolder
    let state: StateDirectory

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
        try state.create()
        for name in ["config.yaml", "policy.yaml", "ledger.sqlite", "main.pass", "evil.key", "wallets/main.json"] {
            try folder.write(Vectors.bytes(of: "\(Self.source)/\(name)"), to: name)
        }
    }

    /// The configuration with the ports of this test in place of those of the day.
    func configure(port: Int) throws {
        let text = try folder.lines(of: "config.yaml").joined(separator: "\n")
            .replacing("127.0.0.1:4920", with: "127.0.0.1:0")
            .replacing("http://127.0.0.1:8902", with: "http://127.0.0.1:\(port)")
        try state.writeConfiguration(text + "\n")
    }

    /// Adds the line to the policy that later versions ask for.
    func addDefault() throws {
        try folder.write(
            (folder.lines(of: "policy.yaml") + ["default: approve", ""]).joined(separator: "\n").utf8, to: "policy.yaml"
        )
    }

    /// The token of one of the agents.
    func token(of agent: String) throws -> String {
        let lines = String(decoding: try Vectors.bytes(of: "\(Self.source)/tokens"), as: UTF8.self).split(
            separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix(agent + " ") })
        return String(line.dropFirst(agent.count + 1))
    }

    /// What a full verification finds, with the anchor that version 0.1.0 printed.
    func verdict(on ledger: SQLiteLedger, at now: Timestamp) async throws -> LedgerVerdict {
        let audit = LedgerAudit(state: state, random: SeededRandom(seed: 3))
        return try await audit.verify(
            ledger, assets: state.loadConfiguration().assets, signers: audit.signers(),
            anchors: [try #require(JournalAnchor(Self.anchor))], at: now)
    }
}

@Suite("State of version 0.1.0")
struct EarlierVersionTests {
    /// A moment after the last entry of the books.
    private let now = Timestamp(seconds: 1_796_100_000)
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("the books of version 0.1.0 open and verify, up to the anchor that it printed")
    func verify() async throws {
        let earlier = try EarlierState()
        let ledger = try SQLiteLedger(path: earlier.state.ledgerFile)
        let verdict = try await earlier.verdict(on: ledger, at: now)
        #expect(verdict.isSound)
        #expect(verdict.report.coverage.lastDay == "2026-11-27")
        #expect(try await ledger.payments(PaymentFilter()).count == 43)
        try ledger.close()
    }

    @Test(
        "a daemon goes on with the state of version 0.1.0: agents, caps, wallet and policy hold, and books stay sound")
    func goesOn() async throws {
        let earlier = try EarlierState()
        let clock = FixedClock(now)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let simulator = try await GatewaySimulator.start(
            SimulatorOptions(payTo: Address(lastBytesOf: SeededRandom(seed: 4).bytes32())), clock: clock,
            random: SeededRandom(seed: 1),
            group: group)
        try earlier.configure(port: simulator.port)
        try earlier.addDefault()
        let (places, ready) = AsyncStream.makeStream(of: ServingPlaces.self)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let daemon = Task { [state = earlier.state, logger] in
            defer { ready.finish() }
            try await Serving.serve(
                state.loadConfiguration(), state: state, clock: clock, random: SeededRandom(seed: 2), logger: logger,
                ready: { ready.yield($0) }, untilAsked: { for await _ in ends {} })
        }
        if let port = await places.first(where: { _ in true })?.port {
            try await call(earlier, port: port, group: group)
        }
        end.finish()
        try await daemon.value
        let ledger = try SQLiteLedger(path: earlier.state.ledgerFile)
        let verdict = try await earlier.verdict(on: ledger, at: now)
        #expect(verdict.isSound)
        let payments = try await ledger.payments(PaymentFilter())
        #expect(payments.count == 45)
        try ledger.close()
        await simulator.stop()
        try await group.shutdownGracefully()
    }

    private func call(_ earlier: EarlierState, port: Int, group: MultiThreadedEventLoopGroup) async throws {
        let scout = DemonstrationClient(group: group, port: port, token: try earlier.token(of: "scout"))
        for (path, model) in [("/v1", "light"), ("/lab/v1", "flagship")] {
            let paid = try await scout.post(
                path + "/chat/completions",
                json: #"{"model":"simulator/\#(model)","messages":[{"role":"user","content":"hi"}]}"#)
            #expect(paid.status == 200 && paid.fields["purser-outcome"] == "settled")
        }
        let writer = DemonstrationClient(group: group, port: port, token: try earlier.token(of: "writer"))
        // The simulator answers 405: the call was let through and booked, by caps on the number of payments.
        #expect(try await writer.post("/prepaid/v1/models", json: "{}").status == 405)
    }
}
