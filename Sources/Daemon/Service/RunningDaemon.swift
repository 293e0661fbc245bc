import Ledger
package import LedgerSQLite
package import Logging
package import NIOPosix
package import Payments
package import Policy
package import Primitives
package import Proxy
import Transport

/// A daemon that serves: the one place where ledger, engine and proxy meet.
package struct RunningDaemon: Sendable {
    /// What a daemon is made of, besides its state.
    package struct Parts: Sendable {
        /// The address to listen on; port 0 takes any.
        package var host: String
        package var port: Int
        /// Further authorities that requests may name.
        package var hosts: [String]
        /// The upstreams.
        package var gateways: [Gateway]
        /// The unlocked wallets.
        package var wallets: PayingWallets
        /// The tokens that may be paid.
        package var table: AssetTable
        /// The operator's additional CA file.
        package var trustFile: String?
        /// How request bodies are kept.
        package var replay: ReplayLimits
        /// Memory that all kept bodies may hold together, in bytes.
        package var replayMemory: Int

        /// Makes the parts.
        package init(
            host: String, port: Int, hosts: [String], gateways: [Gateway], wallets: PayingWallets, table: AssetTable,
            trustFile: String?, replay: ReplayLimits, replayMemory: Int
        ) {
            self.host = host
            self.port = port
            self.hosts = hosts
            self.gateways = gateways
            self.wallets = wallets
            self.table = table
            self.trustFile = trustFile
            self.replay = replay
            self.replayMemory = replayMemory
        }
    }

    /// How long after the signed window an unproven payment is presumed settled, in seconds.
    private static let overdueMargin: Int64 = 60

    /// How often outcomes that could not be booked are tried again.
    private static let retryPause: Duration = .seconds(5)
    /// How many pauses lie between two looks for overdue payments: half a minute.
    private static let pausesUntilOverdue = 6

    private let server: ProxyServer
    private let engine: PaymentEngine
    private let housekeeping: Task<Void, Never>

    /// The port agents send to.
    package var port: Int { server.port }

    /// Brings the books up to date with a crash that may have been, then listens.
    package static func start(
        _ parts: Parts, ledger: SQLiteLedger, group: MultiThreadedEventLoopGroup, threads: NIOThreadPool,
        clock: any WallClock, random: any RandomSource, logger: Logger
    ) async throws -> RunningDaemon {
        let now = clock.now()
        let doubtful = try await ledger.doubtReserved(at: now)
        if doubtful > 0 {
            logger.warning("payments left open by the last run are in doubt", metadata: ["count": "\(doubtful)"])
        }
        _ = try await ledger.presumeOverdue(margin: overdueMargin, at: now)
        let generation = ledger.generation
        let agents = try await AgentDirectory(store: ledger) { generation.current }
        let engine = PaymentEngine(
            store: ledger, table: parts.table, wallets: parts.wallets, clock: clock, random: random, logger: logger)
        let server = try await ProxyServer.start(
            host: parts.host, port: parts.port,
            services: { port in
                ProxyServices(
                    gateways: GatewayTable(parts.gateways), hosts: HostRule(port: port, more: parts.hosts),
                    agents: agents, engine: engine, replayLimits: parts.replay,
                    replayBudget: MemoryBudget(limit: parts.replayMemory), threads: threads, logger: logger)
            },
            tls: try TLSClientContext(trustFile: parts.trustFile), group: group)
        let housekeeping = Task { await keepHouse(engine: engine, ledger: ledger, clock: clock, logger: logger) }
        return RunningDaemon(server: server, engine: engine, housekeeping: housekeeping)
    }

    /// Until cancelled: books what could not be booked, and counts payments as spent whose window passed unproven.
    private static func keepHouse(
        engine: PaymentEngine, ledger: SQLiteLedger, clock: any WallClock, logger: Logger
    ) async {
        var pauses = 0
        while true {
            do {
                try await Task.sleep(for: retryPause)
            } catch {
                return
            }
            await engine.retryUnbooked()
            pauses += 1
            guard pauses.isMultiple(of: pausesUntilOverdue) else { continue }
            do throws(LedgerError) {
                let count = try await ledger.presumeOverdue(margin: overdueMargin, at: clock.now())
                if count > 0 { logger.notice("payments presumed settled", metadata: ["count": "\(count)"]) }
            } catch {
                logger.error("ledger not writable", metadata: ["problem": "\(error)"])
            }
        }
    }

    /// Stops accepting, waits a moment for outcomes that are on their way, and tries once more to book what is left.
    package func stop() async {
        await server.stop(patience: .seconds(10))
        // Two tries must not overlap.
        housekeeping.cancel()
        await housekeeping.value
        await engine.retryUnbooked()
    }
}
