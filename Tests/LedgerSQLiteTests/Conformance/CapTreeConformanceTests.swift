import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store counts a tree of caps alike")
struct CapTreeConformanceTests {
    private static func cap(_ scope: String, _ limit: String) throws -> Cap {
        Cap(try #require(CapScope(scope)), try #require(CapLimit(limit)))
    }

    private func set(_ scope: String, _ limit: String, in store: any LedgerStore) async throws {
        try await store.setCap(Self.cap(scope, limit), by: "tester", at: .vectors)
    }

    private static func subject(_ kind: StoreKind) async throws -> StoreUnderTest {
        let subject = try StoreUnderTest(kind)
        for (number, name) in zip((1 as UInt64)..., ["ada", "bob"]) {
            try await subject.store.add(
                .sample(name, number: number, team: "red", caps: [CapLimit(.day, .cents(100))]))
        }
        try await subject.store.add(.sample("cyd", number: 3, caps: [CapLimit(.day, .cents(100))]))
        return subject
    }

    @Test("children share their ancestors' caps", arguments: StoreKind.allCases)
    func sharing(kind: StoreKind) async throws {
        let subject = try await Self.subject(kind)
        let store = subject.store
        try await set("team:red", "day=0.05", in: store)
        try await set("house", "day=0.07", in: store)
        func reserve(_ number: UInt64, _ agent: String, _ cents: Int64) async throws -> ReservationOutcome {
            try await store.reserve(
                .sample(number, agent: agent, team: agent == "cyd" ? nil : "red", value: .cents(cents)))
        }
        #expect(try await reserve(1, "ada", 3).record != nil)
        #expect(try await reserve(2, "bob", 2).record != nil)
        guard case .exceeded(let team)? = try await reserve(3, "bob", 1).refusal else {
            Issue.record("the team's cap does not hold")
            return
        }
        #expect(team.cap.scope == CapScope(.team("red")))
        #expect(team.left == .zero)
        #expect(team.resetsAt == .vectors.adding(seconds: 86_400))
        #expect(try await reserve(4, "cyd", 2).record != nil)
        guard case .exceeded(let house)? = try await reserve(5, "cyd", 1).refusal else {
            Issue.record("the house's cap does not hold")
            return
        }
        #expect(house.cap.scope == CapScope(.house))
    }

    @Test(
        "a facet counts its part only",
        arguments: StoreKind.allCases,
        [
            "agent:ada gateway:lab", "team:red gateway:lab", "house host:127.0.0.1", "agent:ada payee:0x01",
            "house asset:eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "agent:ada network:eip155:42161",
        ])
    func facets(kind: StoreKind, scope: String) async throws {
        let subject = try await Self.subject(kind)
        try await set(scope, "day=0.02", in: subject.store)
        func reserve(_ number: UInt64) async throws -> ReservationOutcome {
            try await subject.store.reserve(
                .sample(number, agent: "ada", team: "red", value: .cents(2), payTo: "0x01"))
        }
        #expect(try await reserve(1).record != nil)
        #expect(try await reserve(2).refusalCode == "cap-day")
        let elsewhere = CapScope("agent:ada gateway:other")
        #expect(try await subject.store.usage(at: .vectors).allSatisfy { $0.cap.scope != elsewhere })
        // Nothing of it is counted elsewhere.
        try await set("agent:ada gateway:other", "day=0.01", in: subject.store)
        let line = try await subject.store.usage(at: .vectors).first { $0.cap.scope == elsewhere }
        #expect(line?.used == .zero)
    }

    @Test("measures: dollars, units of a token, and the number of payments", arguments: StoreKind.allCases)
    func measures(kind: StoreKind) async throws {
        let subject = try await Self.subject(kind)
        let asset = "asset:eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
        try await set("agent:ada \(asset)", "day=25000units", in: subject.store)
        try await set("agent:ada", "hour=3payments", in: subject.store)
        func reserve(_ number: UInt64, _ units: UInt64, second: Int64 = 0) async throws -> ReservationOutcome {
            try await subject.store.reserve(
                .sample(number, agent: "ada", value: .cents(1), amount: UInt256(units)), second: second)
        }
        #expect(try await reserve(1, 20_000).record != nil)
        guard case .exceeded(let units)? = try await reserve(2, 5001).refusal else {
            Issue.record("the cap in units does not hold")
            return
        }
        #expect(units.cap.limit.measure == .units)
        #expect(units.left == UInt256(5000))
        #expect(try await reserve(3, 1).record != nil)
        #expect(try await reserve(4, 1).record != nil)
        #expect(try await reserve(5, 1).refusalCode == "cap-hour")
        #expect(try await reserve(6, 1, second: 3600).refusalCode == "cap-hour")
        try await subject.store.book(.settled, of: .sample(1), second: 3600)
        #expect(try await reserve(7, 1, second: 3600).record != nil)
    }

    @Test("a new cap counts what was spent before it", arguments: StoreKind.allCases)
    func late(kind: StoreKind) async throws {
        let subject = try await Self.subject(kind)
        for number: UInt64 in 1...4 {
            try await subject.store.reserve(.sample(number, agent: "ada", team: "red"), second: Int64(number))
        }
        try await subject.store.book(.settled, of: .sample(1), second: 5)
        try await subject.store.book(.neverSent, of: .sample(2), second: 5)
        for limit in ["hour=1", "week=1", "month=1", "lifetime=1", "5m=1", "day=9payments"] {
            for scope in ["house", "team:red", "agent:ada gateway:lab"] {
                try await subject.store.setCap(
                    Self.cap(scope, limit), by: "tester", at: .vectors.adding(seconds: 6))
            }
        }
        let lines = try await subject.store.usage(at: .vectors.adding(seconds: 6))
        for line in lines where line.cap.scope != CapScope(.agent("bob")) && line.cap.scope != CapScope(.agent("cyd")) {
            #expect(line.used == (line.cap.limit.measure == .payments ? UInt256(3) : Dollars.cents(3).quantity))
        }
        #expect(lines.count == 3 + 6 * 3)
    }

    @Test("what a moved agent spent stays with its old team", arguments: StoreKind.allCases)
    func moving(kind: StoreKind) async throws {
        let subject = try await Self.subject(kind)
        try await set("team:red", "day=1", in: subject.store)
        try await set("team:blue", "day=1", in: subject.store)
        try await subject.store.reserve(.sample(1, agent: "ada", team: "red"))
        try await subject.store.setTeam("blue", of: "ada", by: "tester", at: .vectors)
        try await subject.store.reserve(.sample(2, agent: "ada", team: "blue", value: .cents(5)))
        try await subject.store.book(.neverSent, of: .sample(1))
        let lines = try await subject.store.usage(at: .vectors)
        func used(_ team: String) -> UInt256? { lines.first { $0.cap.scope == CapScope(.team(team)) }?.used }
        #expect(used("red") == .zero)
        #expect(used("blue") == Dollars.cents(5).quantity)
    }

    @Test("a request that was under way while its agent moved counts for the new team", arguments: StoreKind.allCases)
    func movedMeanwhile(kind: StoreKind) async throws {
        let subject = try await Self.subject(kind)
        let store = subject.store
        for team in ["red", "blue"] {
            try await set("team:\(team)", "day=1", in: store)
            try await set("team:\(team)", "day=9payments", in: store)
        }
        try await store.setTeam("blue", of: "ada", by: "tester", at: .vectors)
        // Both came with the team that the agent had on arrival.
        let paid = try #require(try await store.reserve(.sample(1, agent: "ada", team: "red", value: .cents(5))).record)
        #expect(paid.purpose.team == "blue")
        _ = try await store.meter(
            MeteredCall(agent: "ada", team: "red", gateway: "lab", host: "h"), at: .vectors)
        let lines = try await store.usage(at: .vectors)
        func used(_ team: String, _ measure: CapMeasure) -> UInt256? {
            lines.first { $0.cap.scope == CapScope(.team(team)) && $0.cap.limit.measure == measure }?.used
        }
        #expect(used("red", .dollars) == .zero && used("red", .payments) == .zero)
        #expect(used("blue", .dollars) == Dollars.cents(5).quantity && used("blue", .payments) == UInt256(2))
        let calls = try await store.read { (books) throws(LedgerError) in try books.calls(from: 1, limit: 9) }
        #expect(calls.map(\.call.team) == ["blue"])
        // The new team's cap refuses, and the refusal is the new team's too.
        try await set("team:blue", "day=0.05", in: store)
        let intent = PaymentIntent.sample(2, agent: "ada", team: "red")
        #expect(try await store.reserve(intent).refusalCode == "cap-day")
        #expect(try await store.payment(intent.id)?.purpose.team == "blue")
    }

    @Test("each change of a cap is an entry: who, when, before and after", arguments: StoreKind.allCases)
    func entries(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        let later = Timestamp.vectors.adding(seconds: 9)
        try await subject.store.setCap(Self.cap("house", "day=5"), by: "ann", at: .vectors)
        try await subject.store.setCap(Self.cap("house", "day=4"), by: "bea", at: later)
        #expect(try await subject.store.removeCap(Self.cap("house", "day=4").key, by: "cat", at: later))
        let lines = try await subject.store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).filter { $0.line.kind == .cap }
        }
        #expect(lines.map(\.line.actor) == ["ann", "bea", "cat"])
        #expect(lines.map(\.at) == [.vectors, later, later])
        #expect(
            lines.map(\.line.detail) == [
                #"{"window":"day","measure":"dollars","after":"$5.00"}"#,
                #"{"window":"day","measure":"dollars","before":"$5.00","after":"$4.00"}"#,
                #"{"window":"day","measure":"dollars","before":"$4.00"}"#,
            ])
    }

    @Test("reject- units of no token", arguments: StoreKind.allCases)
    func unsound(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        await #expect(throws: LedgerError.unsound("a cap in units needs a scope that names the token")) {
            try await set("house", "day=5units", in: subject.store)
        }
    }

    @Test("warnings at 50, 80 and 95 percent are events", arguments: StoreKind.allCases)
    func warnings(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=1.00")
        for number: UInt64 in 1...10 {
            guard case .reserved(let reservation) = try await subject.store.reserve(.sample(number, value: .cents(10)))
            else {
                Issue.record("refused")
                return
            }
            let share: [UInt64: UInt64] = [5: 50, 8: 80, 10: 95]
            #expect(reservation.warnings.map(\.share) == [share[number]].compactMap(\.self))
        }
        let events = try await subject.store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).filter { $0.line.kind == .notice }.map(\.line.cause)
        }
        #expect(events == ["cap-50-percent", "cap-80-percent", "cap-95-percent"])
    }

    @Test(
        "a cap that goes to and fro at a threshold warns once an hour, each cap for itself",
        arguments: StoreKind.allCases)
    func repeatedWarnings(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.04", "week=0.04", "lifetime=1")
        let store = subject.store
        func warnings(_ number: UInt64, second: Int64, cents: Int64 = 2) async throws -> [String] {
            let outcome = try await store.reserve(
                .sample(number, value: .cents(cents), validFor: 9000), second: second)
            guard case .reserved(let reservation) = outcome else { return ["refused"] }
            try await store.book(.neverSent, of: .sample(number), second: second)
            return reservation.warnings.map { "\($0.usage.cap.limit.window) \($0.share)" }
        }
        #expect(try await warnings(1, second: 0) == ["day 50", "week 50"])
        #expect(try await warnings(2, second: 10) == [])
        // Another threshold is another warning, and so is another cap.
        #expect(try await warnings(3, second: 20, cents: 4) == ["day 95", "week 95"])
        try await set("agent:scout", "hour=0.04", in: store)
        #expect(try await warnings(4, second: 3599) == ["hour 50"])
        #expect(try await warnings(5, second: 3600) == ["day 50", "week 50"])
        let told = try await store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).filter { $0.line.kind == .notice }.map(\.line.cause)
        }
        #expect(told.count == 7)
    }
}
