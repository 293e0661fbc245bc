import Ledger
import Primitives

/// Whether each call of a prepaid gateway has its row and its entry.
///
/// An entry is written in the step that makes the row, so both come in the same order.
struct CallCheck {
    private let snapshot: any LedgerSnapshot
    private var page: ArraySlice<NumberedCall> = []
    private var number = Int64.min
    private let pageSize = 1000

    init(_ snapshot: any LedgerSnapshot) { self.snapshot = snapshot }

    private mutating func next() throws(LedgerError) -> NumberedCall? {
        if page.isEmpty { page = try snapshot.calls(from: number, limit: pageSize)[...] }
        guard let call = page.popFirst() else { return nil }
        number = call.number + 1
        return call
    }

    /// Takes the next entry; those about something else are passed over.
    mutating func examine(_ entry: JournalEntry, _ findings: inout Findings) throws(LedgerError) {
        guard entry.line.kind == .metered else { return }
        let row = try next()
        findings.examine(
            .calls, "entry \(entry.number)",
            holds: row.map { entry.line == .metered($0.call) && entry.at == $0.at } ?? false,
            row.map { "is not of call \($0.number) as its row has it now" } ?? "is of a call that has no row")
    }

    /// Looks for rows without entries.
    mutating func finish(_ findings: inout Findings) throws(LedgerError) {
        while let row = try next() {
            findings.examine(.calls, "call \(row.number)", holds: false, "has a row and no entry")
        }
    }
}
