import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Prices in the ledger file")
struct PriceMemoryTests {
    @Test(
        "a new price takes the place of the one learnt longest ago once there are as many as may be",
        arguments: [-2, -1, 0, 3])
    func bounded(more: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        try SQLiteLedger(path: path).close()
        let direct = try DatabaseQueue(path: path)
        let before = Recollection.maximumPrices + more
        try await direct.write { database in
            // Number 1 is the oldest.
            try database.execute(
                sql: """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(before))
                    INSERT INTO known_prices SELECT 'scout', 'h', 'POST /' || n, 'm', 'token', n, n FROM numbers
                    """)
        }
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        let key = SellerKey(agent: "scout", host: "h", method: "POST", path: "/new", model: .known("m"))
        let lesson = Recollection.none.lesson(about: key, asset: "token", payee: "0x01", price: .cents(1))
        _ = try await ledger.reserve(ReservationRequest(.sample(1), lesson: lesson), at: .vectors)
        let forgotten = max(0, more + 1)
        let rows = try await direct.read {
            try String.fetchAll($0, sql: "SELECT route FROM known_prices ORDER BY learnt")
        }
        #expect(rows.count == before + 1 - forgotten)
        #expect(rows.first == "POST /\(forgotten + 1)" && rows.last == "POST /new")
        try ledger.close()
    }
}
