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
    static let wayBack =
        wayBackFromApart + """
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

    /// Gives a file the tables that came before funds were kept by agent.
    static let wayBackFromFunds = """
        DELETE FROM migrations WHERE name = 'funds by agent';
        DROP TABLE unfunded_tries;
        ALTER TABLE unfunded_wallets DROP COLUMN largest;
        ALTER TABLE unfunded_claims DROP COLUMN amount;

        """

    /// Gives a file the tables and indexes that came before agents were held apart, in the place of today's.
    static let wayBackFromApart =
        wayBackFromFunds + """
            DELETE FROM migrations WHERE name = 'agents apart';
            ALTER TABLE rejecting_agents DROP COLUMN outweighed_by;
            DROP TABLE rejections_counted;
            DROP TABLE unfunded_wallets;
            DROP TABLE unfunded_claims;
            DROP TABLE agent_payees;
            DROP TABLE price_ceilings;
            CREATE INDEX known_prices_age ON known_prices (learnt);
            DROP INDEX payments_unproven;
            CREATE INDEX payments_unproven ON payments (network, valid_before)
                WHERE state = 'rejected' OR state = 'in-doubt' OR state = 'presumed' OR state = 'lapsed';
            DROP INDEX payments_unshown;
            CREATE INDEX payments_unshown ON payments (network)
                WHERE scheme = 'upto' AND moved IS NULL AND (state = 'settled' OR state = 'confirmed');

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

    @Test("of whom an earlier version had seen a payment accepted is not known, and counts as a third")
    func earlierAcceptance() async throws {
        let earlier = try SQLiteLedger(path: path)
        for (number, name) in ["ada", "bob", "cyd"].enumerated() {
            try await earlier.add(.sample(name, number: UInt64(number + 1), caps: [CapLimit(.day, .cents(9000))]))
        }
        func reject(_ agent: String, from number: UInt64, _ ledger: SQLiteLedger) async throws {
            for offset: UInt64 in 0..<3 {
                let intent = PaymentIntent.sample(number + offset, agent: agent, path: "/\(offset)")
                try await ledger.reserve(intent)
                try await ledger.book(.rejected, of: intent)
            }
        }
        try await reject("ada", from: 1, earlier)
        try await earlier.reserve(.sample(10, agent: "bob"))
        try await earlier.book(.settled, of: .sample(10, agent: "bob"))
        try earlier.close()
        try edit(Self.wayBackFromApart)
        let ledger = try SQLiteLedger(path: path)
        #expect(try await rejections(ledger)["lab"]?.agents["ada"]?.stop?.accepted == .several)
        try await reject("bob", from: 20, ledger)
        #expect(try await ledger.reserve(.sample(30, agent: "cyd")).record != nil)
        try ledger.close()
    }

    @Test(
        "what an earlier version kept of wallets counts for every amount, and long routes leave a ceiling of their price"
    )
    func earlierFunds() async throws {
        let terms = PaymentIntent.sample(1).terms
        let earlier = try SQLiteLedger(path: path)
        try await earlier.add(.sample(caps: [CapLimit(.day, .cents(900))]))
        for host in ["one", "two"] { _ = try await earlier.doubtFunds(of: terms, .claim(host: host), at: .vectors) }
        try earlier.close()
        let long = String(repeating: "é", count: 140)
        try edit(
            Self.wayBackFromFunds,
            """
            INSERT INTO known_prices VALUES
                ('scout', 'h', 'POST /\(long)', 'm', 'token', 7, 1), ('scout', 'h', 'GET /\(long)', 'm', 'token', 9, 1),
                ('scout', 'h', 'POST /short', 'm', 'token', 3, 1), ('scout', 'full', 'POST /\(long)', 'm', 'token', 2, 1);
            INSERT INTO price_ceilings VALUES ('scout', 'full', 'token', 8)
            """)
        let ledger = try SQLiteLedger(path: path)
        #expect(
            try await ledger.reserve(.sample(1, amount: UInt256(1)), second: 59).refusalCode == "insufficient-funds")
        #expect(try await ledger.reserve(.sample(2), second: 60).record != nil)
        func known(_ host: String, _ path: String) async throws -> Recollection {
            try await ledger.recollection(
                of: SellerKey(agent: "scout", host: host, method: "POST", path: path, model: .known("m")))
        }
        #expect(try await known("h", "/short").prices == ["token": Dollars(nanodollars: 3)])
        #expect(try await known("h", "/\(long)").prices.isEmpty)
        #expect(try await known("h", "/\(long)").ceilings == ["token": Dollars(nanodollars: 9)])
        #expect(try await known("full", "/other").ceilings == ["token": Dollars(nanodollars: 8)])
        try ledger.close()
    }

    @Test("a wallet's pause is common to all holders of the books and outlives them")
    func walletPause() async throws {
        let first = try SQLiteLedger(path: path)
        try await first.add(.sample(caps: [CapLimit(.day, .cents(900))]))
        let second = try SQLiteLedger(path: path)
        let terms = PaymentIntent.sample(1).terms
        _ = try await first.doubtFunds(of: terms, .claim(host: "one"), at: .vectors)
        #expect(try await second.doubtFunds(of: terms, .claim(host: "two"), at: .vectors.adding(seconds: 5)))
        #expect(try await first.reserve(.sample(1), second: 6).refusalCode == "insufficient-funds")
        let before = try await first.read { (books) throws(LedgerError) in try books.unfundedWallets() }
        #expect(before.standings[Purse(terms)]?.claims.count == 2)
        try first.close()
        try second.close()
        let third = try SQLiteLedger(path: path)
        #expect(try await third.read { (books) throws(LedgerError) in try books.unfundedWallets() } == before)
        #expect(try await third.reserve(.sample(2), second: 64).refusalCode == "insufficient-funds")
        #expect(try await third.reserve(.sample(3), second: 65).record != nil, "the one of its minute")
        try await third.book(.settled, of: .sample(3), second: 66)
        try third.close()
        let fourth = try SQLiteLedger(path: path)
        #expect(try await fourth.reserve(.sample(4), second: 66).record != nil)
        try fourth.close()
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
            """
            UPDATE rejecting_agents SET cause = 'routes', since = 1, outweighed = 0, outweighed_by = 'x', unfunded = 0,
                pause = 60, next_probe = 1
            """,
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
