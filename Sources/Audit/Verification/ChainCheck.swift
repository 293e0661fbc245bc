import Ledger
import Primitives

/// Numbers, time and hashes of the journal.
struct ChainCheck {
    /// The number of the last entry; 0 before the first.
    private(set) var number: Int64 = 0
    /// The time of the last entry.
    private(set) var time: Timestamp?
    private var hash = JournalEntry.origin

    /// Holds an entry against the one before.
    mutating func examine(_ entry: JournalEntry, _ findings: inout Findings) {
        let row = "entry \(entry.number)"
        findings.examine(.numbers, row, holds: entry.number == number + 1, "stands behind entry \(number)")
        findings.examine(
            .time, row, holds: time.map { $0 <= entry.at } ?? true,
            "is of \(entry.at), before the entry in front of it")
        let expected = JournalEntry.hash(of: entry.line, number: entry.number, at: entry.at, behind: hash)
        findings.examine(
            .chain, row, holds: expected == entry.hash,
            "has the hash \(entry.hash), but its content and the hash before give \(expected)")
        number = entry.number
        time = entry.at
        // The stored hash goes on, so that one altered entry is one failure and not the whole rest.
        hash = entry.hash
    }
}

/// What entries move that are not about payments.
enum TransferCheck {
    /// Holds an entry's transfer against what its kind allows.
    static func examine(_ entry: JournalEntry, _ findings: inout Findings) {
        let line = entry.line
        let holds =
            switch (line.kind, line.transfer) {
            case (.metered, let transfer?): transfer == call(of: line, booking: transfer)
            case (.adjustment, let transfer?): transfer == adjustment(of: line, booking: transfer)
            case (.metered, nil), (.adjustment, nil): false
            case (_, let transfer): transfer == nil
            }
        findings.examine(
            .transfers, "entry \(entry.number)", holds: holds, "does not move what a line of its kind moves")
    }

    private static func call(of line: JournalLine, booking transfer: Transfer) -> Transfer? {
        guard case .prepaid(let gateway) = transfer.credit else { return nil }
        return MeteredCall(agent: line.subject, team: nil, gateway: gateway, host: "").transfer
    }

    private static func adjustment(of line: JournalLine, booking transfer: Transfer) -> Transfer? {
        guard let kind = Adjustment.Kind(rawValue: line.cause) else { return nil }
        return Adjustment(
            kind: kind, wallet: line.subject, asset: transfer.asset, amount: transfer.amount, note: nil
        ).transfer
    }
}
