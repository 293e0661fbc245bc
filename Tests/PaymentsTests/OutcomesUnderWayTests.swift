import Ledger
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Outcomes on their way into the books", .timeLimit(.minutes(1)))
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

    @Test(
        "a repetition waits until the departure of an agent during its decision is on its way into the books")
    func departures() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: first)
        // Its agent goes away while the adoption is decided, and repeats at once.
        let hasGone = Withdrawal()
        let decision = await desk.engine.answer(challenge(), for: desk.request(), withdrawal: hasGone)
        guard case .pay(let adopted) = decision else {
            Issue.record("not paid: \(decision)")
            return
        }
        #expect(adopted.isAdopted)
        hasGone.withdraw()
        async let repetition = desk.paid()
        for _ in 0..<20 { await Task.yield() }
        #expect(try await desk.rows.count == 1)
        desk.engine.announceOutcome(of: adopted)
        desk.engine.decisionIsTaken(of: adopted)
        for _ in 0..<20 { await Task.yield() }
        await desk.engine.book(.neverSent(reason: "the agent went away"), of: adopted)
        let next = try await repetition
        #expect(next.isAdopted && next.id == first.id)
    }

    @Test(
        "identical requests of waiting agents are reserved together, and none is signed before that is on the disk"
    )
    func company() async throws {
        let books = InMemoryLedger()
        let disk = Barrier()
        let desk = try await Desk(
            books: books, store: WatchedStore(books, onReserved: { await disk.pass() }))
        async let payments = withThrowingTaskGroup(of: PaymentID.self) { group in
            for _ in 0..<16 { group.addTask { try await desk.paid().id } }
            return try await group.reduce(into: Set<PaymentID>()) { $0.insert($1) }
        }
        defer { disk.open() }
        try await disk.holds(16)
        #expect(try await desk.rows.count == 16)
        #expect(desk.signer.signatures == 0)
        disk.open()
        #expect(try await payments.count == 16)
    }

    @Test("a payment that was reserved after an outcome is signed when that outcome is booked")
    func confirmation() async throws {
        let books = InMemoryLedger()
        let disk = Barrier()
        var store = WatchedStore(books)
        store.onBooked = { await disk.pass() }
        let desk = try await Desk(books: books, store: store)
        let first = try await desk.paid()
        async let outcome: Void = desk.book(.response(status: 200, report: nil), of: first)
        defer { disk.open() }
        try await disk.holds(1)
        async let second = desk.paid()
        try await desk.rows(2)
        for _ in 0..<20 { await Task.yield() }
        #expect(desk.signer.signatures == 1)
        disk.open()
        await outcome
        #expect(try await second.id != first.id)
        #expect(desk.signer.signatures == 2)
    }

    @Test("when an outcome fails, a reservation that came after it is voided and not signed")
    func failedOutcome() async throws {
        let books = InMemoryLedger()
        let disk = Barrier()
        var store = WatchedStore(books)
        store.onBooked = { await disk.pass() }
        // Not the first payment's own bookings, of which there are none before its outcome.
        store.failures = Failures(1)
        let desk = try await Desk(books: books, store: store)
        let first = try await desk.paid()
        async let outcome: Void = desk.book(.silence(reason: "no answer in time"), of: first)
        defer { disk.open() }
        try await disk.holds(1)
        async let second = desk.answer()
        try await desk.rows(2)
        disk.open()
        await outcome
        #expect(await second.failure?.code == "books-unavailable")
        #expect(desk.signer.signatures == 1)
        #expect(try await desk.rows.map(\.state) == [.voided, .reserved])
        await desk.engine.retryUnbooked()
        #expect(try await desk.paid().id == first.id)
    }

    @Test("an adoption that is given up and cannot be booked stands in the way until it is")
    func keptSurrender() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: first)
        let hasGone = Withdrawal()
        let store = WatchedStore(desk.books, failures: Failures(1), onReserved: { hasGone.withdraw() })
        let engine = try desk.engine(over: store)
        #expect(await engine.answer(challenge(), for: desk.request(), withdrawal: hasGone).isAbandoned)
        #expect(try await desk.state(first) == .resumed)
        #expect(
            await engine.answer(challenge(), for: desk.request()).failure?.code == "books-unavailable")
        await engine.retryUnbooked()
        #expect(try await desk.state(first) == .inDoubt)
        guard case .pay(let payment) = await engine.answer(challenge(), for: desk.request())
        else {
            Issue.record("not paid")
            return
        }
        #expect(payment.id == first.id)
    }

    @Test("nothing is remembered of a request that is over, however it ended")
    func endings() async throws {
        let books = InMemoryLedger()
        let desk = try await Desk(caps: [CapLimit(.day, .cents(1))], books: books, store: WatchedStore(books))
        let hasGone = Withdrawal()
        let leaving = WatchedStore(books, onReserved: { hasGone.withdraw() })
        let left = try desk.engine(over: leaving)
        #expect(await left.answer(challenge(), for: desk.request(), withdrawal: hasGone).isAbandoned)
        #expect(left.underWay.isEmpty)
        let unwritable = try desk.engine(over: WatchedStore(books, refusesToWrite: true))
        #expect(
            await unwritable.answer(challenge(), for: desk.request()).failure?.code == "books-unavailable")
        #expect(unwritable.underWay.isEmpty)
        let paid = try await desk.paid()
        #expect(await desk.answer().failure?.code == "cap-exceeded")
        #expect(desk.engine.underWay.isEmpty)
        desk.engine.announceOutcome(of: paid)
        #expect(!desk.engine.underWay.isEmpty)
        await desk.engine.book(.response(status: 402, report: nil), of: paid, isOrphan: true)
        await desk.book(.response(status: 200, report: nil), of: paid)
        #expect(desk.engine.underWay.isEmpty)
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
        let decision = await underWay.beginDecision(request) { false }
        if let decision { underWay.end(decision) }
        #expect(decision != nil && underWay.isEmpty)
        underWay.begin(request)
        underWay.begin(request)
        underWay.end(request, place: underWay.place(request), isKept: true)
        #expect(await underWay.beginDecision(request) { false } == nil)
        underWay.end(request, isKept: false)
        #expect(await underWay.beginDecision(request) { false } == nil)
        underWay.release(request)
        #expect(underWay.isEmpty)
    }
}

extension Desk {
    /// Waits until there are so many rows.
    fileprivate func rows(_ count: Int) async throws {
        while try await rows.count < count {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
