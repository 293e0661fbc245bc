import GRDB
import Ledger
import Primitives

/// What the writing connection knows of the books, so that a payment reads and writes no row that the one before it had
/// in hand already.
///
/// It is true as long as nobody else writes: every transaction asks SQLite for that, and throws the set away otherwise.
/// Balances and counters that changed are written once, at the end of the transaction. A step changes the set only
/// behind the last statement that can fail for a reason of its own; whatever fails later undoes the whole transaction,
/// and the set with it.
struct WorkingSet {
    /// The end of the journal.
    private(set) var head: EntryRows.Head
    /// Agents, caps and freezes.
    private(set) var rulebook: Rulebook
    private var accounts: [AccountRows.Key: AccountRows.Row] = [:]
    private var counters: [Cap.Key: CapRows.Row] = [:]
    private var changedAccounts: Set<AccountRows.Key> = []
    private var changedCounters: Set<Cap.Key> = []
    /// The most rows that are kept between transactions.
    private static let limit = 10_000

    /// Reads what every step needs.
    init(reading database: Database) throws(Fault) {
        head = try EntryRows.Head.read(in: database)
        rulebook = try AgentRows.rulebook(in: database)
    }

    // MARK: The journal

    /// Goes behind an entry that was added.
    mutating func follow(_ entry: JournalEntry) { head = EntryRows.Head(entry) }

    // MARK: Accounts

    /// Moves an amount and returns the numbers of the accounts.
    mutating func move(_ transfer: Transfer, in database: Database) throws(Fault) -> (debit: Int64, credit: Int64) {
        let debit = AccountRows.Key(account: transfer.debit, asset: transfer.asset)
        let credit = AccountRows.Key(account: transfer.credit, asset: transfer.asset)
        var debited = try account(debit, in: database)
        var credited = try account(credit, in: database)
        guard let debits = debited.debits.adding(transfer.amount),
            let credits = credited.credits.adding(transfer.amount)
        else { throw .step(.unsound("an account of \(transfer.asset) cannot hold so much")) }
        debited.debits = debits
        credited.credits = credits
        accounts[debit] = debited
        accounts[credit] = credited
        changedAccounts.insert(debit)
        changedAccounts.insert(credit)
        return (debited.number, credited.number)
    }

    private func account(_ key: AccountRows.Key, in database: Database) throws(Fault) -> AccountRows.Row {
        if let known = accounts[key] { return known }
        if let row = try AccountRows.find(key, in: database) { return row }
        return try AccountRows.insert(key, into: database)
    }

    // MARK: Caps

    /// The use of caps at a moment of ledger time; `spend` is what would have to fit.
    mutating func usage(
        of caps: [Cap], toFit spend: Spend?, at time: Timestamp, in database: Database
    ) throws(Fault) -> [CapUsage] {
        var lines: [CapUsage] = []
        lines.reserveCapacity(caps.count)
        for cap in caps {
            lines.append(
                CapUsage(
                    cap: cap, counter: try counter(cap.key, in: database).counter,
                    toFit: spend?.quantity(of: cap.limit.measure) ?? .zero, at: time))
        }
        return lines
    }

    /// Takes a spend along from one state to the next in every cap that counts it.
    mutating func count(
        _ spend: Spend, in caps: [Cap], reservedAt: Timestamp, from: PaymentState?, to: PaymentState,
        at time: Timestamp, database: Database
    ) throws(Fault) {
        guard from?.isCounted ?? false != to.isCounted || from?.isOpen ?? false != to.isOpen else { return }
        for cap in caps where cap.limit.window != .request {
            var row = try counter(cap.key, in: database)
            row.counter.move(
                spend.quantity(of: cap.limit.measure), reservedAt: reservedAt, in: cap.limit.window, from: from, to: to,
                at: time)
            counters[cap.key] = row
            changedCounters.insert(cap.key)
        }
    }

    private mutating func counter(_ key: Cap.Key, in database: Database) throws(Fault) -> CapRows.Row {
        if let known = counters[key] { return known }
        guard let row = try CapRows.find(key, in: database) else {
            throw .batch(.damaged("the cap of \"\(key.scope)\" is missing"))
        }
        counters[key] = row
        return row
    }

    // MARK: The end of a transaction

    /// Writes what changed.
    mutating func flush(to database: Database) throws(Fault) {
        for key in changedAccounts { if let row = accounts[key] { try AccountRows.write(row, in: database) } }
        for key in changedCounters { if let row = counters[key] { try CapRows.write(row, in: database) } }
        changedAccounts = []
        changedCounters = []
        if accounts.count > Self.limit { accounts = [:] }
        if counters.count > Self.limit { counters = [:] }
    }

    /// Reads agents, caps and freezes again, after what changed was written.
    mutating func reloadRules(from database: Database) throws(Fault) {
        try flush(to: database)
        counters = [:]
        rulebook = try AgentRows.rulebook(in: database)
    }
}
