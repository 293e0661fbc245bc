import Chain
package import Ledger
package import Logging
import NIOCore
package import NIOPosix
package import Payments
package import Policy
package import Primitives
package import Proxy
package import Transport

/// A daemon that serves: the one place where ledger, engine and proxy meet.
package struct RunningDaemon: Sendable {
    /// What a daemon is made of, besides its state.
    package struct Parts: Sendable {
        /// Where to listen; port 0 takes any.
        package var places: [ListeningPlace]
        /// Further authorities that requests may name.
        package var hosts: [String]
        /// Which agents they are that connect without a token to a Unix socket, or with a certificate.
        package var peers: PeerAgents
        /// How many connections agents may have.
        package var connections: ConnectionLimits
        /// The upstreams.
        package var gateways: [Gateway]
        /// The unlocked wallets in the configuration's order; the first one signs the ledger's days.
        package var wallets: [PayingWallet]
        /// The tokens that may be paid.
        package var table: AssetTable
        /// The operator's additional CA file.
        package var trustFile: String?
        /// How request bodies are kept.
        package var replay: ReplayLimits
        /// Memory that all kept bodies may hold together, in bytes.
        package var replayMemory: Int
        /// How many learned prices, and waits for a turn to send an approval, all agents may have together.
        package var paymentPots: PaymentPots
        /// How much of paid answers is kept for repetitions of their requests.
        package var keptAnswers: KeptAnswerLimits
        /// The chains that are read.
        package var chains: [Configuration.ChainEntry]
        /// What becomes of unproven payments whose window has passed.
        package var overdue: OverduePolicy
        /// The operator's rules; nil where there are none.
        package var policy: PolicySnapshot?
        /// What agents may reach besides the gateways.
        package var forward: ForwardRules
        /// What ends TLS for listed hosts; nil where none is listed.
        package var termination: TLSTermination?
        /// What the data plane measures of itself.
        package var meters: ProxyMeters
        /// Told how the chains looked, whenever one was read.
        package var tellChains: @Sendable ([ChainStanding]) -> Void
        /// Told which tunnels are open, when that changes.
        package var tellTunnels: @Sendable (TunnelSnapshot) -> Void
        /// Told how what agents share is divided, when that changes.
        package var tellPots: @Sendable ([PotSnapshot]) -> Void

        /// Makes the parts.
        package init(
            places: [ListeningPlace], hosts: [String] = [], peers: PeerAgents = .none,
            connections: ConnectionLimits = .standard, gateways: [Gateway],
            wallets: [PayingWallet], table: AssetTable, trustFile: String?, replay: ReplayLimits, replayMemory: Int,
            paymentPots: PaymentPots = .standard, keptAnswers: KeptAnswerLimits = .standard,
            chains: [Configuration.ChainEntry],
            overdue: OverduePolicy, policy: PolicySnapshot? = nil, forward: ForwardRules = .none,
            termination: TLSTermination? = nil,
            meters: ProxyMeters = ProxyMeters(), tellChains: @escaping @Sendable ([ChainStanding]) -> Void = { _ in },
            tellTunnels: @escaping @Sendable (TunnelSnapshot) -> Void = { _ in },
            tellPots: @escaping @Sendable ([PotSnapshot]) -> Void = { _ in }
        ) {
            self.places = places
            self.hosts = hosts
            self.peers = peers
            self.connections = connections
            self.gateways = gateways
            self.wallets = wallets
            self.table = table
            self.trustFile = trustFile
            self.replay = replay
            self.replayMemory = replayMemory
            self.paymentPots = paymentPots
            self.keptAnswers = keptAnswers
            self.chains = chains
            self.overdue = overdue
            self.policy = policy
            self.forward = forward
            self.termination = termination
            self.meters = meters
            self.tellChains = tellChains
            self.tellTunnels = tellTunnels
            self.tellPots = tellPots
        }
    }

    private let server: ProxyServer
    private let engine: PaymentEngine
    private let keeper: Housekeeping
    private let housekeeping: [Task<Void, Never>]
    private let chains: BoundedClient

    /// Where agents connect to, with the ports that were taken.
    package var places: [ListeningPlace] { server.places }

    /// The first port agents send to; 0 where there is none.
    package var port: Int { server.ports.first ?? 0 }

    /// Brings the books up to date with a crash that may have been, then listens.
    package static func start(
        _ parts: Parts, ledger: any LedgerStore, group: MultiThreadedEventLoopGroup, threads: NIOThreadPool,
        clock: any WallClock, random: any RandomSource, logger: Logger
    ) async throws -> RunningDaemon {
        try await Housekeeping.bringUpToDate(ledger, policy: parts.overdue, at: clock.now(), logger: logger)
        let agents = try await AgentDirectory(store: ledger)
        let tls = try TLSClientContext(trustFile: parts.trustFile)
        let chains = BoundedClient(loop: group.next(), tls: tls)
        var allowances: [String: any AllowanceWitness] = [:]
        var balances: [String: any BalanceWitness] = [:]
        let readers = try parts.chains.map { chain in
            if !chain.redundant.isEmpty {
                logger.warning(
                    "chain endpoints not asked: another one has the same host",
                    metadata: [
                        "network": "\(chain.network)",
                        "endpoints": "\(chain.redundantNames.joined(separator: " "))",
                    ])
            }
            let reader = try ChainReader(
                chainID: chain.chainID, endpoints: chain.endpoints, finality: chain.finality,
                agreement: chain.agreement, blocksPerSecond: chain.blocksPerSecond, client: chains)
            allowances[chain.network] = AllowanceWatch(reader: reader, clock: clock)
            balances[chain.network] = BalanceWatch(reader: reader, clock: clock)
            return (network: chain.network, reader: reader)
        }
        let activity = ActiveAgents { NIODeadline.now().milliseconds }
        let engine = PaymentEngine(
            store: ledger, table: parts.table, wallets: PayingWallets(parts.wallets), clock: clock, random: random,
            logger: logger, allowances: allowances, balances: balances,
            policy: parts.policy, gateways: terms(of: parts.gateways), pots: parts.paymentPots, activity: activity)
        let loopMark = try LoopMark(random: random)
        let server = try await ProxyServer.start(
            at: parts.places,
            services: { ports in
                ProxyServices(
                    rules: ProxyRules(
                        gateways: GatewayTable(parts.gateways), hosts: HostRule(ports: ports, more: parts.hosts),
                        forward: parts.forward, peers: parts.peers, termination: parts.termination,
                        connections: parts.connections),
                    agents: agents, engine: engine, replayLimits: parts.replay,
                    replayMemory: parts.replayMemory, keptAnswers: parts.keptAnswers, activity: activity,
                    threads: threads, loopMark: loopMark, clock: clock,
                    meters: parts.meters, logger: logger)
            },
            tls: tls, group: group)
        let keeper = Housekeeping(
            store: ledger, engine: engine, policy: parts.overdue,
            closing: parts.wallets.first.map { LedgerClosing(store: ledger, signer: $0.signer, logger: logger) },
            clock: clock, logger: logger)
        let board = ChainBoard(write: parts.tellChains)
        let tunnels = TunnelWatch(server: server, tell: parts.tellTunnels, logger: logger)
        let pots = PotWatch(pots: { server.pots + engine.pots }, tell: parts.tellPots)
        // A chain may keep its reader waiting for a minute, and nothing else waits with it.
        let housekeeping =
            [Task { await keeper.run() }, Task { await tunnels.run() }, Task { await pots.run() }]
            + readers.flatMap { network, reader in
                let watch = ChainWatch(
                    network: network, reader: reader, clock: clock, logger: logger,
                    record: { board.note($0, of: network, at: $1) },
                    notice: { await keeper.tell($0, $1, of: network) })
                let amounts = SettlementWatch(reader: reader, clock: clock, logger: logger)
                return [
                    Task {
                        await watch.announce()
                        await keeper.watch(network, through: watch, amounts: amounts)
                    },
                    Task { await keeper.keepAnEyeOn(watch) },
                ]
            }
        return RunningDaemon(
            server: server, engine: engine, keeper: keeper, housekeeping: housekeeping, chains: chains)
    }

    /// What a daemon can be told while it serves.
    package struct Changes: Sendable {
        /// The upstreams.
        package var gateways: [Gateway]
        /// Further authorities that requests may name.
        package var hosts: [String]
        /// Which agents they are that connect without a token to a Unix socket, or with a certificate.
        package var peers: PeerAgents
        /// How many connections agents may have; those that there are stay.
        package var connections: ConnectionLimits
        /// What agents may reach besides the gateways.
        package var forward: ForwardRules
        /// What ends TLS for listed hosts; nil where none is listed.
        package var termination: TLSTermination?
        /// What becomes of unproven payments whose window has passed.
        package var overdue: OverduePolicy
        /// The operator's rules; nil where there are none.
        package var policy: PolicySnapshot?
    }

    /// Serves by these from the next request on; exchanges under way end as they began, and tunnels whose right has ended
    /// by them end now.
    ///
    /// Returns how many tunnels it ended. Where the books cannot be read, the next review ends them.
    @discardableResult
    package func take(_ changes: Changes) async -> Int {
        let endedBefore = server.tunnels.endedCount
        engine.replace(policy: changes.policy, gateways: Self.terms(of: changes.gateways))
        keeper.replace(policy: changes.overdue)
        await server.replace(
            ProxyRules(
                gateways: GatewayTable(changes.gateways), hosts: HostRule(ports: server.ports, more: changes.hosts),
                forward: changes.forward, peers: changes.peers, termination: changes.termination,
                connections: changes.connections))
        // The watch may have ended some of them first.
        _ = try? await server.reviewTunnels(all: true)
        return server.tunnels.endedCount - endedBefore
    }

    /// What the gateways' entries say about paying them, by name.
    private static func terms(of gateways: [Gateway]) -> [String: GatewayTerms] {
        Dictionary(gateways.map { ($0.name, $0.terms) }, uniquingKeysWith: { first, _ in first })
    }

    /// What agents share, and who holds how much of it.
    package var pots: [PotSnapshot] { server.pots + engine.pots }

    /// The tunnels that are open, and how many were ended.
    package var tunnels: TunnelSnapshot { server.tunnels }

    /// Stops accepting, waits a moment for outcomes that are on their way, and tries once more to book what is left.
    package func stop() async {
        await server.stop(patience: .seconds(10))
        // Two tries must not overlap.
        for task in housekeeping { task.cancel() }
        for task in housekeeping { await task.value }
        chains.closeIdle()
        await engine.retryUnbooked()
        await engine.noteRefusals(all: true)
    }
}
