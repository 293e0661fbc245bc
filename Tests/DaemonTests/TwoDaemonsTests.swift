import Ethereum
import Ledger
import LedgerSQLite
import Logging
import NIOCore
import NIOPosix
import Payments
import Policy
import Primitives
import Proxy
import Simulator
import SystemCrypto
import TestSupport
import Testing
import Transport
import Wallets

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Two daemons on one store")
struct TwoDaemonsTests {

    @Test("64 real clients of two daemons against a limit of 100 get exactly 100 units of money authorized")
    func race() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let clock = SystemClock()
        let payTo = Address(lastBytesOf: .numbered(9))
        let simulator = try await GatewaySimulator.start(
            SimulatorOptions(payTo: payTo), clock: clock, random: SystemRandom(), group: group)
        let token = AgentToken.make(random: .numbered(7))
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(
            Agent(
                name: "scout", wallet: nil, team: "red", tokenHash: SHA256.hash(Array(token.utf8)),
                addedAt: clock.now()),
            limits: [CapLimit(.day, .cents(100))], by: "tester")
        // A hundred calls, held by the house: the agent's own cap would admit more.
        try await ledger.setCap(
            Cap(CapScope(.house), CapLimit(.lifetime, .cents(3))), by: "tester", at: clock.now())
        async let first = #expect(processExitsWith: .success) {
            [path = path as String, folder = folder.path as String, gateway = simulator.port as Int] in
            try await serve(path: path, folder: folder, gateway: gateway, names: ["first", "second"])
        }
        async let second = #expect(processExitsWith: .success) {
            [path = path as String, folder = folder.path as String, gateway = simulator.port as Int] in
            try await serve(path: path, folder: folder, gateway: gateway, names: ["second", "first"])
        }
        _ = await (first, second)
        #expect(simulator.settlements.count == 100)
        #expect(Set(simulator.settlements.map(\.nonce)).count == 100)
        let refused = try await ledger.payments(PaymentFilter(states: [.refused], limit: 1000))
        // The others are counted: each daemon books five a minute, and the calls may meet two.
        #expect((5...20).contains(refused.count))
        #expect(refused.allSatisfy { $0.evidence.reason == "cap-lifetime" })
        let records = try await ledger.payments(PaymentFilter(states: [.settled], limit: 1000))
        #expect(Set(records.compactMap { $0.terms?.nonce }) == Set(simulator.settlements.map(\.nonce)))
        let used = try await ledger.usage(at: clock.now()).first { $0.cap.scope == CapScope(.house) }?.used
        #expect(used == Dollars.cents(3).quantity)
        await simulator.stop()
        try ledger.close()
        try await group.shutdownGracefully()
    }
}

/// A daemon of its own process on a ledger that it shares, and 32 clients of it, each with three requests of its own.
///
/// The first name is its own; nobody calls before both daemons have written theirs down.
private func serve(path: String, folder: String, gateway: Int, names: [String]) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    var secret = Array(repeating: UInt8(1), count: 32)
    let key = try SigningKey(
        secret: try SecretBytes.copyAndWipe(&secret), context: try Secp256k1Context(seed: .numbered(1)))
    let rule = try #require(PayRule("eip155:42161/USDT"))
    let parts = RunningDaemon.Parts(
        places: [.address(host: "127.0.0.1", port: 0)],
        gateways: [
            Gateway(
                name: "lab", origin: Origin(isSecure: false, host: "127.0.0.1", port: gateway), basePath: "",
                paths: [], credential: nil, redirectHosts: [], timeouts: .standard)
        ],
        wallets: [PayingWallet(name: "main", signer: key, rules: [rule])], table: try AssetTable.pinned(),
        trustFile: nil, replay: ReplayLimits(memory: 1 << 20, total: 1 << 20, folder: folder),
        replayMemory: 1 << 20, chains: [], overdue: OverduePolicy())
    let ledger = try SQLiteLedger(path: path)
    let daemon = try await RunningDaemon.start(
        parts, ledger: ledger, group: group, threads: threads, clock: SystemClock(), random: SystemRandom(),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    close(unsafe open("\(folder)/\(names[0])", O_WRONLY | O_CREAT, 0o600))
    while unsafe access("\(folder)/\(names[1])", F_OK) != 0 { try await Task.sleep(for: .milliseconds(1)) }
    let agent = DemonstrationClient(group: group, port: daemon.port, token: AgentToken.make(random: .numbered(7)))
    try await withThrowingTaskGroup(of: Void.self) { clients in
        for client in 0..<32 {
            clients.addTask {
                for round in 0..<3 {
                    let content = "\(names[0]) \(client) \(round)"
                    let json = #"{"model":"auto","messages":[{"role":"user","content":"\#(content)"}]}"#
                    let status = try await agent.post("/lab/v1/chat/completions", json: json).status
                    #expect([200, 402].contains(status))
                }
            }
        }
        try await clients.waitForAll()
    }
    await daemon.stop()
    try ledger.close()
}
