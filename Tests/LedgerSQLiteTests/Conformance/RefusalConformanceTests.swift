import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Refusals in the books")
struct RefusalConformanceTests {
    private static func second(_ second: Int64) -> Timestamp { .vectors.adding(seconds: second) }

    private static func refusal(
        _ number: UInt64, _ code: String, agent: String = "scout", gateway: String = "lab", path: String = "/y",
        model: Fact<String> = .absent
    ) -> RefusedPayment {
        let intent = PaymentIntent.sample(number, agent: agent, gateway: gateway, model: model, path: path)
        return RefusedPayment(
            id: intent.id, purpose: intent.purpose, code: code, terms: intent.terms, salt: intent.salt)
    }

    private static func lines(_ store: any LedgerStore) async throws -> [CountedRefusals] {
        try await store.read { (snapshot) throws(LedgerError) in try snapshot.countedRefusals().map(\.counted) }
    }

    @Test("refusals of the books and of the engine go through one counter", arguments: StoreKind.allCases)
    func oneCounter(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.01")
        defer { subject.outlive() }
        let store = subject.store
        var outcomes: [String] = []
        for number: UInt64 in 1...12 {
            switch try await store.reserve(.sample(number, value: .cents(5)), second: Int64(number)) {
            case .refused(let refusal): outcomes.append("booked \(refusal.code)")
            case .counted(let refusal): outcomes.append("counted \(refusal.code)")
            default: outcomes.append("paid")
            }
        }
        #expect(
            outcomes == Array(repeating: "booked cap-day", count: 5) + Array(repeating: "counted cap-day", count: 7))
        // The engine's share the code's five, and have their own code's.
        #expect(try await store.record(Self.refusal(20, "cap-day"), at: Self.second(20)) == false)
        #expect(try await store.record(Self.refusal(21, "policy-refused"), at: Self.second(21)))
        #expect(try await store.payments(PaymentFilter()).count == 6)
        #expect(try await store.noteRefusals(all: false, at: Self.second(59)).isEmpty)
        let noted = try await store.noteRefusals(all: false, at: Self.second(60))
        let expected = CountedRefusals(
            agent: "scout", first: Self.second(6), last: Self.second(20), codes: ["cap-day": 8])
        #expect(noted == [expected])
        #expect(try await Self.lines(store) == [expected])
        #expect(try await store.noteRefusals(all: true, at: Self.second(61)).isEmpty)
        // The next minute books again; money that fits is not touched by any of it.
        #expect(try await store.reserve(.sample(30, value: .cents(5)), second: 60).refusalCode == "cap-day")
        #expect(try await store.payments(PaymentFilter()).count == 7)
        #expect(try await store.reserve(.sample(31), second: 61).record != nil)
    }

    @Test("a freeze, a missing cap and a removed agent are counted like any refusal", arguments: StoreKind.allCases)
    func everyRefusal(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        defer { subject.outlive() }
        let store = subject.store
        try await store.add(.sample("other", number: 2, caps: [CapLimit(.day, .cents(5))]))
        _ = try await store.freeze(Freeze(scope: .agent("other"), since: .vectors, actor: "op", reason: nil))
        for number: UInt64 in 0..<60 {
            _ = try await store.reserve(.sample(3 * number), second: 1)
            _ = try await store.reserve(.sample(3 * number + 1, agent: "other"), second: 1)
            _ = try await store.reserve(.sample(3 * number + 2, agent: "nobody"), second: 1)
        }
        #expect(try await store.payments(PaymentFilter()).count == 15)
        let noted = try await store.noteRefusals(all: true, at: Self.second(2))
        #expect(noted.map(\.codes) == [["unknown-agent": 55], ["frozen": 55], ["no-cap": 55]])
    }

    /// An agent that varies all it can for an hour, next to one that is refused now and then.
    @Test("an agent that varies all it can writes at most 1 MiB in an hour, and another one's refusals stay visible")
    func attack() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        var ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample())
        try await ledger.add(.sample("honest", number: 2))
        try ledger.close()
        let before = try Self.bytes(at: path)
        ledger = try SQLiteLedger(path: path)
        var booked = 0
        var honest = 0
        for number: UInt64 in 0..<12_000 {
            let moment = Self.second(Int64(number) * 3600 / 12_000)
            let path = "/\(number)/" + String(repeating: "x", count: Int(number % 6000))
            let refusal = Self.refusal(
                number, "code-\(number % 45)", gateway: "gateway-\(number % 7)", path: path,
                model: .known("model-\(number)" + String(repeating: "m", count: 100)))
            if try await ledger.record(refusal, at: moment) { booked += 1 }
            if number % 400 == 0 {
                let own = Self.refusal(1_000_000 + number, "policy-refused", agent: "honest")
                if try await ledger.record(own, at: moment) { honest += 1 }
                try await ledger.noteRefusals(all: false, at: moment)
            }
        }
        try await ledger.noteRefusals(all: true, at: Self.second(3600))
        #expect(honest == 30)
        #expect(try await ledger.payments(PaymentFilter(agent: "honest")).count == 30)
        let counted = try await Self.lines(ledger).reduce(Int64(0)) { $0 + $1.count }
        #expect(counted == Int64(12_000 - booked))
        try ledger.close()
        let written = try Self.bytes(at: path) - before
        // The honest agent's rows are among them.
        #expect(written <= RefusalCounter.bytesPerHour + honest * 1600, "\(written)")
        #expect(written > RefusalCounter.bytesPerHour / 2, "\(written): the bound is used")
        withExtendedLifetime(folder) {}
    }

    /// The bytes of the file's pages that hold something.
    private static func bytes(at path: String) throws -> Int {
        try DatabaseQueue(path: path).read { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
            return (pages - free) * 4096
        }
    }

    @Test("books that cannot be written lose no count")
    func notWritable() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let ledger = try SQLiteLedger(path: path, settings: SQLiteLedger.Settings(busyTimeout: .milliseconds(50)))
        try await ledger.add(.sample())
        for number: UInt64 in 0..<9 { _ = try await ledger.reserve(.sample(number), second: 1) }
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await #expect(throws: LedgerError.self) { try await ledger.noteRefusals(all: true, at: Self.second(2)) }
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(try await ledger.noteRefusals(all: true, at: Self.second(3)).map(\.count) == [4])
        #expect(try await Self.lines(ledger).map(\.count) == [4])
        withExtendedLifetime(folder) {}
    }

    @Test("a refusal whose row the books could not take is counted, and leaves its place to the next")
    func notBooked() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let ledger = try SQLiteLedger(path: path, settings: SQLiteLedger.Settings(busyTimeout: .milliseconds(50)))
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(1))]))
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        for number: UInt64 in 0..<5 {
            await #expect(throws: LedgerError.self) {
                try await ledger.record(Self.refusal(number, "policy-refused"), at: Self.second(1))
            }
            // What the agent hears of this one is that the books cannot be written.
            await #expect(throws: LedgerError.self) {
                try await ledger.reserve(.sample(50 + number, value: .cents(5)), second: 1)
            }
        }
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        for number: UInt64 in 10..<16 {
            let isBooked = try await ledger.record(Self.refusal(number, "policy-refused"), at: Self.second(2))
            #expect(isBooked == (number < 15))
            let refused = try await ledger.reserve(.sample(60 + number, value: .cents(5)), second: 2)
            #expect(refused.refusalCode == "cap-day")
        }
        #expect(try await ledger.payments(PaymentFilter()).count == 10)
        let noted = try await ledger.noteRefusals(all: true, at: Self.second(3))
        #expect(noted.map(\.codes) == [["policy-refused": 6, "cap-day": 1]])
        withExtendedLifetime(folder) {}
    }

    @Test("the texts of refusals are erased with those of payments", arguments: StoreKind.allCases)
    func erased(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.01")
        defer { subject.outlive() }
        let store = subject.store
        for number: UInt64 in 1...7 { _ = try await store.reserve(.sample(number, value: .cents(5)), second: 1) }
        try await store.record(Self.refusal(20, "policy-refused", path: "/secret"), at: Self.second(1))
        try await store.noteRefusals(all: true, at: Self.second(2))
        let bound = Self.second(100)
        #expect(try await store.erase(before: bound, by: "ann", at: bound) == 6)
        for payment in try await store.payments(PaymentFilter()) {
            #expect(payment.purpose.request == nil && payment.salt == nil && payment.evidence.reason == nil)
        }
        let texts = try await store.read { (snapshot) throws(LedgerError) in
            try snapshot.entries(from: 1, limit: 1000).compactMap(\.line.detail)
        }
        #expect(!texts.contains { $0.contains("secret") || $0.contains("chat") })
    }
}
