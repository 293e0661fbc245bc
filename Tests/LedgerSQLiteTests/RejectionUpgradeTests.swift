import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Rejections of earlier books and of other holders")
struct RejectionUpgradeTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.sqlite")
    }

    private func rejections(_ ledger: SQLiteLedger) async throws -> [String: GatewayRejections] {
        try await ledger.read { (books) throws(LedgerError) in try books.rejections() }
    }

    /// Gives a file the table of rejections that versions before kept, in the place of today's.
    static let wayBack = """
        DELETE FROM migrations WHERE name = 'rejections by agent and route';
        DROP TABLE rejecting_agents;
        DROP TABLE rejecting_routes;
        DROP TABLE rejecting_gateways;
        CREATE TABLE streaks (
            gateway TEXT NOT NULL,
            asset TEXT NOT NULL,
            rejections INTEGER NOT NULL CHECK (rejections > 0),
            pause INTEGER NOT NULL CHECK (pause > 0),
            next_probe INTEGER NOT NULL,
            PRIMARY KEY (gateway, asset)
        ) STRICT, WITHOUT ROWID;
        """

    /// Changes the file from outside.
    private func edit(_ statements: String...) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            for sql in statements { try database.execute(sql: sql) }
        }
        try queue.close()
    }

    @Test("a gateway that was stopped stays stopped for those that it rejected, with its probes, and for nobody else")
    func upgrade() async throws {
        let asset = PaymentIntent.sample(1).terms.assetName
        let earlier = try SQLiteLedger(path: path)
        for (number, name) in ["ada", "bob", "cyd", "dan"].enumerated() {
            try await earlier.add(.sample(name, number: UInt64(number + 1), caps: [CapLimit(.day, .cents(9000))]))
        }
        let sales: [(agent: String, gateway: String, asset: String, event: PaymentEvent)] = [
            ("ada", "lab", "0xAA", .rejected), ("ada", "lab", "0xAA", .rejected), ("bob", "lab", "0xAA", .rejected),
            ("cyd", "lab", "0xBB", .rejected), ("dan", "lab", "0xAA", .settled),
            ("ada", "one", "0xAA", .rejected), ("bob", "one", "0xAA", .lostSight),
            ("ada", "two", "0xAA", .rejected),
        ]
        for (number, sale) in sales.enumerated() {
            let intent = PaymentIntent.sample(
                UInt64(number + 1), agent: sale.agent, gateway: sale.gateway, asset: sale.asset)
            try await earlier.reserve(intent)
            try await earlier.book(sale.event, of: intent)
        }
        try earlier.close()
        let token = asset.replacing(PaymentIntent.sample(1).terms.asset, with: "0xAA")
        let next = Timestamp.vectors.adding(seconds: 500)
        try edit(
            Self.wayBack,
            """
            INSERT INTO streaks VALUES
                ('lab', '\(token)', 4, 240, \(next.milliseconds)), ('one', '\(token)', 3, 60, \(next.milliseconds)),
                ('two', '\(token)', 2, 60, \(next.milliseconds)), ('gone', '\(token)', 9, 900, \(next.milliseconds))
            """)
        let ledger = try SQLiteLedger(path: path)
        let found = try await rejections(ledger)
        #expect(Set(found.keys) == ["lab", "one", "two"])
        #expect(found["lab"]?.probes == ProbeSchedule(pause: 240, next: next))
        #expect(found["lab"]?.agents["ada"]?.exposed == .cents(2))
        #expect(found["lab"]?.agents["ada"]?.stop?.probes == ProbeSchedule(pause: 240, next: next))
        #expect(found["lab"]?.agents["cyd"]?.exposed == .cents(1) && found["lab"]?.agents["cyd"]?.stop == nil)
        #expect(found["one"]?.agents["ada"]?.stop != nil && found["one"]?.probes == nil)
        #expect(found["one"]?.agents["bob"] == nil)
        #expect(found["two"]?.agents["ada"]?.stop == nil)
        func code(_ number: UInt64, _ agent: String, _ gateway: String, _ second: Int64) async throws -> String? {
            try await ledger.reserve(.sample(number, agent: agent, gateway: gateway), second: second).refusalCode
        }
        #expect(try await code(20, "dan", "lab", 499) == "gateway-rejecting")
        #expect(try await code(21, "ada", "one", 499) == "gateway-rejecting")
        #expect(try await code(22, "dan", "one", 499) == nil)
        #expect(try await code(23, "dan", "lab", 500) == nil, "the probe")
        try await ledger.book(.settled, of: .sample(23), second: 501)
        #expect(try await code(24, "cyd", "lab", 502) == nil)
        #expect(try await code(25, "ada", "two", 502) == nil)
        // What is exposed ends with the payments of before.
        _ = try await ledger.closeOverdue(OverduePolicy(), at: .vectors.adding(seconds: 900))
        #expect(try await rejections(ledger)["lab"]?.agents["cyd"] == nil)
        try ledger.close()
    }

    @Test("pauses are common to all holders of the books and outlive them")
    func holders() async throws {
        let first = try SQLiteLedger(path: path)
        try await first.add(.sample(caps: [CapLimit(.day, .cents(900))]))
        let second = try SQLiteLedger(path: path)
        for number: UInt64 in 1...3 {
            let holder = number == 2 ? second : first
            #expect(try await holder.reserve(.sample(number)).record != nil)
            try await holder.book(.rejected, of: .sample(number))
        }
        #expect(try await first.reserve(.sample(4)).refusalCode == "gateway-rejecting")
        #expect(try await second.reserve(.sample(5)).refusalCode == "gateway-rejecting")
        // One probe between them.
        #expect(try await second.reserve(.sample(6), second: 60).record != nil)
        #expect(try await first.reserve(.sample(7), second: 60).refusalCode == "gateway-rejecting")
        let before = try await rejections(first)
        try first.close()
        try second.close()
        let third = try SQLiteLedger(path: path)
        #expect(try await rejections(third) == before)
        #expect(try await third.reserve(.sample(8), second: 61).refusalCode == "gateway-rejecting")
        try await third.book(.settled, of: .sample(6), second: 62)
        #expect(try await third.reserve(.sample(9), second: 63).record != nil)
        try third.close()
    }

    @Test(
        "reject- rows of rejections that cannot be",
        arguments: [
            "UPDATE rejecting_routes SET pause = 901", "UPDATE rejecting_agents SET exposed = -1",
            "UPDATE rejecting_agents SET cause = 'else', since = 1, outweighed = 0, unfunded = 0, pause = 60, next_probe = 1",
        ])
    func damaged(change: String) async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(900))]))
        try await ledger.reserve(.sample(1))
        try await ledger.book(.rejected, of: .sample(1))
        try ledger.close()
        try edit("PRAGMA ignore_check_constraints = ON", change)
        let again = try SQLiteLedger(path: path)
        let error = await #expect(throws: LedgerError.self) { try await again.reserve(.sample(2)) }
        #expect("\(try #require(error))".contains("the rejections of gateway \"lab\" are not valid"))
        try again.close()
    }
}
