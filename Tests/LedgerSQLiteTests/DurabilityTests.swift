import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("The ledger file")
struct DurabilityTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.sqlite")
    }

    private func opened(_ settings: SQLiteLedger.Settings = .init()) async throws -> SQLiteLedger {
        let ledger = try SQLiteLedger(path: path, settings: settings)
        if try await ledger.rulebook().agents.isEmpty { try await ledger.add(.sample(caps: [CapLimit(.day, .max)])) }
        return ledger
    }

    /// Changes the closed file without the ledger's code, as somebody with a database tool would.
    private func edit(_ sql: String) throws {
        let direct = try DatabaseQueue(path: path)
        try direct.write { try $0.execute(sql: sql) }
        try direct.close()
    }

    private func pageCount() throws -> Int {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
    }

    @Test("commits are flushed, and the settings say so when they are read back")
    func pragmas() async throws {
        let ledger = try await opened()
        let pragmas = try ledger.connectionSettings()
        #expect(pragmas.synchronous == 2)
        #expect(pragmas.journalMode == "wal")
        #expect(pragmas.foreignKeys)
        #expect(!pragmas.trustedSchema)
    }

    @Test("nobody but the owner can read the ledger, its log and its index")
    func modes() async throws {
        let nested = folder.path("state/books/ledger.sqlite")
        let ledger = try SQLiteLedger(path: nested)
        try await ledger.add(.sample())
        for name in ["", "-wal", "-shm", ".generation"] {
            #expect(try folder.mode(of: "state/books/ledger.sqlite" + name) == 0o600)
        }
        #expect(try folder.mode(of: "state") == 0o700)
        #expect(try folder.mode(of: "state/books") == 0o700)
    }

    @Test("a file that others could read is made private")
    func tightened() async throws {
        try await opened().close()
        #expect(unsafe chmod(path, 0o644) == 0)
        _ = try await opened()
        #expect(try folder.mode(of: "ledger.sqlite") == 0o600)
    }

    @Test("what was booked is there after the file is opened again")
    func reopen() async throws {
        let first = try await opened()
        let intents = (1...5).map { PaymentIntent.sample($0, amount: UInt256(high: UInt128($0), low: 7)) }
        for intent in intents { try await first.reserve(intent) }
        try await first.book(.settled, of: intents[0])
        try await first.book(.neverSent, of: intents[1])
        let before = try await first.payments(PaymentFilter())
        let usage = try await first.usage(of: "scout", at: .vectors)
        try first.close()
        let second = try await opened()
        #expect(try await second.payments(PaymentFilter()) == before)
        #expect(try await second.usage(of: "scout", at: .vectors) == usage)
        await #expect(throws: LedgerError.duplicate(LedgerError.knownNonce)) {
            try await second.reserve(.sample(9, nonce: 3))
        }
    }

    @Test("a closed ledger says so")
    func closed() async throws {
        let ledger = try await opened()
        try ledger.close()
        await #expect(throws: LedgerError.storage("it is closed")) { try await ledger.reserve(.sample(1)) }
        await #expect(throws: LedgerError.self) { _ = try await ledger.rulebook() }
    }

    @Test(
        "history and reserved values cannot be edited",
        arguments: [
            "UPDATE entries SET cause = 'x'", "DELETE FROM entries", "DELETE FROM payments", "DELETE FROM evidence",
            "UPDATE calls SET agent = 'x'", "DELETE FROM calls",
            "INSERT INTO entries (number, at, kind, subject, cause, hash) VALUES (-5, 0, 'notice', 'x', 'x', zeroblob(32))",
            "INSERT INTO calls VALUES (9223372036854775807, 0, 'scout', NULL, 'lab', 'h')",
            "UPDATE payments SET amount = zeroblob(32)", "UPDATE payments SET agent = 'x'",
            "UPDATE payments SET state = 'gone'", "UPDATE payments SET url = 'x'",
            "UPDATE payments SET salt = NULL, method = NULL, url = NULL, fingerprint = NULL, accepted = NULL",
            "UPDATE payments SET changed_at = reserved_at - 1",
            "INSERT INTO entries (number, at, kind, payment, cause, hash) VALUES (77, 0, 'payment', 77, 'x', zeroblob(32))",
            "UPDATE accounts SET debits = zeroblob(31)", "UPDATE caps SET buckets = zeroblob(71)",
            "INSERT INTO caps VALUES (9, 'agent:scout', 'day', 'euros', zeroblob(32), zeroblob(32), zeroblob(0))",
        ])
    func appendOnly(statement: String) async throws {
        let ledger = try await opened()
        try await ledger.reserve(.sample(1))
        try await ledger.reserve(.sample(2, agent: "nobody"))
        try await ledger.setCap(CapLimit(.hour, .payments, UInt256(9)), of: "scout")
        _ = try await ledger.meter(
            MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "h"), at: .vectors)
        let before = try await ledger.payments(PaymentFilter())
        try ledger.close()
        #expect(throws: DatabaseError.self) { try edit(statement) }
        #expect(try await opened().payments(PaymentFilter()) == before)
    }

    @Test(
        "a row whose number is no number is damage, not a crash",
        arguments: [-5, 0, Int64.max] as [Int64], ["entries", "payments", "calls"])
    func rowNumbers(number: Int64, table: String) async throws {
        let ledger = try await opened()
        try await ledger.setCap(CapLimit(.hour, .payments, UInt256(9)), of: "scout")
        try await ledger.reserve(.sample(1))
        _ = try await ledger.meter(
            MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "h"), at: .vectors)
        try ledger.close()
        let columns = try await DatabaseQueue(path: path).read { [table] in
            try String.fetchAll($0, sql: "SELECT name FROM pragma_table_info('\(table)') WHERE name <> 'number'")
        }.joined(separator: ", ")
        let values = table == "payments" ? columns.replacing("id,", with: "randomblob(16),") : columns
        // As somebody who has the file can do, whatever its rules say.
        try edit(
            """
            PRAGMA ignore_check_constraints = ON;
            INSERT INTO \(table) (number, \(columns))
                SELECT \(number), \(table == "payments" ? values.replacing("nonce", with: "randomblob(32)") : values)
                FROM \(table) WHERE number = 1;
            """)
        let damaged = LedgerError.damaged("row \(number) of \(table) has no valid number")
        await #expect(throws: damaged) {
            let books = try SQLiteLedger(path: path)
            try await books.read { (books) throws(LedgerError) in
                try books.forEachEntry { (_) throws(LedgerError) in }
                try books.forEachPayment { (_) throws(LedgerError) in }
                _ = try books.calls(from: .min, limit: 10)
            }
        }
    }

    @Test("a ledger of a newer program is refused by name")
    func newer() async throws {
        try await opened().close()
        try edit("INSERT INTO migrations VALUES (99, 'teams')")
        await #expect(throws: LedgerError.newerSchema("99 teams")) { _ = try await opened() }
    }

    @Test("prices that version 0.1.0 learned without a model are forgotten once, and no others")
    func unreadModels() async throws {
        try await opened().close()
        // As the file was before: later migrations are taken back with it.
        try edit(
            """
            DELETE FROM migrations WHERE number >= 2;
            DROP INDEX payments_held;
            DROP INDEX payments_under_way;
            ALTER TABLE payments DROP COLUMN delivery;
            ALTER TABLE payments DROP COLUMN delivery_at;
            ALTER TABLE payments DROP COLUMN repeated_at;
            """ + RejectionUpgradeTests.wayBack)
        let price = "INSERT INTO known_prices VALUES ('scout', 'h', 'POST /v1', '%', 'token', 1, 1)"
        try edit(price.replacing("%", with: ""))
        try edit(price.replacing("%", with: "m-small"))
        try await opened().close()
        #expect(try models() == ["m-small"])
        try edit(price.replacing("%", with: ""))
        try await opened().close()
        #expect(try models() == ["", "m-small"])
    }

    private func models() throws -> [String] {
        try DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT model FROM known_prices ORDER BY model")
        }
    }

    @Test("another program's database is not taken for a ledger")
    func foreign() async throws {
        try edit("CREATE TABLE songs (title TEXT)")
        await #expect(throws: LedgerError.storage("the file is a database, but not a ledger")) {
            _ = try await opened()
        }
    }

    @Test("a full disk books nothing, says so, and goes on when there is room")
    func fullDisk() async throws {
        try await opened().close()
        let pages = try pageCount()
        let bounded = try await opened(SQLiteLedger.Settings(maximumPages: pages + 4))
        var granted: Int64 = 0
        var failure: LedgerError?
        for number: UInt64 in 1...100 where failure == nil {
            do throws(LedgerError) {
                try await bounded.reserve(.sample(number))
                granted += 1
            } catch {
                failure = error
            }
        }
        #expect(granted < 100)
        #expect(failure == .storage("the disk is full; free some space and try again (SQLite 13)"))
        #expect(try await bounded.used(.day) == .cents(granted))
        #expect(try await bounded.payments(PaymentFilter(limit: 1000)).count == Int(granted))
        try bounded.close()
        let roomy = try await opened()
        try await roomy.reserve(.sample(1000))
        #expect(try await roomy.used(.day) == .cents(granted + 1))
    }

    @Test("when the disk fills up under a shared commit, every member of it fails and none is counted")
    func fullDiskTogether() async throws {
        try await opened().close()
        let pages = try pageCount()
        let bounded = try await opened(SQLiteLedger.Settings(maximumPages: pages + 6))
        let granted = await withTaskGroup(of: Bool.self) { group in
            for number: UInt64 in 1...200 {
                group.addTask { (try? await bounded.reserve(.sample(number))) != nil }
            }
            return await group.reduce(into: Int64(0)) { $0 += $1 ? 1 : 0 }
        }
        #expect(granted < 200)
        #expect(try await bounded.used(.day) == .cents(granted))
        #expect(try await bounded.payments(PaymentFilter(limit: 1000)).count == Int(granted))
    }

    @Test("a read-only ledger is refused when it is opened")
    func readOnly() async throws {
        try await opened().close()
        // Root may write everything, so that the attempt is made as somebody else.
        let nobody: uid_t = geteuid() == 0 ? 65_534 : geteuid()
        for name in try folder.entries() {
            #expect(unsafe chown(folder.path(name), nobody, gid_t.max) == 0)
            #expect(unsafe chmod(folder.path(name), 0o400) == 0)
        }
        #expect(unsafe chown(folder.path, nobody, gid_t.max) == 0)
        #expect(unsafe chmod(folder.path, 0o500) == 0)
        await #expect(processExitsWith: .success) { [path = path as String, nobody = nobody as UInt32] in
            try #require(setuid(nobody) == 0)
            #expect(throws: LedgerError.self) { try SQLiteLedger(path: path) }
        }
        #expect(unsafe chmod(folder.path, 0o700) == 0)
    }

    @Test("garbage in the file is reported as damage and books nothing")
    func malformed() async throws {
        let ledger = try await opened()
        for number: UInt64 in 1...50 { try await ledger.reserve(.sample(number)) }
        try ledger.close()
        try overwritePagesAfterTheFirst()
        await #expect(
            throws: LedgerError.storage("the file is malformed; restore it from a copy, do not edit it (SQLite 11)")
        ) {
            let damaged = try SQLiteLedger(path: path)
            try await damaged.reserve(.sample(100))
        }
    }

    private func overwritePagesAfterTheFirst() throws {
        let descriptor = unsafe open(path, O_RDWR)
        defer { close(descriptor) }
        let pageSize = 4096
        let garbage = [UInt8](repeating: 0xa5, count: Int(lseek(descriptor, 0, SEEK_END)) - pageSize)
        try #require(unsafe pwrite(descriptor, garbage, garbage.count, off_t(pageSize)) == garbage.count)
    }

    @Test(
        "failures of the disk are told in plain words, without SQLite's own text",
        arguments: [
            (13, "the disk is full"), (8, "read-only"), (11, "malformed"), (10 | 3 << 8, "read or write error"),
            (5, "another process"), (26, "not a ledger"), (14, "cannot be opened"),
        ] as [(Int32, String)])
    func sentences(code: Int32, words: String) {
        #expect(StorageFailure.sentence(code: code).contains(words))
        #expect(StorageFailure.sentence(code: code).contains("SQLite \(code)"))
    }
}
