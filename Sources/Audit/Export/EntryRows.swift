import Ledger
import Primitives

/// The journal's entries as JSON, one object a line, with every field that the hash covers.
enum EntryRows {
    /// Writes the entries of a period.
    static func write(
        _ snapshot: any LedgerSnapshot, of period: Period, to sink: ([UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        let numbers = try period.entries(in: snapshot)
        try snapshot.forEachEntry(from: numbers.first, to: numbers.behind - 1) { (entry) throws(LedgerError) in
            try sink(line(entry))
        }
    }

    private static func line(_ entry: JournalEntry) -> [UInt8] {
        var text = JSONText()
        text.object { text in
            text.field("number", entry.number)
            text.field("at", entry.at.exactText)
            text.field("at_ms", entry.at.milliseconds)
            text.field("kind", entry.line.kind.rawValue)
            text.field("subject", entry.line.subject)
            text.field("cause", entry.line.cause)
            text.field("state", optional: entry.line.state?.rawValue)
            text.field("debit", optional: entry.line.transfer?.debit.description)
            text.field("credit", optional: entry.line.transfer?.credit.description)
            text.field("asset", optional: entry.line.transfer?.asset)
            text.field("amount", optional: entry.line.transfer?.amount.description)
            text.field("actor", optional: entry.line.actor)
            text.field("detail", optional: entry.line.detail)
            text.field("terms", optional: entry.line.terms?.description)
            text.field("metadata", optional: entry.line.metadata?.description)
            text.field("hash", entry.hash.description)
        }
        return text.bytes + [UInt8(ascii: "\n")]
    }
}
