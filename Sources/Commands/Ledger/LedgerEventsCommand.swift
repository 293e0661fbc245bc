import ArgumentParser
import Daemon
import Ledger
import Primitives

struct LedgerEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What operators did and should hear of, newest last.",
        discussion: """
            Notices; refusals that were counted and not booked one by one; changes of agents, caps, freezes, policies and wallets' accounts, with who made them; sign-ins, \
            approvals, adjustments and erasures.
            """)

    private static let kinds: [JournalLine.Kind] = [
        .notice, .agent, .cap, .freeze, .adjustment, .erasure, .signIn, .approval, .policy, .wallet,
    ]

    @Option(help: ArgumentHelp("Only from this UTC day on.", valueName: "date"), transform: DateText.read)
    var since: Timestamp?

    @Option(help: ArgumentHelp("At most the newest so many (up to 100000).", valueName: "n"))
    var limit = 1000

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit is from 1 to 100000.") }
    }

    func run() async throws {
        let entries = try await options.withLedger { [limit, since] ledger in
            try await ledger.read { (snapshot) throws(LedgerError) in
                var entries: [JournalEntry] = []
                for kind in Self.kinds { entries += try snapshot.newestEntries(of: kind, limit: limit) }
                let wanted = entries.filter { entry in since.map { entry.at >= $0 } ?? true }
                let newest = wanted.sorted { $0.number < $1.number }.suffix(limit)
                // An agent that is refused all day pushes nothing else out of the list.
                let counted = try snapshot.newestEntries(of: .refusals, limit: limit).filter { entry in
                    since.map { entry.at >= $0 } ?? true && entry.number > (newest.first?.number ?? 0)
                }
                return (newest + counted).sorted { $0.number < $1.number }
            }
        }
        if options.json {
            JSONOutput.array(entries) { Self.write($1, to: &$0) }
        } else {
            Self.show(entries)
        }
        if entries.count >= limit { Console.note("there may be more than \(limit): see --limit") }
    }

    private static func write(_ entry: JournalEntry, to text: inout JSONText) {
        text.field("number", entry.number)
        text.field("at", entry.at.description)
        text.field("kind", entry.line.kind.rawValue)
        text.field("subject", entry.line.subject)
        text.field("cause", entry.line.cause)
        text.field("by", optional: entry.line.actor)
        text.field("detail", optional: entry.line.detail)
    }

    private static func show(_ entries: [JournalEntry]) {
        guard !entries.isEmpty else {
            Console.print("no events")
            return
        }
        var table = Table([
            ("ENTRY", .right), ("TIME", .left), ("KIND", .left), ("SUBJECT", .left), ("CAUSE", .left), ("BY", .left),
            ("DETAIL", .left),
        ])
        for entry in entries {
            let line = entry.line
            table.add(
                ["\(entry.number)", entry.at.description, line.kind.rawValue]
                    + [line.subject, line.cause, line.actor ?? "", line.detail ?? ""].map(Printable.text))
        }
        table.show()
    }
}
