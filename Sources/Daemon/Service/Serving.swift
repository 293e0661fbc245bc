import CoreMetrics
import LedgerSQLite
package import Logging
import NIOCore
import NIOPosix
import Policy
package import Primitives
import Proxy
import SystemCrypto
import Telemetry
package import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A daemon made from a state directory and its configuration.
package enum Serving {
    /// Takes the state directory, opens books and wallets, and serves until `untilAsked` returns.
    ///
    /// `inherited` are the sockets that the process was started with. `willListen` is called before anybody can connect, and
    /// `ready` is told where requests are accepted; at each
    /// of `reloads` the configuration is read again. `acceptedAccounts` are those, EIP-55, that wallets may be although the
    /// books know others. Throws ``StartFailure``, a state-lock error, what the policy's file has
    /// wrong, or what the books say.
    package static func serve(
        _ configuration: Configuration, state: StateDirectory, clock: any WallClock, random: any RandomSource,
        logger: Logger, inherited: [InheritedSocket] = [], acceptedAccounts: Set<String> = [],
        willListen: @Sendable () -> Void = {}, ready: @Sendable (ServingPlaces) -> Void,
        reloads: AsyncStream<Void> = AsyncStream { $0.finish() }, untilAsked: @Sendable () async -> Void
    ) async throws {
        if !SystemSources.isHardened {
            logger.critical("the system does not keep this process's memory private: keys can end up in a core dump")
        }
        for warning in StartWarnings.all(state: state) { logger.warning("\(warning)") }
        let policy = try state.loadPolicy(configuration.assets, isNoneMeant: configuration.policyIsNone)
        let lock = try StateLock(path: state.lockFile)
        removeReports(from: state)
        let registry = MetricsRegistry()
        let commits = Timer(label: "purser_commit", dimensions: [], factory: registry)
        let ledger = try SQLiteLedger(
            path: state.ledgerFile, settings: .init { nanoseconds, _ in commits.recordNanoseconds(nanoseconds) })
        let spool = configuration.spool.path.map(state.path) ?? state.spoolFolder
        try SpoolFolder.prepare(spool)
        // Half the cores: the agents, and often the models, want the others.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, min(System.coreCount / 2, 4)))
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        do {
            let secure = try SecureListeners(configuration.listen, state: state)
            secure.remark(at: clock.now().seconds, logger)
            let places = try ListenerPlan.places(
                of: configuration.listen, secure: secure, inherited: inherited, path: state.path, logger: logger)
            let trustFile = configuration.trustFile.map(state.path)
            if let trustFile {
                do {
                    try Unlocking.checkTrustFile(trustFile)
                } catch {
                    throw StartFailure("trust-file: \(error)")
                }
            }
            let gateways = try configuration.gateways.map { try Unlocking.gateway($0, path: state.path) }
            let wallets = try await Unlocking.wallets(
                configuration.wallets, path: { state.path($0) }, threads: threads, random: random,
                recognition: WalletRecognition(
                    books: ledger, accepted: acceptedAccounts, actor: Operator.name, clock: clock,
                    warn: { logger.warning("\($0)") }))
            try await PolicyPresence.putInForce(
                policy, isNoneMeant: configuration.policyIsNone, state: state, books: ledger, clock: clock,
                logger: logger)
            let parts = RunningDaemon.Parts(
                places: places, hosts: configuration.hosts, peers: configuration.peers,
                connections: connections(configuration.connections, logger: logger), gateways: gateways,
                wallets: wallets, table: configuration.assets,
                trustFile: trustFile,
                replay: ReplayLimits(
                    memory: configuration.replay.memory, total: configuration.replay.perRequest,
                    folder: spool, spoolTotal: configuration.spool.total),
                replayMemory: configuration.replay.total, keptAnswers: configuration.keptAnswers,
                chains: configuration.chains,
                overdue: configuration.overduePolicy, policy: policy?.snapshot, forward: configuration.forward.rules,
                termination: try AuthorityAdministration(state: state, clock: clock, random: random)
                    .termination(configuration),
                meters: ProxyMeters(factory: registry), tellChains: { tell($0, in: state, logger: logger) },
                tellTunnels: { tell($0, in: state, at: clock.now(), logger: logger) },
                tellPots: { tell($0, in: state, at: clock.now(), logger: logger) })
            willListen()
            let daemon: RunningDaemon
            do {
                daemon = try await RunningDaemon.start(
                    parts, ledger: ledger, group: group, threads: threads, clock: clock, random: random,
                    logger: logger)
            } catch let error as ListenFailure {
                throw StartFailure(error)
            }
            TunnelMetrics.show({ daemon.tunnels }, in: registry)
            PotMetrics.show({ daemon.pots }, in: registry)
            do {
                let metrics = try await showMetrics(configuration, of: registry, logger: logger)
                let reloading = Reloading(
                    state: state, started: configuration, secure: secure, daemon: daemon, books: ledger, clock: clock,
                    random: random, logger: logger)
                reloading.clear()
                ready(ServingPlaces(all: daemon.places.map(\.description), port: daemon.port))
                let task = Task { for await _ in reloads { await reloading.reload() } }
                await untilAsked()
                task.cancel()
                await task.value
                logger.notice("stopping")
                await metrics?.stop()
            } catch {
                await daemon.stop()
                throw error
            }
            await daemon.stop()
            removeReports(from: state)
        } catch {
            try? await shutDown(group: group, threads: threads, ledger: ledger)
            withExtendedLifetime(lock) {}
            throw error
        }
        try await shutDown(group: group, threads: threads, ledger: ledger)
        withExtendedLifetime(lock) {}
    }

    /// What agents may have of connections, within what the system gives this process.
    private static func connections(_ limits: ConnectionLimits, logger: Logger) -> ConnectionLimits {
        DescriptorLimit.raise()
        let fitting = DescriptorLimit.current.fitting(limits)
        if fitting != limits {
            logger.notice(
                "fewer connections than configured: the system limits this process's descriptors",
                metadata: ["descriptors": "\(DescriptorLimit.current.count)", "connections": "\(fitting.total)"])
        }
        return fitting
    }

    /// Shows metrics where the configuration wants them.
    private static func showMetrics(
        _ configuration: Configuration, of registry: MetricsRegistry, logger: Logger
    ) async throws -> MetricsListener? {
        guard let listen = configuration.metrics else { return nil }
        do {
            let listener = try await MetricsListener.start(
                host: listen.host, port: listen.port, registry: registry,
                hosts: MetricsHosts(listening: listen.host, configured: configuration.hosts))
            logger.notice("metrics", metadata: ["at": "http://\(listen.host):\(listener.port)/metrics"])
            return listener
        } catch let error as IOError {
            throw StartFailure(listen: listen, error: error)
        }
    }

    private static func shutDown(
        group: MultiThreadedEventLoopGroup, threads: NIOThreadPool, ledger: SQLiteLedger
    ) async throws {
        try await group.shutdownGracefully()
        try await threads.shutdownGracefully()
        try ledger.close()
    }
}
