import GRDB
import Ledger

/// What the writing connection itself says of its settings.
package struct ConnectionSettings: Sendable, Equatable {
    /// `PRAGMA synchronous`: 2 is FULL, every commit is flushed.
    package let synchronous: Int
    /// `PRAGMA journal_mode`.
    package let journalMode: String
    /// Whether references between tables are enforced.
    package let foreignKeys: Bool
    /// Whether the schema may call any function.
    package let trustedSchema: Bool

    init(_ database: Database) throws(Fault) {
        func pragma(_ name: String) throws(Fault) -> String {
            var query = try Prepared("PRAGMA \(name)", in: database)
            return try query.step() ? query.text() : ""
        }
        synchronous = Int(try pragma("synchronous")) ?? -1
        journalMode = try pragma("journal_mode")
        foreignKeys = try pragma("foreign_keys") == "1"
        trustedSchema = try pragma("trusted_schema") != "0"
    }

    /// Whether a power cut forgets nothing that was committed.
    package var isDurable: Bool { synchronous == 2 && journalMode == "wal" }
}
