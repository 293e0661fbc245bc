import Ledger
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Repetitions of what was paid")
struct RepetitionTests {
    private static let settled = PaidAnswer.response(
        status: 200, report: SettlementReport.read(header: Array(#"{"success":true,"transaction":"0xab"}"#.utf8)))

    static let fates: [(AnswerDelivery?, PaymentEvent, PaymentState, Delivery.Fate?)] = [
        (nil, .settled, .reserved, nil), (.underWay, .settled, .reserved, .underWay),
        (.whole(status: 200), .settled, .reserved, .delivered),
        (.whole(status: 101), .settled, .reserved, .delivered),
        (.whole(status: 302), .settled, .reserved, .delivered),
        (.whole(status: 304), .servedUnproven, .reserved, .delivered),
        (.whole(status: 500), .settled, .reserved, .failed), (.whole(status: 404), .settled, .resumed, .failed),
        (.whole(status: 429), .lostSight, .reserved, .failed),
        // A seller that asks for money again has neither failed nor served.
        (.whole(status: 402), .rejected, .reserved, nil), (.whole(status: 402), .settled, .reserved, .delivered),
        (.whole(status: 402), .rejected, .settled, .undelivered),
        // A failure is no answer to what is owed already, unless the seller says with it that it took the money.
        (.whole(status: 500), .lostSight, .settled, .undelivered),
        (.whole(status: 500), .settled, .presumed, .failed),
        (.cut, .settled, .reserved, .undelivered), (.left(status: 200), .settled, .reserved, .left),
        (.left(status: 200), .servedUnproven, .reserved, .undelivered),
        (.left(status: 500), .settled, .reserved, .undelivered),
        (.whole(status: 200), .alreadyUsed, .resumed, .undelivered), (nil, .alreadyUsed, .settled, .undelivered),
    ]

    @Test("what became of an answer means one thing to the books", arguments: fates)
    func fate(
        delivery: AnswerDelivery?, event: PaymentEvent, state: PaymentState, expected: Delivery.Fate?
    ) async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        let payment = AuthorizedPayment(
            id: first.id, header: first.header, terms: first.terms, signature: first.signature, usage: [],
            answerWithin: 60, isAdopted: state != .reserved, state: state, heldUntil: nil, fingerprint: .numbered(9),
            trustsPartial: false, signers: PinnedSigners())
        #expect(payment.fate(of: delivery, after: event) == expected)
        // Of an exchange without an agent only a repetition that joined it can have the answer.
        #expect(payment.fate(of: delivery, after: event, isOrphan: true) == (delivery == nil ? .undelivered : expected))
    }

    @Test("a settled answer that did not arrive is sent for again with the same bytes, and told to the operator once")
    func undelivered() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(Self.settled, of: first, delivery: .cut)
        for _ in 0..<2 {
            let again = try await desk.paid()
            #expect(again.isAdopted && again.isHeldRepetition && again.header == first.header)
            #expect(again.state == .settled)
            #expect(again.newPurchaseAt == Timestamp(seconds: first.terms.validBefore + 60))
            await desk.book(.silence(reason: "no answer"), of: again)
            #expect(try await desk.state(first) == .settled)
        }
        #expect(try await desk.books.used(.day) == .cents(1))
        #expect(desk.log.lines.filter { $0.contains("repeated, and not paid again") }.count == 1)
        let again = try await desk.paid()
        await desk.book(Self.settled, of: again, delivery: .whole(status: 200))
        #expect(try await desk.books.payment(first.id)?.delivery?.fate == .delivered)
        #expect(try await !desk.paid().isAdopted)
    }

    @Test("what comes for an agent that has gone is owed, and said once even where another one is served meanwhile")
    func orphan() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "the agent went away"), of: first)
        let adopter = try await desk.paid()
        await desk.book(Self.settled, of: adopter, delivery: .whole(status: 200))
        await desk.book(Self.settled, of: first, isOrphan: true)
        #expect(try await desk.books.payment(first.id)?.delivery == nil)
        #expect(try await !desk.paid().isAdopted)
    }

    @Test("an answer that was on its way is booked when it has ended, and a whole one holds nothing back")
    func underWay() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(Self.settled, of: first, delivery: .underWay)
        #expect(try await !desk.paid().isAdopted)
        await desk.book(.whole(status: 200), of: first, after: .settled)
        #expect(try await desk.books.payment(first.id)?.delivery?.fate == .delivered)
        let cut = try await desk.paid(for: desk.request(number: 10))
        await desk.book(Self.settled, of: cut, delivery: .underWay)
        await desk.book(.cut, of: cut, after: .settled)
        #expect(try await desk.paid(for: desk.request(number: 10)).id == cut.id)
    }

    @Test("what became of an answer waits for an outcome that the books could not take")
    func unbooked() async throws {
        let books = InMemoryLedger()
        let store = WatchedStore(books, failures: Failures(1))
        let desk = try await Desk(books: books, store: store)
        let first = try await desk.paid()
        await desk.book(Self.settled, of: first, delivery: .underWay)
        await desk.book(.cut, of: first, after: .settled)
        #expect(try await desk.state(first) == .reserved)
        await desk.engine.retryUnbooked()
        #expect(try await desk.state(first) == .settled)
        #expect(try await desk.books.payment(first.id)?.delivery?.fate == .undelivered)
        #expect(try await desk.paid().id == first.id)
    }

    @Test("another purchase that is asked for passes the caps like any other")
    func askedFor() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(1))])
        let first = try await desk.paid()
        await desk.book(Self.settled, of: first, delivery: .cut)
        let failure = await desk.answer(for: desk.request(buysAgain: true)).failure
        #expect(failure?.code == "cap-exceeded")
        #expect(try await desk.paid().id == first.id)
    }

    @Test("bytes that cannot be made again are refused with when the request is a new purchase")
    func otherWallet() async throws {
        let desk = try await Desk(wallets: ["main", "other"])
        let first = try await desk.paid(for: desk.request(wallet: "main"))
        await desk.book(Self.settled, of: first, delivery: .cut)
        let failure = await desk.answer(for: desk.request(wallet: "other")).failure
        #expect(failure?.code == "paid-not-served" && failure?.earlier == first.id)
        #expect(failure?.payment == first.id && failure?.isHeldRepetition == true)
        #expect(failure?.retryAt == Timestamp(seconds: first.terms.validBefore + 60))
        #expect(failure?.retryAfter == first.terms.validBefore + 60 - desk.clock.now().seconds)
        #expect(try await desk.state(first) == .settled)
    }
}
