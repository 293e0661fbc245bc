import GRDB
import Ledger
import Primitives

/// Performs the steps of one transaction after the other on the writing connection.
final class BookKeeper {
    /// The connection, inside an IMMEDIATE transaction whenever a step runs.
    let database: Database
    /// The number that other processes watch.
    let generation: RegistryGeneration
    /// What is known of the books.
    var known: WorkingSet
    /// SQLite's number of the newest change by anybody else.
    private let version: Int64

    /// Reads what steps need, inside a transaction.
    init(database: Database, generation: RegistryGeneration) throws(Fault) {
        self.database = database
        self.generation = generation
        version = try Self.version(of: database)
        known = try WorkingSet(reading: database)
    }

    /// Whether nobody else has written since this was made; asked inside a transaction.
    func isCurrent() throws(Fault) -> Bool { try Self.version(of: database) == version }

    private static func version(of database: Database) throws(Fault) -> Int64 {
        var query = try Prepared("PRAGMA data_version", in: database)
        return try query.step() ? query.integer() : -1
    }

    /// Ledger time at a moment of the clock.
    func time(at now: Timestamp) -> Timestamp { known.head.time(at: now) }

    /// Adds an entry to the journal, moves what it moves, and returns its number; `time` is ledger time.
    @discardableResult
    func write(_ line: JournalLine, of payment: Int64? = nil, at time: Timestamp) throws(Fault) -> Int64 {
        let entry = JournalEntry(line, number: known.head.number + 1, at: time, behind: known.head.hash)
        let accounts = try line.transfer.map { (transfer) throws(Fault) in try known.move(transfer, in: database) }
        try EntryRows.insert(entry, payment: payment, accounts: accounts, into: database)
        known.follow(entry)
        return entry.number
    }

    /// Adds an entry about a payment, and what its step left as proof.
    func write(
        _ line: JournalLine, of payment: Int64, leaving evidence: PaymentEvidence, at time: Timestamp
    ) throws(Fault) {
        let entry = try write(line, of: payment, at: time)
        guard evidence != PaymentEvidence() else { return }
        try EvidenceRows.insert(evidence, of: payment, entry: entry, into: database)
    }

    /// How far the clock is behind the books, when that is too far to go on.
    func clock(behind time: Timestamp, _ now: Timestamp) -> ReservationRefusal? {
        let seconds = time.seconds - now.seconds
        return seconds > ReservationRefusal.clockTolerance ? .clockBehind(seconds: seconds) : nil
    }
}
