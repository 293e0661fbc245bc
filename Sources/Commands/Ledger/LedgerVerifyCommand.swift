import ArgumentParser
import Audit
import Daemon
import Ledger
import Primitives

struct LedgerVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Hold the books against themselves.",
        discussion: """
            First the file as a database, then numbers, times and hashes of all entries, each payment's history, sums, \
            balances, caps, and the signatures of payments and checkpoints. Ends with \(CommandStatus.unsound.rawValue) \
            where something does not hold, and names the first row of each check. A log that lost its end leaves books that \
            hold: only a checkpoint, or the number and hash of a later entry from elsewhere (--anchor), tell of it.
            """)

    @Option(
        name: .customLong("anchor"),
        help: ArgumentHelp(
            "An entry that must be there, as an earlier run or the daemon's log told it; may be repeated.",
            valueName: "number=hash"),
        transform: Self.anchor)
    var anchors: [JournalAnchor] = []

    @Option(
        name: .customLong("signer"),
        help: ArgumentHelp(
            "An account that may have signed checkpoints, besides those of the wallets; may be repeated.",
            valueName: "address"))
    var signers: [String] = []

    @OptionGroup var options: StateOptions

    @Sendable private static func anchor(_ text: String) throws -> JournalAnchor {
        guard let anchor = JournalAnchor(text) else {
            throw ValidationError("`\(text)` is not an entry's number and its hash, such as 17=0x….")
        }
        return anchor
    }

    func run() async throws {
        let state = try options.existing()
        let audit = LedgerAudit(state: state, random: SystemSources.random)
        let log = audit.logRemainder()
        let damage = try audit.damage()
        let tokens = try options.tokens()
        let accounts = try audit.signers(signers)
        var verdict: LedgerVerdict?
        var problem: String?
        do {
            // Kept at once: a damaged file may not even be closed in order.
            try await Books.with(state) { ledger in
                verdict = try await audit.verify(
                    ledger, assets: tokens.table, signers: accounts, anchors: anchors, at: SystemClock().now())
            }
        } catch let error as LedgerError {
            // What cannot be read is told with what was found in the file; without such a finding it is another matter.
            guard !damage.isEmpty || error.isDamage else { throw error }
            problem = error.description
        }
        if options.json {
            JSONOutput.object { VerdictOutput.write(verdict, damage: damage, problem: problem, to: &$0) }
        } else {
            VerdictOutput.show(verdict, damage: damage, file: state.ledgerFile)
        }
        if let log { Console.note(log) }
        guard let first = VerdictOutput.faults(verdict, damage: damage, problem: problem).first else { return }
        throw CommandFailure(.unsound, "the ledger is not sound: \(first)")
    }
}

extension LedgerError {
    fileprivate var isDamage: Bool {
        if case .damaged = self { true } else { false }
    }
}

/// What a verification found, for people and for programs.
enum VerdictOutput {
    /// Sentences about everything that does not hold, the file first.
    static func faults(_ verdict: LedgerVerdict?, damage: [String], problem: String?) -> [String] {
        damage + (verdict?.report.checks.compactMap { $0.failure?.sentence } ?? []) + (verdict?.missed ?? [])
            + (problem.map { [$0] } ?? [])
    }

    /// Adds the members of an object.
    static func write(_ verdict: LedgerVerdict?, damage: [String], problem: String?, to text: inout JSONText) {
        text.field("sound", faults(verdict, damage: damage, problem: problem).isEmpty)
        text.strings("damage", damage)
        text.field("problem", optional: problem)
        guard let verdict else { return }
        text.field("entries", verdict.last?.number ?? 0)
        text.field("last_hash", optional: verdict.last?.hash.description)
        text.field("last_at", optional: verdict.last?.at.description)
        text.strings("missed_anchors", verdict.missed)
        text.object("checkpoints") { text in
            let coverage = verdict.report.coverage
            text.field("last_day", optional: coverage.lastDay)
            text.field("last_entry", coverage.lastEntry)
            text.field("uncovered_entries", coverage.uncoveredEntries)
            text.field("open_days", coverage.openDays)
        }
        text.objects("checks", verdict.report.checks) { text, check in
            text.field("check", check.name.rawValue)
            text.field("examined", check.examined)
            text.field("skipped", check.skipped)
            text.field("holds", check.failure == nil)
            text.field("row", optional: check.failure?.row)
            text.field("problem", optional: check.failure?.sentence)
        }
    }

    /// Prints what was examined and what does not hold.
    static func show(_ verdict: LedgerVerdict?, damage: [String], file: String) {
        var facts = [(name: "ledger", value: file), (name: "file", value: damage.isEmpty ? "whole" : "damaged")]
        if let verdict {
            let coverage = verdict.report.coverage
            facts.append(
                (
                    name: "entries", value: verdict.last.map { "\($0.number), the last of \($0.at)" } ?? "none"
                ))
            if let last = verdict.last { facts.append((name: "anchor", value: "\(last.number)=\(last.hash)")) }
            facts.append(
                (
                    name: "checkpoints",
                    value: coverage.lastDay.map { "up to \($0), entry \(coverage.lastEntry)" } ?? "none"
                ))
        }
        Facts.show(facts)
        for line in damage { Console.print("  " + Printable.text(line)) }
        guard let verdict else { return }
        Console.print("")
        var table = Table([("CHECK", .left), ("EXAMINED", .right), ("SKIPPED", .right), ("RESULT", .left)])
        for check in verdict.report.checks {
            table.add([
                check.name.rawValue, "\(check.examined)", "\(check.skipped)",
                Printable.text(check.failure?.sentence ?? "holds"),
            ])
        }
        table.show()
        for sentence in verdict.missed { Console.print(sentence) }
        if damage.isEmpty, verdict.isSound {
            Console.print("")
            Console.print("The ledger is sound.")
        }
    }
}
