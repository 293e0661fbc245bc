import GRDB
import Ledger

/// One numbered step of the schema.
///
/// A migration that was ever released is never edited; a change is a new one at the end.
struct Migration: Sendable {
    /// 1, 2, 3, … without gaps.
    let number: Int64
    /// A few words for the table of applied migrations and for error messages.
    let name: String
    /// The statements.
    let sql: String

    /// All migrations in order.
    static let all = [books, unreadModels, deliveries, rejections, agentsApart, fundsByAgent]
}

/// Brings a ledger file to this program's schema.
enum SchemaUpgrade {
    /// Written to the file's header so that another program's database is never taken for a ledger: `PURS`.
    static let applicationID: Int64 = 0x5055_5253

    /// Applies what is missing, inside the caller's IMMEDIATE transaction, so that two processes cannot both do it.
    ///
    /// Throws `newerSchema` when a migration is applied that this program does not know.
    static func apply(_ migrations: [Migration], to database: Database) throws(Fault) {
        try checkOwner(of: database)
        try execute(
            """
            CREATE TABLE IF NOT EXISTS migrations (
                number INTEGER PRIMARY KEY CHECK (number > 0),
                name TEXT NOT NULL
            ) STRICT
            """, in: database)
        var applied: Int64 = 0
        var query = try Prepared("SELECT number, name FROM migrations ORDER BY number", in: database)
        while try query.step() {
            let number = query.integer()
            let name = query.text()
            guard let known = migrations.first(where: { $0.number == number }), known.name == name else {
                throw .batch(.newerSchema("\(number) \(name)"))
            }
            applied = number
        }
        for migration in migrations where migration.number > applied {
            try execute(migration.sql, in: database)
            var note = try Prepared("INSERT INTO migrations (number, name) VALUES (?, ?)", in: database)
            note.bind(migration.number)
            note.bind(migration.name)
            try note.run()
        }
    }

    private static func checkOwner(of database: Database) throws(Fault) {
        var header = try Prepared("PRAGMA application_id", in: database)
        let owner = try header.step() ? header.integer() : 0
        guard owner != applicationID else { return }
        var schema = try Prepared("SELECT count(*) FROM sqlite_schema", in: database)
        guard owner == 0, try schema.step(), schema.integer() == 0 else {
            throw .batch(.storage("the file is a database, but not a ledger"))
        }
        try execute("PRAGMA application_id = \(applicationID)", in: database)
    }

    private static func execute(_ sql: String, in database: Database) throws(Fault) {
        do {
            try database.execute(sql: sql)
        } catch {
            throw Fault(error)
        }
    }
}
