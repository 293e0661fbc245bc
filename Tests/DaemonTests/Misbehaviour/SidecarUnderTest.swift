import Ethereum
import Ledger
import Logging
import NIOCore
import NIOPosix
import Payments
import Policy
import Primitives
import Proxy
import Simulator
import Synchronization
import SystemCrypto
import TestSupport
import Transport
import Wallets

/// A sidecar with books in memory and short time-outs, in front of the evil merchant.
struct SidecarUnderTest {
    /// The one merchant of all cases: each has a record of its own.
    static let merchant = Task {
        try await EvilMerchant.start(
            clock: clock, random: SeededRandom(seed: 3), group: MultiThreadedEventLoopGroup.singleton)
    }
    /// The time of merchant and sidecar.
    static let clock = FixedClock()

    private static let table = Result { try AssetTable.pinned() }
    private static let tls = Result { try TLSClientContext(trustFile: nil) }
    private static let key = Result {
        var bytes = [UInt8](repeating: 0x11, count: 32)
        return try SigningKey(
            secret: .copyAndWipe(&bytes), context: .init(seed: SeededRandom(seed: 1).bytes32()))
    }
    private static let token = AgentToken.make(random: .numbered(7))

    let ledger: InMemoryLedger
    let log = RecordingLog()
    private let port: Int
    private let server: ProxyServer
    private let group: MultiThreadedEventLoopGroup
    private let threads: NIOThreadPool

    private init(merchant: EvilMerchant) async throws {
        let ledger = InMemoryLedger()
        self.ledger = ledger
        try await ledger.add(
            Agent(
                name: "scout", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(Self.token.utf8)),
                addedAt: .vectors),
            limits: [CapLimit(.lifetime, .cents(100_000_000))], by: "tester")
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        self.threads = threads
        let wallet = PayingWallet(
            name: "main", signer: try Self.key.get(),
            rules: ["eip155:42161/USDT", "eip155:56/USDT"].compactMap { PayRule($0) })
        let logger = log.logger
        let engine = PaymentEngine(
            store: ledger, table: try Self.table.get(), wallets: PayingWallets([wallet]), clock: Self.clock,
            random: SeededRandom(seed: 42), logger: logger)
        let agents = try await AgentDirectory(store: ledger)
        // Signing in is what some merchants would misuse.
        var policy = GatewayPolicy()
        policy.signsIn = true
        let gateway = Gateway(
            name: "shop", origin: Origin(isSecure: false, host: "127.0.0.1", port: merchant.port), basePath: "",
            paths: [], credential: nil, redirectHosts: [],
            timeouts: .init(connect: .seconds(2), firstByte: .milliseconds(400), idle: .milliseconds(400)),
            policy: policy)
        let timeouts = ProxyTimeouts(
            read: .seconds(2), idle: .seconds(2), linger: .milliseconds(100), outcome: .milliseconds(400),
            challenge: .milliseconds(100))
        let loopMark = try LoopMark(random: SeededRandom(seed: 43))
        server = try await ProxyServer.start(
            at: [.address(host: "127.0.0.1", port: 0)],
            services: { ports in
                ProxyServices(
                    rules: ProxyRules(
                        gateways: GatewayTable([gateway]), hosts: HostRule(ports: ports, more: [])),
                    agents: agents, engine: engine, replayLimits: ReplayLimits(folder: "/tmp"),
                    replayMemory: 1 << 20, threads: threads, timeouts: timeouts,
                    loopMark: loopMark, clock: Self.clock, logger: logger)
            }, tls: try Self.tls.get(), group: group)
        port = server.ports[0]
    }

    /// Runs a test with a sidecar of its own and clears it away.
    static func run(_ body: (SidecarUnderTest, EvilMerchant) async throws -> Void) async throws {
        let merchant = try await Self.merchant.value
        let sidecar = try await SidecarUnderTest(merchant: merchant)
        let outcome: Result<Void, any Error>
        do {
            try await body(sidecar, merchant)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await sidecar.server.stop(patience: .seconds(1))
        try await sidecar.group.shutdownGracefully()
        try await sidecar.threads.shutdownGracefully()
        try outcome.get()
    }

    /// One request of the agent for a path of the merchant.
    func ask(_ method: String, _ path: String) async throws -> RawAnswer {
        try await RawClient.send(
            method, "/shop" + path, ["Authorization: Bearer \(Self.token)"], port: port, group: group)
    }

    /// All payments and refusals, oldest first, once no payment is on its way any more.
    ///
    /// Outcomes are booked behind the answer, and nothing tells a caller when: looks for at most a second.
    func payments() async throws -> [PaymentRecord] {
        for _ in 0..<200 {
            let payments = try await ledger.payments(PaymentFilter())
            if !payments.contains(where: { $0.state.isAttended }) { return payments.reversed() }
            try await Task.sleep(for: .milliseconds(5))
        }
        return try await ledger.payments(PaymentFilter()).reversed()
    }
}
