import ArgumentParser

/// The command `purser ledger`.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "The books: check them, write them out, report on them.",
        subcommands: [
            LedgerVerifyCommand.self, LedgerExportCommand.self, LedgerReportCommand.self, LedgerEventsCommand.self,
            LedgerAdjustCommand.self, LedgerEraseCommand.self,
        ])
}
