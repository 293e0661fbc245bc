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
    /// The wallets.
    package let wallets: [WalletOverview]
    /// The agents and the use of their caps.
    package let agents: [AgentOverview]
    /// How many payments may still be settled by somebody.
    package let openCount: Int
    /// What they are worth.
    package let openValue: Dollars

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
        return StatusReport(
            presence: DaemonPresence.look(at: state), configuration: configuration, configurationProblem: problem,
            wallets: wallets, agents: agents, openCount: open.count, openValue: value)
    }
}
