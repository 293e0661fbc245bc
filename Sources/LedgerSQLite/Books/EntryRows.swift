import GRDB
import Ledger
import Primitives

/// Rows of `entries`: the journal.
enum EntryRows {
    /// The end of the journal: what the next entry follows.
    struct Head: Equatable {
        /// The last number; 0 in empty books.
        let number: Int64
        /// The last time; nil in empty books.
        let at: Timestamp?
        /// The last hash.
        let hash: Bytes32

        /// Empty books.
        static let origin = Head(number: 0, at: nil, hash: JournalEntry.origin)

        /// The end behind an entry.
        init(_ entry: JournalEntry) {
            self.init(number: entry.number, at: entry.at, hash: entry.hash)
        }

        private init(number: Int64, at: Timestamp?, hash: Bytes32) {
            self.number = number
            self.at = at
            self.hash = hash
        }

        /// Reads the end of the journal.
        static func read(in database: Database) throws(Fault) -> Head {
            var newest = try Prepared("SELECT number, at, hash FROM entries ORDER BY number DESC LIMIT 1", in: database)
            guard try newest.step() else { return .origin }
            let number = try RowNumber.checked(newest.integer(), of: "entries")
            let at = newest.timestamp()
            guard let hash = newest.bytes32() else { throw .step(.damaged("entry \(number) has no hash")) }
            return Head(number: number, at: at, hash: hash)
        }

        /// Ledger time at a moment of the clock: it follows the clock and never goes back.
        func time(at now: Timestamp) -> Timestamp { at.map { max(now, $0) } ?? now }
    }

    /// Adds an entry; `payment` is the number of the payment it is about, `accounts` those of its transfer.
    static func insert(
        _ entry: JournalEntry, payment: Int64?, accounts: (debit: Int64, credit: Int64)?, into database: Database
    ) throws(Fault) {
        var row = try Prepared(
            """
            INSERT INTO entries (number, at, kind, payment, subject, cause, state, debit, credit, amount, actor, detail,
                terms, metadata, hash)
            VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """, in: database)
        let line = entry.line
        row.bind(entry.number)
        row.bind(entry.at)
        row.bind(line.kind.rawValue)
        row.bind(payment)
        row.bind(payment == nil ? line.subject : nil)
        row.bind(line.cause)
        row.bind(line.state?.rawValue)
        row.bind(accounts?.debit)
        row.bind(accounts?.credit)
        row.bind(line.transfer?.amount)
        row.bind(line.actor)
        row.bind(line.detail)
        row.bind(line.terms)
        row.bind(line.metadata)
        row.bind(entry.hash)
        try row.run()
    }

    private static let selection = """
        SELECT entries.number, at, kind, id, subject, cause, entries.state, debited.name, credited.name, debited.asset,
            entries.amount, actor, detail, terms, metadata, hash
        FROM entries LEFT JOIN payments ON payments.number = entries.payment
        LEFT JOIN accounts AS debited ON debited.number = entries.debit
        LEFT JOIN accounts AS credited ON credited.number = entries.credit
        """

    private static let pageSelection = selection + " WHERE entries.number >= ? ORDER BY entries.number LIMIT ?"
    private static let historySelection =
        selection
        + " WHERE entries.payment = (SELECT number FROM payments WHERE id = ?) ORDER BY entries.number"
    private static let kindSelection =
        selection
        + " WHERE entries.payment IS NULL AND kind <> 'metered' AND kind = ? ORDER BY entries.number DESC LIMIT ?"

    private static let subjectSelection =
        selection
        + " WHERE entries.payment IS NULL AND kind <> 'metered' AND kind = ? AND subject = ?"
        + " ORDER BY entries.number DESC LIMIT 1"

    /// Entries in order, from a number on.
    static func page(from number: Int64, limit: Int, in database: Database) throws(Fault) -> [JournalEntry] {
        var query = try Prepared(pageSelection, in: database)
        query.bind(number)
        query.bind(Int64(limit))
        return try all(&query)
    }

    /// One payment's entries, oldest first; empty when it is not in the books.
    static func history(of id: PaymentID, in database: Database) throws(Fault) -> [JournalEntry] {
        var query = try Prepared(historySelection, in: database)
        query.bind(id.bytes)
        return try all(&query)
    }

    /// The newest entries of a kind that is about no payment and no call, newest first.
    static func newest(
        _ kind: JournalLine.Kind, limit: Int, in database: Database
    ) throws(Fault) -> [JournalEntry] {
        var query = try Prepared(kindSelection, in: database)
        query.bind(kind.rawValue)
        query.bind(Int64(limit))
        return try all(&query)
    }

    /// The newest entry of a kind about a subject; nil when there is none.
    static func newest(
        _ kind: JournalLine.Kind, about subject: String, in database: Database
    ) throws(Fault) -> JournalEntry? {
        var query = try Prepared(subjectSelection, in: database)
        query.bind(kind.rawValue)
        query.bind(subject)
        return try all(&query).first
    }

    /// How many entries of a kind and cause there are about a subject that are later than a second, up to a limit.
    static func count(
        _ kind: JournalLine.Kind, _ cause: String, about subject: String, since second: Int64, upTo limit: Int,
        in database: Database
    ) throws(Fault) -> Int {
        var query = try Prepared(
            """
            SELECT at FROM entries WHERE payment IS NULL AND kind <> 'metered' AND kind = ? AND cause = ? AND subject = ?
            ORDER BY number DESC LIMIT ?
            """, in: database)
        query.bind(kind.rawValue)
        query.bind(cause)
        query.bind(subject)
        query.bind(Int64(limit))
        var count = 0
        while try query.step(), query.timestamp().seconds > second { count += 1 }
        return count
    }

    /// When a notice was last given about a subject; nil when it never was.
    static func lastNotice(
        _ cause: String, about subject: String, in database: Database
    ) throws(Fault) -> Timestamp? {
        var query = try Prepared(
            """
            SELECT at FROM entries WHERE payment IS NULL AND kind <> 'metered' AND kind = 'notice' AND cause = ?
            AND subject = ? ORDER BY number DESC LIMIT 1
            """, in: database)
        query.bind(cause)
        query.bind(subject)
        return try query.step() ? query.timestamp() : nil
    }

    /// Whether a notice later than a second was given about a subject whose detail meets a condition; newest first.
    static func hasNotice(
        _ cause: String, about subject: String, in database: Database, since second: Int64,
        where isMeant: (String?) -> Bool
    ) throws(Fault) -> Bool {
        var query = try Prepared(
            """
            SELECT at, detail FROM entries WHERE payment IS NULL AND kind <> 'metered' AND kind = 'notice' AND cause = ?
            AND subject = ? ORDER BY number DESC
            """, in: database)
        query.bind(cause)
        query.bind(subject)
        while try query.step() {
            guard query.timestamp().seconds > second else { return false }
            if isMeant(query.optionalText()) { return true }
        }
        return false
    }

    private static func all(_ query: inout Prepared) throws(Fault) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        while try query.step() { entries.append(try read(&query)) }
        return entries
    }

    private static func read(_ row: inout Prepared) throws(Fault) -> JournalEntry {
        let number = try RowNumber.checked(row.integer(), of: "entries")
        func damaged(_ what: String) -> Fault { .step(.damaged("entry \(number) has no valid \(what)")) }
        let at = row.timestamp()
        guard let kind = JournalLine.Kind(rawValue: row.text()) else { throw damaged("kind") }
        let payment = row.optionalBlob()
        let subject = row.optionalText()
        guard let subject = payment.map({ PaymentID(bytes: $0)?.description }) ?? subject else {
            throw damaged("subject")
        }
        let cause = row.text()
        let state = row.optionalText()
        guard state.map({ PaymentState(rawValue: $0) != nil }) ?? true else { throw damaged("state") }
        let transfer = try readTransfer(&row, number)
        let line = JournalLine(
            kind, subject: subject, cause: cause, state: state.flatMap(PaymentState.init(rawValue:)),
            transfer: transfer, actor: row.optionalText(), detail: row.optionalText(),
            terms: row.optionalBytes32(), metadata: row.optionalBytes32())
        guard let hash = row.bytes32() else { throw damaged("hash") }
        return JournalEntry(number: number, at: at, line: line, hash: hash)
    }

    private static func readTransfer(_ row: inout Prepared, _ number: Int64) throws(Fault) -> Transfer? {
        let debit = row.optionalText()
        let credit = row.optionalText()
        let asset = row.optionalText()
        let amount = row.optionalBytes32()
        guard let debit else { return nil }
        guard let from = Account(debit), let to = credit.flatMap({ Account($0) }), let asset, let amount else {
            throw .step(.damaged("entry \(number) has no valid transfer"))
        }
        return Transfer(debit: from, credit: to, asset: asset, amount: UInt256(bigEndian: amount))
    }

    /// The number of the first row of a table at or after a time, whose times never go back; one more than the last when
    /// there is none.
    ///
    /// A search by halves over the numbers, which have no gaps, so that no index over times is needed.
    static func first(
        since time: Timestamp, table: StaticString, column: StaticString, in database: Database
    ) throws(Fault) -> Int64 {
        var newest = try Prepared("SELECT max(number) FROM \(table)", in: database)
        let last = try newest.step() ? newest.integer() : 0
        var high = last == 0 ? 1 : try RowNumber.checked(last, of: table) + 1
        var low: Int64 = 1
        while low < high {
            let middle = low + (high - low) / 2
            var row = try Prepared("SELECT \(column) FROM \(table) WHERE number = ?", in: database)
            row.bind(middle)
            guard try row.step() else { throw .step(.damaged("row \(middle) of \(table) is missing")) }
            if row.timestamp() < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
