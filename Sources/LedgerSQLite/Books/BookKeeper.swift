import GRDB
import Ledger
import Primitives

/// What the steps of one transaction work with: the writing connection and the ledger's clock.
final class BookKeeper {
    /// The connection, inside an IMMEDIATE transaction.
    let database: Database
    /// The number that other processes watch.
    let generation: RegistryGeneration
    private var last: Timestamp?

    init(database: Database, generation: RegistryGeneration) throws(Fault) {
        self.database = database
        self.generation = generation
        try reload()
    }

    /// Reads the ledger's time again after steps were undone.
    func reload() throws(Fault) {
        last = try LedgerTime.last(in: database)
    }

    /// Ledger time at a moment of the clock.
    func time(at now: Timestamp) -> Timestamp {
        LedgerTime.later(now, last)
    }

    /// Adds a line to a payment's history; `time` is ledger time.
    func note(_ state: PaymentState, of payment: Int64, at time: Timestamp, cause: String) throws(Fault) {
        var line = try Prepared(
            "INSERT INTO transitions (payment, at, state, cause) VALUES (?, ?, ?, ?)", in: database)
        line.bind(payment)
        line.bind(time.milliseconds)
        line.bind(state.rawValue)
        line.bind(cause)
        try line.run()
        last = time
    }
}

/// The clock of the books: it follows the wall clock and never goes back.
enum LedgerTime {
    /// The time of the newest line; nil in empty books.
    ///
    /// Lines are written in the order of their times, so that the last one is the latest.
    static func last(in database: Database) throws(Fault) -> Timestamp? {
        var newest = try Prepared("SELECT at FROM transitions ORDER BY sequence DESC LIMIT 1", in: database)
        return try newest.step() ? Timestamp(milliseconds: newest.integer()) : nil
    }

    /// The later of the clock and the books.
    static func later(_ now: Timestamp, _ last: Timestamp?) -> Timestamp {
        last.map { max(now, $0) } ?? now
    }
}
