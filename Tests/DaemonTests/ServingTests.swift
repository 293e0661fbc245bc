import Audit
import Ethereum
import Ledger
import LedgerSQLite
import Logging
import Payments
import Policy
import Primitives
import Proxy
import TestSupport
import Testing

@testable import Daemon

struct ServingTests {
    let folder: TemporaryFolder
    let state: StateDirectory
    let random = SeededRandom(seed: 5)

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private static let configuration = """
        listen: 127.0.0.1:0
        gateways:
          lab: { url: http://127.0.0.1:1, unproven: release-at-expiry }
          other: { url: http://127.0.0.1:1 }
        wallets:
          main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
        """

    /// Books of a day that is over, with a payment at each gateway that nobody accounts for.
    private func fill() async throws {
        let wallets = WalletAdministration(state: state, random: random)
        _ = try StateInitialization(state: state, wallets: wallets).run(passphrase: nil, isLight: true)
        try state.writeConfiguration(Self.configuration)
        let payer = try #require(wallets.overview(state.loadConfiguration().wallets).first?.address)
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        for (number, gateway) in [(1, "lab"), (2, "other")] as [(UInt64, String)] {
            try await ledger.reserve(.sample(number, gateway: gateway, payer: payer), at: .vectors)
        }
        try ledger.close()
    }

    @Test("a daemon closes what is overdue as each gateway is set, and signs the day that is over")
    func housekeeping() async throws {
        try await fill()
        let now = Timestamp.vectors.adding(seconds: 2 * 86_400)
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await Serving.serve(
            state.loadConfiguration(), state: state, clock: FixedClock(now), random: random,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, ready: { _ in },
            untilAsked: {
                for _ in 0..<500 {
                    let signed = try? await ledger.read { (snapshot) throws(LedgerError) in
                        try snapshot.newestEntries(of: .checkpoint, limit: 1).first
                    }
                    if signed != nil { return }
                    try? await Task.sleep(for: .milliseconds(10))
                }
            })
        let states = try await ledger.payments(PaymentFilter()).reversed().map(\.state)
        #expect(states == [.lapsed, .presumed])
        let checkpoint = try await ledger.read { (snapshot) throws(LedgerError) in
            try snapshot.newestEntries(of: .checkpoint, limit: 1).first.flatMap { Checkpoint($0.line) }
        }
        #expect(checkpoint?.statement.day == "2026-11-22")
        let audit = LedgerAudit(state: state, random: random)
        let signers = try #require(try audit.signers())
        #expect(signers.map(\.checksummed) == [checkpoint?.signer])
        let verdict = try await audit.verify(
            ledger, assets: try state.loadConfiguration().assets, signers: signers, at: now)
        #expect(verdict.isSound)
        #expect(verdict.report.coverage.lastDay == "2026-11-22")
        try ledger.close()
    }

    @Test("what a gateway's entry says is what the proxy is handed")
    func gateway() throws {
        try folder.write("a-key".utf8, to: "key")
        let configuration = try read(
            """
            gateways:
              lab: { url: https://lab.example/v1, max-validity: 30s, stop-after-rejections: 7, billing: prepaid, credential: { file: key }, learned-price: never }
            """
        ).get()
        let gateway = try Unlocking.gateway(configuration.gateways[0], path: state.path)
        #expect(gateway.policy.gate.maxValidity == 30)
        #expect(gateway.policy.rules.stopAfterRejections == 7)
        #expect(gateway.billing == .prepaid && gateway.learnedPrice == .never)
        #expect(gateway.basePath == "/v1")
    }
}
