package import Audit
package import Ledger
package import Primitives

/// What a state directory looks like at one moment, with a daemon or without.
package struct StatusReport: Sendable {
    /// Whether a daemon serves it.
    package let presence: DaemonPresence
    /// What is configured; nil when there is no valid configuration.
    package let configuration: Configuration?
    /// Why there is none.
    package let configurationProblem: String?
    /// How the configured chains looked at the running daemon's last readings; empty where none runs, or has read them.
    package let chains: [ChainStanding]
    /// The wallets.
    package let wallets: [WalletOverview]
    /// The agents and the use of their caps.
    package let agents: [AgentOverview]
    /// What is frozen, the longest first.
    package let freezes: [Freeze]
    /// What is paused because gateways rejected payments.
    package let pauses: [PausedPayments]
    /// Which wallets are paused in a token because they have too little of it.
    package let pausedWallets: [PausedWallet]
    /// How many payments may still be settled by somebody.
    package let openCount: Int
    /// What they are worth.
    package let openValue: Dollars
    /// Where the money of each token stands.
    package let totals: [TokenTotals]
    /// The tunnels of the daemon that runs; nil where none runs, or it has told nothing yet.
    package let tunnels: TunnelReport?
    /// How what agents share is divided; nil where no daemon runs, or it has told nothing yet.
    package let pots: PotReport?
    /// The last day that a wallet has signed for; nil when there is none.
    package let lastCheckpoint: CheckpointStatement?

    /// Looks at everything; a wrong or missing configuration is part of the report.
    package static func make(
        of state: StateDirectory, ledger: any LedgerStore, clock: any WallClock, random: any RandomSource
    ) async throws -> StatusReport {
        var configuration: Configuration?
        var problem: String?
        do {
            configuration = try state.loadConfiguration()
        } catch {
            problem = "\(error)"
        }
        let wallets = try WalletAdministration(state: state, random: random).overview(configuration?.wallets ?? [])
        let agents = try await AgentAdministration(ledger: ledger, clock: clock, random: random).overview()
        let open = try await ledger.payments(
            PaymentFilter(
                states: Set(PaymentState.allCases.filter(\.isOpen)), limit: PaymentFilter.maximumLimit))
        let value = open.reduce(Dollars.zero) { $0.adding($1.terms?.value ?? .zero) ?? .max }
        let networks = Set(configuration?.chains.map(\.network) ?? [])
        let freezes = try await ledger.rulebook().freezes.values
        let (totals, rejections, funds, checkpoint) = try await ledger.read { (snapshot) throws(LedgerError) in
            (
                TokenTotals.sums(of: try Totals(snapshot)), try snapshot.rejections(), try snapshot.unfundedWallets(),
                try snapshot.newestEntries(of: .checkpoint, limit: 1).first.flatMap { Checkpoint($0.line)?.statement }
            )
        }
        return StatusReport(
            presence: DaemonPresence.look(at: state), configuration: configuration, configurationProblem: problem,
            chains: (ChainReport.read(in: state)?.chains ?? []).filter { networks.contains($0.network) },
            wallets: wallets, agents: agents,
            freezes: freezes.sorted { ($0.since, $0.scope.description) < ($1.since, $1.scope.description) },
            pauses: PausedPayments.list(
                rejections,
                limits: configuration.map { configuration in
                    Dictionary(configuration.gateways.map { ($0.name, $0.rejectionLimit) }, uniquingKeysWith: { $1 })
                }),
            pausedWallets: PausedWallet.list(funds), openCount: open.count, openValue: value, totals: totals,
            tunnels: TunnelReport.read(in: state), pots: PotReport.read(in: state), lastCheckpoint: checkpoint)
    }
}

/// Where the money of all agents in one token stands, in atomic units.
package struct TokenTotals: Sendable, Equatable {
    /// The token as `network/address`.
    package let asset: String
    /// Settled or confirmed.
    package private(set) var settled = UInt256.zero
    /// Set aside: somebody may still take it.
    package private(set) var exposed = UInt256.zero
    /// Taken to be spent, unproven.
    package private(set) var presumed = UInt256.zero
    /// Set aside once and free again.
    package private(set) var released = UInt256.zero

    /// Adds the agents up, by network and token.
    package static func sums(of totals: Totals) -> [TokenTotals] {
        var sums: [String: TokenTotals] = [:]
        for row in totals.rows {
            var sum = sums[row.asset] ?? TokenTotals(asset: row.asset)
            sum.settled = sum.settled.saturatingSum(row.settled)
            sum.exposed = sum.exposed.saturatingSum(row.exposed)
            sum.presumed = sum.presumed.saturatingSum(row.presumed)
            sum.released = sum.released.saturatingSum(row.released)
            sums[row.asset] = sum
        }
        return sums.values.sorted { $0.asset < $1.asset }
    }

    private init(asset: String) {
        self.asset = asset
    }
}
