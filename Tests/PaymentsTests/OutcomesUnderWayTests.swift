import Ledger
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Outcomes on their way into the books")
struct OutcomesUnderWayTests {
    @Test("a repetition waits for what is known of the attempt before it, and takes that over")
    func waiting() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        desk.engine.announceOutcome(of: first)
        async let second = desk.paid()
        for _ in 0..<20 { await Task.yield() }
        await desk.engine.book(.silence(reason: "no answer in time"), of: first)
        let adopted = try await second
        #expect(adopted.isAdopted && adopted.id == first.id && adopted.header == first.header)
    }

    @Test("another request does not wait")
    func others() async throws {
        let desk = try await Desk()
        desk.engine.announceOutcome(of: try await desk.paid())
        #expect(try await !desk.paid(for: desk.request(number: 10)).isAdopted)
    }

    @Test("while an outcome waits for the ledger, its request is not paid again")
    func keptOutcome() async throws {
        let books = InMemoryLedger()
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: Failures(1)))
        let first = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: first)
        #expect(await desk.answer().failure?.code == "books-unavailable")
        await desk.engine.retryUnbooked()
        #expect(try await desk.paid().id == first.id)
    }

    @Test("what comes for an agent that has gone may say that money moved, and nothing else")
    func orphans() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "the agent went away"), of: first)
        let second = try await desk.paid()
        #expect(second.isAdopted)
        // The seller's word to the one that left must not take the attempt from the one that waits.
        await desk.book(.response(status: 402, report: nil), of: first, isOrphan: true)
        await desk.book(.silence(reason: "no answer in time"), of: first, isOrphan: true)
        #expect(try await desk.state(first) == .resumed)
        let report = SettlementReport.read(header: Array(#"{"success":true,"transaction":"0xab"}"#.utf8))
        await desk.book(.response(status: 200, report: report), of: first, isOrphan: true)
        #expect(try await desk.state(first) == .settled)
        await desk.book(.response(status: 200, report: nil), of: second)
        #expect(try await desk.state(first) == .settled)
    }

    @Test("identical requests are decided one at a time, and the next one finds what became of the one before")
    func turns() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: first)
        // Its agent goes away while the adoption is decided, and repeats at once.
        let decision = await desk.engine.answer(challenge(), for: desk.request()) { false }
        guard case .pay(let adopted) = decision else {
            Issue.record("not paid: \(decision)")
            return
        }
        #expect(adopted.isAdopted)
        async let repetition = desk.paid()
        for _ in 0..<20 { await Task.yield() }
        desk.engine.announceOutcome(of: adopted)
        desk.engine.decisionIsTaken(of: adopted)
        for _ in 0..<20 { await Task.yield() }
        await desk.engine.book(.neverSent(reason: "the agent went away"), of: adopted)
        let next = try await repetition
        #expect(next.isAdopted && next.id == first.id)
    }

    @Test("an adoption that is given up and cannot be booked stands in the way until it is")
    func keptSurrender() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: first)
        let hasGone = Switch()
        let store = WatchedStore(desk.books, failures: Failures(1), onReserved: { hasGone.turnOn() })
        let engine = try desk.engine(over: store)
        #expect(await engine.answer(challenge(), for: desk.request()) { hasGone.isOn }.isAbandoned)
        #expect(try await desk.state(first) == .resumed)
        #expect(
            await engine.answer(challenge(), for: desk.request()) { false }.failure?.code == "books-unavailable")
        await engine.retryUnbooked()
        #expect(try await desk.state(first) == .inDoubt)
        guard case .pay(let payment) = await engine.answer(challenge(), for: desk.request(), isAbandoned: { false })
        else {
            Issue.record("not paid")
            return
        }
        #expect(payment.id == first.id)
    }

    @Test("many identical requests at once are all decided")
    func crowd() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(1000))])
        let payments = try await withThrowingTaskGroup(of: PaymentID.self) { group in
            for _ in 0..<64 { group.addTask { try await desk.paid().id } }
            return try await group.reduce(into: Set<PaymentID>()) { $0.insert($1) }
        }
        #expect(payments.count == 64)
    }

    @Test("nothing is remembered of what is booked")
    func forgetting() async {
        let underWay = OutcomesUnderWay()
        let request = Bytes32.numbered(1)
        #expect(await underWay.beginDecision(request))
        underWay.end(request, isKept: false)
        underWay.begin(request)
        underWay.begin(request)
        underWay.end(request, isKept: true)
        async let waited = underWay.beginDecision(request)
        for _ in 0..<20 { await Task.yield() }
        underWay.end(request, isKept: false)
        #expect(await !waited)
        underWay.release(request)
        #expect(await underWay.beginDecision(request))
    }
}
