import GRDB
import Ledger
import Primitives

/// What the writing connection knows of the books, so that a payment reads and writes no row that the one before it had
/// in hand already.
///
/// It is true as long as nobody else writes: every transaction asks SQLite for that, and throws the set away otherwise.
/// Balances and counters that changed are written once, at the end of the transaction. When anything is undone that had
/// changed the books or the set, the set is thrown away too.
struct WorkingSet {
    /// The end of the journal.
    private(set) var head: EntryRows.Head
    /// Agents, caps and freezes.
    private(set) var rulebook: Rulebook
    /// Whether an answer of any payment did not arrive or was a failure: where none was, no request asks for it.
    private(set) var mayHold: Bool
    /// The wallets that have too little of a token.
    private(set) var funds: UnfundedWallets
    private var accounts = Slots<AccountRows.Key, AccountRows.Row>()
    private var counters = Slots<Cap.Key, CapRows.Row>()
    private var rejections: [String: GatewayRejections] = [:]
    private var reserved: [PaymentID: NumberedPayment] = [:]
    /// The most rows that are kept between transactions.
    private static let limit = 10_000
    /// The most payments that are kept, of a few KiB each.
    private static let reservedLimit = 2000

    /// Reads what every step needs.
    init(reading database: Database) throws(Fault) {
        head = try EntryRows.Head.read(in: database)
        rulebook = try AgentRows.rulebook(in: database)
        mayHold = try PaymentQueries.anyHeld(in: database)
        funds = try FundsRows.all(in: database)
    }

    /// Grows with every change of what the set says of the books.
    private(set) var changes = 0

    // MARK: The journal

    /// Goes behind an entry that was added.
    mutating func follow(_ entry: JournalEntry) {
        head = EntryRows.Head(entry)
        changes += 1
    }

    // MARK: Accounts

    /// Moves an amount and returns the numbers of the accounts.
    mutating func move(_ transfer: Transfer, in database: Database) throws(Fault) -> (debit: Int64, credit: Int64) {
        let debit = try account(transfer.debit, of: transfer.asset, in: database)
        let credit = try account(transfer.credit, of: transfer.asset, in: database)
        guard let debits = accounts[debit].debits.adding(transfer.amount),
            let credits = accounts[credit].credits.adding(transfer.amount)
        else { throw .step(.unsound("an account of \(transfer.asset) cannot hold so much")) }
        changes += 1
        accounts.change(debit) { $0.debits = debits }
        accounts.change(credit) { $0.credits = credits }
        return (accounts[debit].number, accounts[credit].number)
    }

    private mutating func account(
        _ account: Account, of asset: String, in database: Database
    ) throws(Fault) -> Int {
        let key = AccountRows.Key(account: account, asset: asset)
        if let slot = accounts.slot(of: key) { return slot }
        if let row = try AccountRows.find(key, in: database) { return accounts.add(row, as: key) }
        return accounts.add(try AccountRows.insert(key, into: database), as: key)
    }

    // MARK: Caps

    /// Where the counters of caps are, for as long as one step runs.
    mutating func slots(of caps: [Cap], in database: Database) throws(Fault) -> [CountedCap] {
        var counted: [CountedCap] = []
        counted.reserveCapacity(caps.count)
        for cap in caps { counted.append(CountedCap(cap: cap, slot: try counter(cap.key, in: database))) }
        return counted
    }

    /// The use of caps at a moment of ledger time; `spend` is what would have to fit.
    func usage(of caps: [CountedCap], toFit spend: Spend?, at time: Timestamp) -> [CapUsage] {
        caps.map { counted in
            CapUsage(
                cap: counted.cap, counter: counters[counted.slot].counter,
                toFit: spend?.quantity(of: counted.cap.limit.measure) ?? .zero, at: time)
        }
    }

    /// Takes a spend along from one state to the next in every cap that counts it.
    mutating func count(
        _ spend: Spend, in caps: [CountedCap], reservedAt: Timestamp, from: PaymentState?, to: PaymentState,
        at time: Timestamp
    ) {
        guard from?.isCounted ?? false != to.isCounted || from?.isOpen ?? false != to.isOpen else { return }
        changes += 1
        for counted in caps where counted.cap.limit.window != .request {
            counters.change(counted.slot) { row in
                row.counter.move(
                    spend.quantity(of: counted.cap.limit.measure), reservedAt: reservedAt,
                    in: counted.cap.limit.window, from: from, to: to, at: time)
            }
        }
    }

    private mutating func counter(_ key: Cap.Key, in database: Database) throws(Fault) -> Int {
        if let slot = counters.slot(of: key) { return slot }
        guard let row = try CapRows.find(key, in: database) else {
            throw .step(.damaged("the cap of \"\(key.scope)\" is missing"))
        }
        return counters.add(row, as: key)
    }

    // MARK: Payments and gateways

    /// A payment by its name, or nil.
    func payment(_ id: PaymentID, in database: Database) throws(Fault) -> NumberedPayment? {
        if let known = reserved[id] { return known }
        return try PaymentRows.find(id, in: database)
    }

    /// Keeps a payment that was just set aside, since its outcome will be booked soon.
    mutating func keep(_ payment: NumberedPayment) {
        changes += 1
        if reserved.count >= Self.reservedLimit { reserved = [:] }
        reserved[payment.record.id] = payment
    }

    /// Lets go of a payment that has taken a step.
    mutating func release(_ id: PaymentID) {
        changes += 1
        reserved[id] = nil
    }

    /// Lets go of a payment that was changed in its row, by the row's number.
    mutating func release(number: Int64) {
        changes += 1
        reserved = reserved.filter { $0.value.number != number }
    }

    /// Takes note of what became of an answer.
    mutating func note(_ delivery: Delivery?) {
        changes += 1
        if delivery?.fate.holds == true { mayHold = true }
    }

    /// What a gateway rejected.
    mutating func rejections(at gateway: String, in database: Database) throws(Fault) -> GatewayRejections {
        if let known = rejections[gateway] { return known }
        let found = try RejectionRows.find(gateway, in: database)
        rejections[gateway] = found
        return found
    }

    /// Changes what is kept of a gateway's rejections, and writes it.
    mutating func changeRejections(
        at gateway: String, in database: Database, _ change: (inout GatewayRejections) throws(Fault) -> Void
    ) throws(Fault) {
        let old = try rejections(at: gateway, in: database)
        var new = old
        try change(&new)
        guard new != old else { return }
        changes += 1
        try RejectionRows.write(new, over: old, of: gateway, in: database)
        rejections[gateway] = new
    }

    /// Changes what is kept of wallets without funds, and writes it.
    mutating func changeFunds(
        in database: Database, _ change: (inout UnfundedWallets) -> Void
    ) throws(Fault) {
        var new = funds
        change(&new)
        guard new != funds else { return }
        changes += 1
        try FundsRows.write(new, over: funds, in: database)
        funds = new
    }

    // MARK: The end of a transaction

    /// Writes what changed.
    mutating func flush(to database: Database) throws(Fault) {
        try accounts.write { (row) throws(Fault) in try AccountRows.write(row, in: database) }
        try counters.write { (row) throws(Fault) in try CapRows.write(row, in: database) }
    }

    /// Forgets rows when they have become many; between transactions.
    mutating func trim() {
        if accounts.count > Self.limit { accounts = Slots() }
        if counters.count > Self.limit { counters = Slots() }
        if rejections.values.reduce(0, { $0 + $1.agents.count + 1 }) > Self.limit { rejections = [:] }
    }

    /// Reads agents, caps and freezes again, after what changed was written.
    mutating func reloadRules(from database: Database) throws(Fault) {
        try flush(to: database)
        counters = Slots()
        rulebook = try AgentRows.rulebook(in: database)
    }
}

/// A cap and where its counter is.
struct CountedCap {
    /// The cap.
    let cap: Cap
    /// The counter's place.
    let slot: Int
}

/// Rows at fixed places, so that a step looks up each of them once, and which of them have changed.
struct Slots<Key: Hashable, Row> {
    private var places: [Key: Int] = [:]
    private var rows: [Row] = []
    private var isChanged: [Bool] = []
    private var changed: [Int] = []

    /// How many rows there are.
    var count: Int { rows.count }

    /// Where a row is; nil when it is not known.
    func slot(of key: Key) -> Int? { places[key] }

    /// Adds a row as it stands in the books.
    mutating func add(_ row: Row, as key: Key) -> Int {
        let slot = rows.count
        rows.append(row)
        isChanged.append(false)
        places[key] = slot
        return slot
    }

    /// The row at a place.
    subscript(_ slot: Int) -> Row { rows[slot] }

    /// Changes the row at a place.
    mutating func change(_ slot: Int, _ body: (inout Row) -> Void) {
        body(&rows[slot])
        if isChanged[slot] { return }
        isChanged[slot] = true
        changed.append(slot)
    }

    /// Hands over what has changed since the last time.
    mutating func write(_ body: (Row) throws(Fault) -> Void) throws(Fault) {
        for slot in changed {
            try body(rows[slot])
            isChanged[slot] = false
        }
        changed.removeAll(keepingCapacity: true)
    }
}
