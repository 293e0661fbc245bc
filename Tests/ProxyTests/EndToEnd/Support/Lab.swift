import Ethereum
import Ledger
import Logging
import NIOCore
import NIOPosix
import Payments
import Policy
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing
import Transport
import Wallets
import X402

/// A proxy with books in memory, one agent, one wallet and one gateway in front of a scripted upstream.
final class Lab: Sendable {
    struct Options: Sendable {
        var caps: [CapLimit] = [
            CapLimit(.request, .cents(1_000)), CapLimit(.day, .cents(5_000)), CapLimit(.lifetime, .cents(10_000)),
        ]
        var policy = GatewayPolicy()
        /// The operator's rules.
        var rules: PolicySnapshot?
        var billing = Gateway.Billing.x402
        var allowsUpgrades: Bool?
        var learnedPrice = Gateway.LearnedPriceUse.asked
        var pay = ["eip155:42161/USDT"]
        var basePath = ""
        var paths: [String] = []
        var key: (field: Gateway.Credential.Field, text: String)?
        var keyMethods = Gateway.Credential.usualMethods
        var redirectHosts: Set<String> = []
        var gateway = Gateway.Timeouts(connect: .seconds(5), firstByte: nil, idle: .seconds(20))
        var limits = Gateway.Limits.none
        var connections = ConnectionLimits.standard
        var proxy = ProxyTimeouts.standard
        var replay = ReplayLimits(folder: "/tmp")
        var replayMemory = 256 << 20
        var keptAnswers = KeptAnswerLimits.standard
        var trustFile: String?
        var isSecure = false
        var upstreamHost = "127.0.0.1"
        var upstreamPort: Int?
        var allowsHTTP2 = true
        var loops = 1
        /// What the name is made from by which the proxy marks requests.
        var markSeed: UInt64 = 43
        var forward = ForwardRules.none
        var termination: TLSTermination?
        /// Where it listens besides a loopback port.
        var places: [ListeningPlace] = []
        var peers = PeerAgents.none
        /// Called between a reservation and the signature.
        var onReserved: @Sendable () async -> Void = {}
        /// Called before a call of a prepaid gateway is booked.
        var onMetering: @Sendable () async -> Void = {}
    }

    static let secp = Result { try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32()) }
    static let table = Result { try AssetTable.pinned() }
    static let token = AgentToken.make(random: .numbered(7))

    let upstream: ScriptedUpstream
    let ledger: InMemoryLedger
    let wallet: Address
    let port: Int
    private let options: Options
    private let server: ProxyServer
    private let group: MultiThreadedEventLoopGroup
    private let threads: NIOThreadPool
    let clock = FixedClock()

    private init(_ options: Options, upstream: ScriptedUpstream) async throws {
        self.upstream = upstream
        self.options = options
        ledger = InMemoryLedger()
        try await ledger.add(
            Agent(
                name: "scout", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(Lab.token.utf8)),
                addedAt: .vectors),
            limits: options.caps, by: "tester")
        var keyBytes = [UInt8](repeating: 0x11, count: 32)
        let key = try SigningKey(secret: .copyAndWipe(&keyBytes), context: Lab.secp.get())
        wallet = key.address
        group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        let logger = Logger(label: "lab") { _ in SwiftLogNoOpLogHandler() }
        let rules = options.pay.compactMap { PayRule($0) }
        var store = WatchedStore(ledger, onReserved: options.onReserved)
        store.onMetering = options.onMetering
        let engine = PaymentEngine(
            store: store, table: try Lab.table.get(),
            wallets: PayingWallets([PayingWallet(name: "main", signer: key, rules: rules)]),
            clock: clock, random: SeededRandom(seed: 42), logger: logger, policy: options.rules)
        let agents = try await AgentDirectory(store: ledger)
        let gateways = GatewayTable([try Lab.gateway(options, port: upstream.port)])
        let (threads, clock) = (threads, clock)
        let loopMark = try LoopMark(random: SeededRandom(seed: options.markSeed))
        server = try await ProxyServer.start(
            at: [.address(host: "127.0.0.1", port: 0)] + options.places,
            services: { ports in
                ProxyServices(
                    rules: ProxyRules(
                        gateways: gateways, hosts: HostRule(ports: ports, more: []), forward: options.forward,
                        peers: options.peers, termination: options.termination, connections: options.connections),
                    agents: agents, engine: engine, replayLimits: options.replay,
                    replayMemory: options.replayMemory, keptAnswers: options.keptAnswers,
                    activity: ActiveAgents { NIODeadline.now().milliseconds }, threads: threads,
                    timeouts: options.proxy, loopMark: loopMark, clock: clock, logger: logger)
            }, tls: try TLSClientContext(trustFile: options.trustFile), group: group)
        port = server.ports[0]
    }

    private static func gateway(_ options: Options, port: Int) throws -> Gateway {
        let credential = try options.key.map { key in
            var bytes = Array(key.text.utf8)
            return Gateway.Credential(
                field: key.field, secret: try .copyAndWipe(&bytes), methods: options.keyMethods)
        }
        return Gateway(
            name: "lab",
            origin: Origin(
                isSecure: options.isSecure, host: options.upstreamHost, port: options.upstreamPort ?? port),
            basePath: options.basePath, paths: options.paths, credential: credential,
            redirectHosts: options.redirectHosts, timeouts: options.gateway, limits: options.limits,
            policy: options.policy, billing: options.billing, learnedPrice: options.learnedPrice,
            allowsHTTP2: options.allowsHTTP2, allowsUpgrades: options.allowsUpgrades)
    }

    /// Runs a test in a lab as usual.
    static func run(_ upstream: ScriptedUpstream, _ body: (Lab) async throws -> Void) async throws {
        try await run(Options(), upstream, body)
    }

    /// Runs a test in a lab and clears it away.
    static func run(
        _ options: Options, _ upstream: ScriptedUpstream, _ body: (Lab) async throws -> Void
    ) async throws {
        let lab = try await Lab(options, upstream: upstream)
        let outcome: Result<Void, any Error>
        do {
            try await body(lab)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        upstream.stop()
        await lab.server.stop(patience: .seconds(2))
        try await lab.group.shutdownGracefully()
        try await lab.threads.shutdownGracefully()
        try outcome.get()
    }

    /// Where the proxy listens.
    var places: [ListeningPlace] { server.places }

    /// Puts other rules in force: the gateway at a port, or none, and what else is given.
    func replace(gatewayAt port: Int?, forward: ForwardRules = .none, peers: PeerAgents = .none) async throws {
        let gateways = try port.map { [try Lab.gateway(Options(), port: $0)] } ?? []
        await server.replace(
            ProxyRules(
                gateways: GatewayTable(gateways), hosts: HostRule(ports: server.ports, more: []), forward: forward,
                peers: peers))
    }

    /// Puts the rules of this lab in force once more, with something changed.
    func replace(hasGateway: Bool = true, _ change: (inout Options) -> Void = { _ in }) async throws {
        var options = options
        change(&options)
        let gateways = hasGateway ? [try Lab.gateway(options, port: upstream.port)] : []
        await server.replace(
            ProxyRules(
                gateways: GatewayTable(gateways), hosts: HostRule(ports: server.ports, more: []),
                forward: options.forward, peers: options.peers, termination: options.termination,
                connections: options.connections))
    }

    /// Ends the tunnels whose right has ended, as the daemon does four times a second; returns how many it ended.
    func review() async throws -> Int { try await server.reviewTunnels() }

    /// The tunnels that are open, and how many were ended.
    var tunnels: TunnelSnapshot { server.tunnels }

    /// Stops the proxy as the daemon does.
    func stop(patience: Duration) async {
        await server.stop(patience: patience)
    }

    // MARK: The agent

    /// A new connection of the agent.
    func connect(receiveBuffer: Int32? = nil) throws -> Wire {
        try Wire.connect(port: port, receiveBuffer: receiveBuffer)
    }

    /// The head of a request with the agent's token; a body's length is added.
    func head(_ method: String, _ path: String, _ fields: [String] = [], length: Int? = nil) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "host: 127.0.0.1:\(port)", "authorization: Bearer \(Lab.token)"]
        lines += fields
        if let length { lines.append("content-length: \(length)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// One request on a connection of its own.
    func exchange(_ method: String, _ path: String, _ fields: [String] = [], body: String? = nil) throws -> Message {
        let wire = try connect()
        try wire.send(head(method, path, fields, length: body?.utf8.count) + (body ?? ""))
        return try wire.readResponse(to: method)
    }

    /// Sends bytes on a new connection and reads one response.
    func raw(_ text: String) throws -> (wire: Wire, response: Message) {
        let wire = try connect()
        try wire.send(text)
        return (wire, try wire.readResponse())
    }

    // MARK: The books

    /// All payments once none is on its way any more, oldest first.
    func payments() async throws -> [PaymentRecord] {
        for _ in 0..<200 {
            let payments = try await ledger.payments(PaymentFilter())
            if !payments.contains(where: { $0.state.isAttended }) { return payments.reversed() }
            Threads.pause(milliseconds: 20)
        }
        return try await ledger.payments(PaymentFilter()).reversed()
    }

    /// The only payment, once its outcome is booked.
    func payment() async throws -> PaymentRecord {
        let payments = try await payments()
        try #require(payments.count == 1)
        return payments[0]
    }

    /// Waits until the books hold `count` payments in a state.
    func wait(for state: PaymentState, count: Int = 1) async throws -> Bool {
        for _ in 0..<250 {
            let payments = try await ledger.payments(PaymentFilter())
            if payments.filter({ $0.state == state }).count == count { return true }
            Threads.pause(milliseconds: 20)
        }
        return false
    }

    /// The newest states of all payments, oldest first, without waiting for any.
    func states() async throws -> [PaymentState] {
        try await ledger.payments(PaymentFilter()).reversed().map(\.state)
    }
}

/// Waits up to five seconds for something to become true.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<250 {
        if try condition() { return true }
        Threads.pause(milliseconds: 20)
    }
    return false
}
