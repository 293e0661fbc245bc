import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Inspection of the ledger file")
struct InspectionTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.sqlite")
    }

    private func fill() async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        for number: UInt64 in 1...20 { try await ledger.reserve(.sample(number)) }
        try ledger.close()
    }

    /// Changes the closed file without the ledger's code.
    private func edit(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let direct = try DatabaseQueue(path: path, configuration: configuration)
        try direct.write { try $0.execute(sql: sql) }
        try direct.close()
    }

    @Test("a whole file has nothing wrong with it, while it is open and when it is closed")
    func whole() async throws {
        try await fill()
        #expect(try SQLiteLedger.inspect(path: path) == [])
        let ledger = try SQLiteLedger(path: path)
        #expect(try SQLiteLedger.inspect(path: path) == [])
        try ledger.close()
        #expect(!SQLiteLedger.hasBrokenLog(path: path))
    }

    @Test("a row that an index misses is told with its table")
    func index() async throws {
        try await fill()
        try edit(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'reserved', 'voided') WHERE name = 'payments_open'"
        )
        let lines = try SQLiteLedger.inspect(path: path)
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("table payments: ") }, "\(lines)")
        #expect(lines.count <= SQLiteLedger.inspectionLimit)
    }

    @Test("a row that refers to nothing is told with its table")
    func orphan() async throws {
        try await fill()
        try edit("DROP TRIGGER payments_stay; DELETE FROM payments WHERE number = 3")
        let lines = try SQLiteLedger.inspect(path: path)
        #expect(lines == ["table entries: row 5 refers to a row of payments that is missing"])
    }

    @Test("another program's database and a missing file are errors")
    func strangers() throws {
        let other = try DatabaseQueue(path: path)
        try other.write { try $0.execute(sql: "CREATE TABLE other (a)") }
        try other.close()
        #expect(throws: LedgerError.damaged("the file is empty, or another program's database")) {
            try SQLiteLedger.inspect(path: path)
        }
        #expect(throws: LedgerError.self) { try SQLiteLedger.inspect(path: folder.path("none")) }
    }
}
