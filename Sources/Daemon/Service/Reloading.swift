import Ledger
import Logging
import Payments
import Policy
import Primitives

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Takes over what the operator has changed in the configuration and the policy while the daemon serves.
///
/// All or nothing: a file that `serve` would refuse changes nothing.
struct Reloading: Sendable {
    let state: StateDirectory
    /// What the daemon was started with: what cannot be changed stays as it says.
    let started: Configuration
    /// The listeners in force that speak TLS.
    let secure: SecureListeners
    let daemon: RunningDaemon
    let books: any LedgerStore
    let clock: any WallClock
    let random: any RandomSource
    let logger: Logger
    private let count = Replaceable(Int64(0))

    init(
        state: StateDirectory, started: Configuration, secure: SecureListeners, daemon: RunningDaemon,
        books: any LedgerStore, clock: any WallClock, random: any RandomSource, logger: Logger
    ) {
        self.state = state
        self.started = started
        self.secure = secure
        self.daemon = daemon
        self.books = books
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Forgets what an earlier daemon has said.
    func clear() { try? FileSystem.remove(state.reloadFile) }

    /// Reads both files and puts in force what they say, then tells how it went, in the log and in the state directory.
    func reload() async {
        count.replace(with: count.current + 1)
        var report = ReloadReport(process: getpid(), number: count.current, at: clock.now().description)
        do {
            let text = try state.configurationText()
            report.configuration = ReloadReport.hash(of: text)
            let configuration = try state.configuration(of: text)
            // The tokens that may be paid stay, so the policy is about those.
            let policy = try state.loadPolicy(started.assets, isNoneMeant: configuration.policyIsNone)
            var overdue = configuration.overduePolicy
            overdue.proven = started.overduePolicy.proven
            let gateways = try configuration.gateways.map { try Unlocking.gateway($0, path: state.path) }
            let termination = try AuthorityAdministration(state: state, clock: clock, random: random)
                .termination(configuration)
            let identities = try secure.readAgain()
            try await PolicyPresence.putInForce(
                policy, isNoneMeant: configuration.policyIsNone, state: state, books: books, clock: clock,
                logger: logger)
            identities.take()
            secure.remark(at: clock.now().seconds, logger)
            report.tunnelsEnded = await daemon.take(
                RunningDaemon.Changes(
                    gateways: gateways, hosts: configuration.hosts, peers: configuration.peers,
                    connections: DescriptorLimit.current.fitting(configuration.connections),
                    forward: configuration.forward.rules, termination: termination, overdue: overdue,
                    policy: policy?.snapshot))
            report.waiting = started.differences(needingRestart: configuration)
            report.policy = policy.map { "\($0.snapshot.hash)" }
            logger.notice(
                "configuration reloaded",
                metadata: [
                    "gateways": "\(gateways.count)", "policy": "\(report.policy ?? "none")",
                    "tunnels_ended": "\(report.tunnelsEnded)",
                    "waits_for_restart":
                        "\(report.waiting.isEmpty ? "nothing" : report.waiting.joined(separator: ", "))",
                ])
        } catch {
            report.problem = "\(error)"
            logger.error("configuration not reloaded, the one in force stays", metadata: ["problem": "\(error)"])
        }
        do {
            try FileSystem.writeText(report.text, to: state.reloadFile, replacing: true)
        } catch {
            logger.warning("reload report not written", metadata: ["problem": "\(error)"])
        }
    }
}

extension Configuration {
    /// The keys whose values differ in another configuration and hold only from the next start on.
    func differences(needingRestart other: Configuration) -> [String] {
        let differences = [
            ("listen", listen != other.listen), ("wallets", wallets != other.wallets),
            ("assets", assets.assets != other.assets.assets), ("chains", chains != other.chains),
            ("metrics", metrics != other.metrics), ("trust-file", trustFile != other.trustFile),
            ("replay", replay != other.replay), ("kept-answers", keptAnswers != other.keptAnswers),
            ("spool", spool != other.spool),
            ("learned-prices", paymentPots.learnedPrices != other.paymentPots.learnedPrices),
            ("approval-turns", paymentPots.approvalTurns != other.paymentPots.approvalTurns),
            ("log-level", logLevel != other.logLevel),
        ]
        return differences.filter(\.1).map(\.0)
    }
}
