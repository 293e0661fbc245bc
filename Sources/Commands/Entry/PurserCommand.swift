import ArgumentParser

/// The command `purser`.
struct PurserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purser",
        abstract: "Pays for agents' API calls, within caps, from wallets the agents never see.",
        discussion: """
            Everything lives in a state directory: --state DIR, or $XDG_STATE_HOME/purser, or ~/.local/state/purser. \
            Commands work beside a running daemon and without one. With --json, output is one line of JSON; \
            errors are always lines of text on standard error.

            Exit codes:
            \(CommandStatus.table)
            """,
        version: ProgramVersion.text,
        subcommands: [
            InitCommand.self, ServeCommand.self, StatusCommand.self, DemoCommand.self, SimulateCommand.self,
            ConfigCommand.self, PolicyCommand.self, AuthorityCommand.self, WalletCommand.self, AgentCommand.self,
            CapCommand.self, FreezeCommand.self,
            UnfreezeCommand.self, PaymentCommand.self, LedgerCommand.self,
        ])
}
