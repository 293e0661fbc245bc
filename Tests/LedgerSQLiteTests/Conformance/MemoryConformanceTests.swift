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

    @Test("payees are known by host, the highest price by agent, host, route and model", arguments: StoreKind.allCases)
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
        let other = try await store.recollection(of: Self.key(agent: "clerk"))
        #expect(other.payees == light.payees && other.prices.isEmpty)
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
        let long = SellerKey(
            agent: "a", host: "x", method: "GET", path: "/" + String(repeating: "p", count: 999), model: .absent)
        #expect(long.route.count == SellerKey.maximumRoute)
    }
}
