import ArgumentParser
import Daemon
import Ledger
import Primitives

struct LedgerEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erase URLs, models and sellers' texts of closed payments.",
        discussion: """
            Amounts, payees, states and hashes stay, so that the books still add up and the journal still holds; whether an \
            erased text was the one in the journal can no longer be checked. It cannot be undone.
            """)

    @Option(
        help: ArgumentHelp("Payments that were reserved before this UTC day.", valueName: "date"),
        transform: DateText.read)
    var before: Timestamp

    @Flag(help: "Really erase.")
    var yes = false

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard yes else { throw ValidationError("Erasing cannot be undone: repeat the command with --yes.") }
    }

    func run() async throws {
        let count = try await options.withLedger { ledger in
            try await ledger.erase(before: before, by: Operator.name, at: SystemClock().now())
        }
        if options.json {
            JSONOutput.object { text in
                text.field("before", before.description)
                text.field("erased", Int64(count))
            }
        } else {
            Console.print("Erased the texts of \(count) \(count == 1 ? "payment" : "payments").")
        }
    }
}

/// Dates as they are typed.
enum DateText {
    /// Reads `2026-11-22` as that day's midnight UTC.
    @Sendable static func read(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(utcDate: text) else {
            throw ValidationError("`\(text)` is not a date such as 2026-11-22.")
        }
        return time
    }
}
