import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("What the books remember of sellers")
struct MemoryConformanceTests {
    private static let usdt = "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"

    private static func key(
        _ model: Fact<String> = .known("light"), agent: String = "scout", host: String = "x"
    ) -> SellerKey {
        SellerKey(agent: agent, host: host, method: "POST", path: "/v1", model: model)
    }

    private func teach(
        _ store: any LedgerStore, _ number: UInt64, _ key: SellerKey, payee: String = "0x01", price: Dollars = .cents(1)
    ) async throws {
        let lesson = Recollection.none.lesson(about: key, asset: Self.usdt, payee: payee, price: price)
        let outcome = try await store.reserve(
            ReservationRequest(.sample(number), lesson: lesson), at: .vectors.adding(seconds: Int64(number)))
        guard case .reserved = outcome else { throw LedgerError.unsound("\(outcome)") }
    }

    @Test("payees are known by agent and host, the highest price by route and model too", arguments: StoreKind.allCases)
    func known(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=100")
        let store = subject.store
        #expect(try await store.recollection(of: Self.key()) == .none)
        try await teach(store, 1, Self.key(), price: .cents(3))
        try await teach(store, 2, Self.key(), payee: "0x02", price: .cents(2))
        try await teach(store, 3, Self.key(.known("large")), price: .cents(50))
        let light = try await store.recollection(of: Self.key())
        #expect(light.payees == [Self.usdt: ["0x01", "0x02"]] && light.prices == [Self.usdt: .cents(3)])
        #expect(try await store.recollection(of: Self.key(.known("large"))).prices == [Self.usdt: .cents(50)])
        #expect(try await store.recollection(of: Self.key(agent: "clerk")) == .none)
        #expect(try await store.recollection(of: Self.key(host: "y")) == .none)
        subject.outlive()
    }

    @Test("an unknown model has no prices, and its payees are the host's", arguments: StoreKind.allCases)
    func unknownModel(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=100")
        let store = subject.store
        try await teach(store, 1, Self.key(.unknown), price: .cents(3))
        try await teach(store, 2, Self.key(.absent), payee: "0x02", price: .cents(2))
        let unknown = try await store.recollection(of: Self.key(.unknown))
        #expect(unknown.payees == [Self.usdt: ["0x01", "0x02"]] && unknown.prices.isEmpty)
        #expect(try await store.recollection(of: Self.key(.absent)).prices == [Self.usdt: .cents(2)])
        let known = Recollection(payees: [Self.usdt: ["0x01"]])
        #expect(known.lesson(about: Self.key(.unknown), asset: Self.usdt, payee: "0x01", price: .cents(9)) == nil)
        #expect(known.lesson(about: Self.key(.unknown), asset: Self.usdt, payee: "0x02", price: .cents(9)) != nil)
        subject.outlive()
    }

    @Test("nothing is learnt from what is refused", arguments: StoreKind.allCases)
    func refused(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=0.001")
        let lesson = Recollection.none.lesson(about: Self.key(), asset: Self.usdt, payee: "0x01", price: .cents(1))
        _ = try await subject.store.reserve(ReservationRequest(.sample(1), lesson: lesson), at: .vectors)
        #expect(try await subject.store.recollection(of: Self.key()) == .none)
        subject.outlive()
    }

    @Test("a seller that never uses an address twice is not remembered without end", arguments: StoreKind.allCases)
    func bounded(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1000")
        for number in 1...1003 as ClosedRange<UInt64> {
            try await teach(subject.store, number, Self.key(), payee: "0x\(number)")
        }
        let payees = try #require(try await subject.store.recollection(of: Self.key()).payees[Self.usdt])
        #expect(payees.count == Recollection.maximumPayees)
        #expect(!payees.contains("0x3") && payees.contains("0x4") && payees.contains("0x1003"))
        subject.outlive()
    }

    /// Buys so many new routes of a host, one unit each.
    private func flood(
        _ store: any LedgerStore, from first: UInt64, _ count: UInt64, agent: String = "scout", host: String = "x",
        asset: String = MemoryConformanceTests.usdt
    ) async throws {
        for number in first..<(first + count) {
            let key = SellerKey(
                agent: agent, host: host, method: number % 2 == 0 ? "GET" : "POST", path: "/flood/\(number)",
                model: .known("m\(number % 3)"))
            let lesson = Recollection.none.lesson(
                about: key, asset: asset, payee: "0x01", price: Dollars(nanodollars: 1000) ?? .zero)
            let outcome = try await store.reserve(
                ReservationRequest(
                    .sample(number, agent: agent, value: Dollars(nanodollars: 1000) ?? .zero), lesson: lesson),
                at: .vectors.adding(seconds: Int64(number)))
            guard case .reserved = outcome else { throw LedgerError.unsound("\(outcome)") }
        }
    }

    @Test(
        "a full quota forgets the agent's oldest prices at that host, and the highest of them stands for each",
        arguments: StoreKind.allCases)
    func quota(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1000")
        defer { subject.outlive() }
        let store = subject.store
        try await teach(store, 1, Self.key(), price: .cents(3))
        try await teach(store, 2, Self.key(.known("large")), price: .cents(5))
        try await teach(store, 3, Self.key(host: "y"), price: .cents(7))
        let (limit, atOnce) = (UInt64(Recollection.maximumPrices), UInt64(Recollection.pricesForgottenAtOnce))
        try await flood(store, from: 10, limit - 2)
        #expect(try await store.recollection(of: Self.key()).prices == [Self.usdt: .cents(3)], "it is full, not over")
        #expect(try await store.recollection(of: Self.key()).ceilings.isEmpty)
        try await flood(store, from: 2000, 1)
        for model in ["light", "large", "never bought"] {
            let found = try await store.recollection(of: Self.key(.known(model)))
            #expect(found.prices.isEmpty && found.ceilings == [Self.usdt: .cents(5)], "\(model)")
            #expect(found.comparablePrices == [Self.usdt: .cents(5)])
        }
        // As many as are forgotten at once have room again.
        let young = SellerKey(agent: "scout", host: "x", method: "POST", path: "/flood/501", model: .known("m0"))
        #expect(try await !store.recollection(of: young).prices.isEmpty)
        try await flood(store, from: 3000, atOnce - 1)
        let old = SellerKey(agent: "scout", host: "x", method: "GET", path: "/flood/60", model: .known("m0"))
        #expect(try await !store.recollection(of: old).prices.isEmpty)
        try await flood(store, from: 4000, 1)
        #expect(try await store.recollection(of: old).prices.isEmpty)
        // What was forgotten is learnt again, below or above what stands for it; that never falls.
        try await teach(store, 5000, Self.key(), price: .cents(2))
        let again = try await store.recollection(of: Self.key())
        #expect(again.comparablePrices == [Self.usdt: .cents(2)] && again.ceilings == [Self.usdt: .cents(5)])
        #expect(try await store.recollection(of: Self.key(host: "y")).prices == [Self.usdt: .cents(7)])
        #expect(try await store.recollection(of: Self.key(host: "y")).ceilings.isEmpty)
        #expect(try await store.recollection(of: Self.key(.unknown)).comparablePrices.isEmpty)
    }

    @Test(
        "whatever an agent buys, at other hosts, routes, models and tokens, another agent's memory says what it said",
        arguments: StoreKind.allCases)
    func apart(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1000")
        defer { subject.outlive() }
        let store = subject.store
        try await store.add(.sample("mallory", number: 2, caps: [CapLimit(.lifetime, .cents(100_000))]))
        try await teach(store, 1, Self.key(), price: .cents(1))
        let before = try await store.recollection(of: Self.key())
        try await flood(store, from: 10, 600, agent: "mallory")
        try await flood(store, from: 700, 600, agent: "mallory", host: "y")
        try await flood(store, from: 1400, 300, agent: "mallory", asset: "eip155:8453/0xBB")
        // The same route, at 500 times the price, to an accomplice.
        let lesson = Recollection.none.lesson(
            about: Self.key(agent: "mallory"), asset: Self.usdt, payee: "0x66", price: .cents(500))
        _ = try await store.reserve(
            ReservationRequest(.sample(1800, agent: "mallory"), lesson: lesson), at: .vectors.adding(seconds: 1800))
        #expect(try await store.recollection(of: Self.key()) == before)
        let own = try await store.recollection(of: Self.key(agent: "mallory"))
        #expect(own.payees[Self.usdt] == ["0x01", "0x66"] && own.prices == [Self.usdt: .cents(500)])
    }

    @Test(
        "an agent that is removed leaves the highest of its prices by host, and no payees",
        arguments: StoreKind.allCases)
    func removed(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1000")
        defer { subject.outlive() }
        try await teach(subject.store, 1, Self.key(), price: .cents(3))
        try await teach(subject.store, 2, Self.key(.known("large")), price: .cents(2))
        try await subject.store.removeAgent("scout", by: "op", at: .vectors)
        try await subject.store.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        let found = try await subject.store.recollection(of: Self.key())
        #expect(found == Recollection(ceilings: [Self.usdt: .cents(3)]))
    }

    @Test("a payment that shows nothing new teaches nothing")
    func lessons() {
        var known = Recollection.none
        let lesson = known.lesson(about: Self.key(), asset: Self.usdt, payee: "0x01", price: .cents(2))
        guard let lesson else {
            Issue.record("nothing was learnt")
            return
        }
        known.learn(lesson)
        #expect(known.lesson(about: Self.key(), asset: Self.usdt, payee: "0x01", price: .cents(2)) == nil)
        #expect(known.lesson(about: Self.key(), asset: Self.usdt, payee: "0x01", price: .cents(1)) == nil)
        #expect(known.lesson(about: Self.key(), asset: Self.usdt, payee: "0x01", price: .cents(3)) != nil)
        #expect(known.lesson(about: Self.key(), asset: Self.usdt, payee: "0x02", price: .cents(1)) != nil)
        func long(_ end: String) -> SellerKey {
            SellerKey(
                agent: "a", host: "x", method: "GET", path: "/" + String(repeating: "p", count: 999) + end,
                model: .absent)
        }
        #expect(long("").route.utf8.count <= SellerKey.maximumRoute && long("") == long("") && long("1") != long("2"))
    }
}
