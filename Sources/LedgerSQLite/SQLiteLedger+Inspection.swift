import GRDB
package import Ledger

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension SQLiteLedger {
    /// Lines that one inspection tells at most.
    package static let inspectionLimit = 20

    /// What is wrong with a ledger's file as a database: a line for each damaged page, row or index, none when it is whole.
    ///
    /// The file is only read, and its schema is left as it is. Blocks for as long as reading all of it takes. Throws
    /// `storage` when it cannot be opened, and `damaged` for a file that is empty or another program's.
    package static func inspect(path: String) throws(LedgerError) -> [String] {
        var configuration = Configuration()
        configuration.label = "ledger inspection"
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA trusted_schema = OFF") }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { try Inspection.lines(in: $0) }
        } catch let error as DatabaseError
            where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
        {
            return [StorageFailure.sentence(code: error.extendedResultCode.rawValue)]
        } catch {
            throw Fault(error).ledgerError
        }
    }

    /// Whether the log beside a ledger's file ends in the middle of a page.
    ///
    /// Source: sqlite.org/fileformat2.html, "The Write-Ahead Log".
    package static func hasBrokenLog(path: String) -> Bool {
        LogFile.isBroken(path: path + "-wal")
    }
}

/// SQLite's own checks, and what they mean for the tables.
private enum Inspection {
    static func lines(in database: Database) throws -> [String] {
        guard try Int64.fetchOne(database, sql: "PRAGMA application_id") == SchemaUpgrade.applicationID else {
            throw LedgerError.damaged("the file is empty, or another program's database")
        }
        let limit = SQLiteLedger.inspectionLimit
        let whole = try faults("PRAGMA integrity_check(\(limit))", in: database)
        guard whole.isEmpty else {
            // The check of everything names pages; the tables' own checks say whose they are.
            var lines: [String] = []
            for table in try tables(in: database) where lines.count < limit {
                let found = try faults("PRAGMA integrity_check(\(quoted(table)))", in: database)
                lines += found.map { "table \(table): \($0)" }
            }
            return Array((lines.isEmpty ? whole : lines).prefix(limit))
        }
        let orphans = try Row.fetchCursor(database, sql: "PRAGMA foreign_key_check")
        var lines: [String] = []
        while lines.count < limit, let row = try orphans.next() {
            let (table, parent) = (row[0] as String? ?? "?", row[2] as String? ?? "?")
            lines.append("table \(table): row \(row[1] as Int64? ?? 0) refers to a row of \(parent) that is missing")
        }
        return lines
    }

    private static func tables(in database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }

    /// The lines of a check; none when it says that all is well.
    private static func faults(_ check: String, in database: Database) throws -> [String] {
        do {
            // One row of the check may have several lines.
            return try String.fetchAll(database, sql: check).flatMap { $0.split(separator: "\n").map { String($0) } }
                .filter { $0 != "ok" && !$0.hasPrefix("*** in database") }
        } catch let error as DatabaseError {
            return [StorageFailure.sentence(code: error.extendedResultCode.rawValue)]
        }
    }
}

/// The write-ahead log, from outside.
private enum LogFile {
    static func isBroken(path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 32)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_size > 0 else { return false }
        guard unsafe pread(descriptor, &header, 32, 0) == 32 else { return true }
        let pageSize = header[8..<12].reduce(0) { $0 << 8 | Int64($1) }
        return pageSize > 0 && (Int64(status.st_size) - 32) % (pageSize + 24) != 0
    }
}
