import GRDB
import Ledger

/// How the connections of a ledger are set up.
enum Connections {
    /// Memory for pages of the writing connection, in KiB: keeps the upper levels of large indexes at hand.
    private static let writerCacheKibibytes = 32 * 1024
    /// Pages of the log at which it is folded into the file: four times SQLite's own, so that pages that many payments
    /// touch are written less often.
    private static let checkpointPages = 4000

    /// Opens the pool: one writer, a few readers, write-ahead log, every commit flushed to the disk.
    ///
    /// Throws `storage` when a commit would not be flushed: a payment could be signed that a power cut forgets.
    static func open(path: String, settings: SQLiteLedger.Settings) throws(LedgerError) -> DatabasePool {
        try LedgerFiles.prepare(path: path)
        var configuration = Configuration()
        configuration.label = "ledger"
        configuration.maximumReaderCount = 4
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(settings.busyTimeout.seconds)
        configuration.prepareDatabase { database in
            // Functions and virtual tables that a doctored schema could name must not run.
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
            // Savepoint journals stay in memory: on disk they would be flushed for nothing.
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                try makeDurable(database)
                try database.execute(sql: "PRAGMA cache_size = -\(writerCacheKibibytes)")
                try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
                if let pages = settings.maximumPages {
                    try database.execute(sql: "PRAGMA max_page_count = \(pages)")
                }
            }
            return pool
        } catch {
            throw Fault(error).ledgerError
        }
    }

    /// Sets and reads back what durability rests on.
    ///
    /// The pool sets `synchronous = NORMAL` itself when it switches to the write-ahead log, so this comes after.
    private static func makeDurable(_ database: Database) throws {
        #if canImport(Darwin)
        try database.execute(sql: "PRAGMA fullfsync = 1")
        try database.execute(sql: "PRAGMA checkpoint_fullfsync = 1")
        #endif
        try database.execute(sql: "PRAGMA synchronous = FULL")
        guard try ConnectionSettings(database).isDurable else {
            throw LedgerError.storage("it would not flush every commit to the disk (synchronous is not FULL)")
        }
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
