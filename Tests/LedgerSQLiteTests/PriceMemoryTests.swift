import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Prices in the ledger file")
struct PriceMemoryTests {
    @Test(
        "books of an earlier version with more prices than an agent's quota go on, and keep the highest that they forget"
    )
    func earlier() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        try SQLiteLedger(path: path).close()
        let direct = try DatabaseQueue(path: path)
        let before = 10_000
        try await direct.write { database in
            try database.execute(sql: RejectionUpgradeTests.wayBackFromApart)
            // Number 1 is the oldest; payees were common to all agents.
            try database.execute(
                sql: """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(before))
                    INSERT INTO known_prices
                    SELECT CASE WHEN n > 9000 THEN 'ada' ELSE 'scout' END, 'h', 'POST /' || n, 'm', 'token', n * 1000, n
                    FROM numbers;
                    INSERT INTO known_payees VALUES ('h', 'token', '0x77', 1);
                    """)
        }
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        func key(_ path: String, of agent: String = "scout") -> SellerKey {
            SellerKey(agent: agent, host: "h", method: "POST", path: path, model: .known("m"))
        }
        #expect(
            try await ledger.recollection(of: key("/1")).prices == ["token": try #require(Dollars(nanodollars: 1000))])
        let lesson = Recollection.none.lesson(about: key("/new"), asset: "token", payee: "0x01", price: .cents(1))
        _ = try await ledger.reserve(ReservationRequest(.sample(1), lesson: lesson), at: .vectors)
        let routes = try await direct.read {
            try String.fetchAll($0, sql: "SELECT route FROM known_prices WHERE agent = 'scout' ORDER BY learnt")
        }
        #expect(routes.count == Recollection.maximumPrices)
        #expect(routes.first == "POST /\(9000 - Recollection.maximumPrices + 2)" && routes.last == "POST /new")
        let forgotten = try await ledger.recollection(of: key("/1"))
        let highest = try #require(Dollars(nanodollars: Int64(9000 - Recollection.maximumPrices + 1) * 1000))
        #expect(forgotten.prices.isEmpty && forgotten.ceilings == ["token": highest])
        #expect(forgotten.payees == ["token": ["0x77", "0x01"]])
        // What the other agent knows is as before.
        let other = try await ledger.recollection(of: key("/9500", of: "ada"))
        #expect(other.prices == ["token": try #require(Dollars(nanodollars: 9_500_000))])
        #expect(other.ceilings.isEmpty && other.payees == ["token": ["0x77"]])
        try ledger.close()
    }
}
