import Ledger
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("What one agent does changes nothing that is decided for another")
struct AgentsApartTests {
    /// A gateway that refuses prices far above earlier ones, and at which nothing is paused.
    private static var strict: GatewayPolicy {
        var policy = GatewayPolicy(rules: ReservationRules(stopAfterRejections: 0))
        policy.gate.higherPrice = .refuse
        return policy
    }

    private static let units = Dollars(nanodollars: 1000) ?? .zero

    @Test(
        "after hundreds of purchases of one unit, the agent's own and another's, 500 times the price is still refused")
    func flooded() async throws {
        let desk = try await Desk()
        try await desk.books.add(.sample("mallory", number: 9, caps: [CapLimit(.lifetime, .cents(100_000))]))
        _ = try await desk.paid(challenge(amount: "1000"), for: desk.request(number: 1, policy: Self.strict))
        for number in 2000..<2600 as Range<UInt64> {
            let key = SellerKey(
                agent: "mallory", host: "x", method: "POST", path: "/\(number)", model: .known("light"))
            let lesson = Recollection.none.lesson(
                about: key, asset: PaymentIntent.sample(1).terms.assetName, payee: "0x66", price: .cents(90))
            _ = try await desk.books.reserve(
                ReservationRequest(.sample(number, agent: "mallory", value: Self.units), lesson: lesson), at: .vectors)
        }
        let request = desk.request(number: 2, policy: Self.strict)
        let expected = RefusalCode.priceRise.rawValue
        #expect(await desk.answer(challenge(amount: "500000"), for: request).failure?.code == expected)
        for number in 10..<(10 + UInt64(Recollection.maximumPrices)) {
            _ = try await desk.paid(
                challenge(amount: "1"), for: desk.request(number: number, policy: Self.strict, path: "/f/\(number)"))
        }
        // Once by what the process remembers, and once by the books alone, where the price itself is forgotten.
        #expect(await desk.answer(challenge(amount: "500000"), for: request).failure?.code == expected)
        let fresh = try desk.engine(over: WatchedStore(desk.books))
        #expect(
            await fresh.answer(challenge(amount: "500000"), for: request).failure?.code
                == expected)
        guard case .pay = await fresh.answer(challenge(amount: "1000"), for: request) else {
            Issue.record("the price itself is not paid")
            return
        }
    }

    @Test("routes of one agent push nothing that another one has learnt out of the memory of the process")
    func cache() async throws {
        let books = InMemoryLedger()
        let knowledge = SellerKnowledge(store: books, logger: RecordingLog().logger)
        func key(_ agent: String, _ path: String) -> SellerKey {
            SellerKey(agent: agent, host: "x", method: "POST", path: path, model: .absent)
        }
        _ = await knowledge.recollection(of: key("scout", "/y"))
        // Not in the books, so that it is there only as long as the process remembers it.
        knowledge.learn(
            try #require(
                Recollection.none.lesson(about: key("scout", "/y"), asset: "token", payee: "0x01", price: .cents(3))))
        for number in 0...SellerKnowledge.limit {
            _ = await knowledge.recollection(of: key("mallory", "/\(number)"))
        }
        #expect(await knowledge.recollection(of: key("scout", "/y")).prices == ["token": .cents(3)])
    }

    @Test("a notice about one agent's payment does not hold back the notice about another's")
    func notices() async throws {
        let books = InMemoryLedger()
        let notices = OperatorNotices(store: books, logger: RecordingLog().logger)
        let alert = GateAlert.newPayee(payee: seller, asset: "token")
        for agent in ["ada", "ada", "bob"] {
            await notices.unusual(alert, at: "lab", of: agent, by: PaymentIntent.sample(1).id, at: .vectors)
            await notices.doubtful("offer", "x", of: PaymentIntent.sample(1).id, at: "lab", by: agent, now: .vectors)
            await notices.repetitionHeld(at: "lab", of: agent, by: PaymentIntent.sample(1).id, now: .vectors)
        }
        let subjects = try await books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).map(\.line.subject)
        }
        #expect(subjects.count == 6 && Set(subjects) == ["gateway:lab agent:ada", "gateway:lab agent:bob"])
    }
}
