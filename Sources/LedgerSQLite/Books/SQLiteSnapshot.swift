import GRDB
import Ledger
import Primitives

/// One reading transaction of the books.
struct SQLiteSnapshot: LedgerSnapshot {
    let database: Database

    private func read<Value>(_ body: (Database) throws(Fault) -> Value) throws(LedgerError) -> Value {
        do {
            return try body(database)
        } catch {
            throw error.ledgerError
        }
    }

    func entries(from number: Int64, limit: Int) throws(LedgerError) -> [JournalEntry] {
        try read { (database) throws(Fault) in try EntryRows.page(from: number, limit: limit, in: database) }
    }

    func newestEntries(of kind: JournalLine.Kind, limit: Int) throws(LedgerError) -> [JournalEntry] {
        try read { (database) throws(Fault) in try EntryRows.newest(kind, limit: limit, in: database) }
    }

    func evidence(ofEntries range: ClosedRange<Int64>) throws(LedgerError) -> [Int64: PaymentEvidence] {
        try read { (database) throws(Fault) in try EvidenceRows.byEntry(range, in: database) }
    }

    func payments(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedPayment] {
        try read { (database) throws(Fault) in try PaymentQueries.page(from: number, limit: limit, in: database) }
    }

    func calls(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedCall] {
        try read { (database) throws(Fault) in try CallRows.page(from: number, limit: limit, in: database) }
    }

    func firstEntry(since time: Timestamp) throws(LedgerError) -> Int64 {
        try read { (database) throws(Fault) in
            try EntryRows.first(since: time, table: "entries", column: "at", in: database)
        }
    }

    func firstPayment(since time: Timestamp) throws(LedgerError) -> Int64 {
        try read { (database) throws(Fault) in
            try EntryRows.first(since: time, table: "payments", column: "reserved_at", in: database)
        }
    }

    func balances() throws(LedgerError) -> [AccountBalance] {
        try read { (database) throws(Fault) in try AccountRows.balances(in: database) }
    }

    func rules() throws(LedgerError) -> Rulebook {
        try read { (database) throws(Fault) in try AgentRows.rulebook(in: database) }
    }

    func rejections() throws(LedgerError) -> [String: GatewayRejections] {
        try read { (database) throws(Fault) in try RejectionRows.all(in: database) }
    }

    func firstCountedRejection() throws(LedgerError) -> Int64 {
        try read { (database) throws(Fault) in try RejectionRows.firstCounted(in: database) }
    }

    func unfundedWallets() throws(LedgerError) -> UnfundedWallets {
        try read { (database) throws(Fault) in try FundsRows.all(in: database) }
    }

    func counter(of key: Cap.Key) throws(LedgerError) -> CapCounter? {
        try read { (database) throws(Fault) in try CapRows.find(key, in: database)?.counter }
    }

    func recounted(_ cap: Cap, at now: Timestamp) throws(LedgerError) -> CapCounter {
        try read { (database) throws(Fault) in
            let time = try EntryRows.Head.read(in: database).time(at: now)
            return try CapRows.recount(cap, at: time, in: database)
        }
    }

    /// The use of caps at ledger time; the caps are chosen from the rules.
    func usage(
        at now: Timestamp, of choice: (Rulebook) throws(Fault) -> [Cap]
    ) throws(Fault) -> [CapUsage] {
        let time = try EntryRows.Head.read(in: database).time(at: now)
        var lines: [CapUsage] = []
        for cap in try choice(try AgentRows.rulebook(in: database)) {
            guard let row = try CapRows.find(cap.key, in: database) else {
                throw .batch(.damaged("the cap of \"\(cap.scope)\" is missing"))
            }
            lines.append(CapUsage(cap: cap, counter: row.counter, at: time))
        }
        return lines
    }

    /// The statement of the last closed day that has entries and no checkpoint yet; nil when there is none.
    func dueCheckpoint(at now: Timestamp) throws(Fault) -> CheckpointStatement? {
        let today = Timestamp.startOfUTCDay(try EntryRows.Head.read(in: database).time(at: now).utcDay)
        let next = try EntryRows.first(since: today, table: "entries", column: "at", in: database)
        guard let last = try EntryRows.page(from: next - 1, limit: 1, in: database).first, last.number < next else {
            return nil
        }
        let signed = try EntryRows.newest(.checkpoint, limit: 1, in: database).first.flatMap { Checkpoint($0.line) }
        return (signed?.statement.entries ?? 0) < last.number ? CheckpointStatement(closing: last) : nil
    }
}
