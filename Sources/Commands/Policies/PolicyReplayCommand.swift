import ArgumentParser
import Audit
import Daemon
import Ledger
import Policy
import Primitives

struct PolicyReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Decide the payments of the past by a policy, and tell what would differ.",
        discussion: """
            What was paid before is worked out from the payments themselves. Caps and the gateways' own checks are not \
            decided again; payments of which the books no longer know request or terms are left out. Refusals that were \
            counted and not booked one by one cannot be decided; the result says how many there were.
            """)

    @Option(help: ArgumentHelp("The first day, UTC (default: the beginning).", valueName: "date"))
    var since: String?

    @OptionGroup var policy: PolicyFileOptions
    @OptionGroup var options: StateOptions

    func validate() throws {
        guard since.map({ Timestamp(utcDate: $0) != nil }) ?? true else {
            throw ValidationError("--since is a date such as 2026-11-22.")
        }
    }

    func run() async throws {
        let (file, _) = try policy.read(options)
        let rules = file.snapshot.rules
        let start = since.flatMap { Timestamp(utcDate: $0) }
        let replay = try await options.withLedger { ledger in
            try await ledger.read { (snapshot) throws(LedgerError) in
                try PolicyReplay(rules, since: start, in: snapshot)
            }
        }
        if options.json {
            JSONOutput.object { PolicyOutput.write(replay, to: &$0) }
        } else {
            PolicyOutput.show(replay)
        }
    }
}
