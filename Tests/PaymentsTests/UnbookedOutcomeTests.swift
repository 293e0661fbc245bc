import Ledger
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Outcomes that the books cannot take")
struct UnbookedOutcomeTests {
    private static let served = PaidAnswer.response(status: 200, report: nil)

    @Test("an outcome that fails twice is in the books after the third try, with its evidence")
    func retried() async throws {
        let books = InMemoryLedger()
        let log = RecordingLog()
        let failures = Failures(2)
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: failures), log: log)
        let payment = try await desk.paid()
        let report = SettlementReport.read(header: Array(#"{"success":true,"transaction":"0xab"}"#.utf8))
        await desk.book(.response(status: 200, report: report), of: payment)
        #expect(try await desk.rows.map(\.state) == [.reserved])
        await desk.engine.retryUnbooked()
        #expect(try await desk.rows.map(\.state) == [.reserved])
        desk.clock.advance(seconds: 5000)
        await desk.engine.retryUnbooked()
        let row = try #require(await books.payment(payment.id))
        #expect(row.state == .settled)
        #expect(row.evidence.status == 200)
        #expect(row.evidence.signature == payment.signature)
        #expect(row.evidence.transaction == "0xab")
        #expect(log.lines.last?.hasPrefix("info: outcome booked late") == true)
        let tries = failures.tries
        await desk.engine.retryUnbooked()
        #expect(failures.tries == tries)
        #expect(try await books.history(of: payment.id).map(\.line.cause) == ["reserved", "settled"])
    }

    @Test("what became of an answer is kept after its outcome, in whatever order they come")
    func orderOfKinds() {
        let unbooked = UnbookedOutcomes()
        let (one, other) = (PaymentIntent.sample(1).id, PaymentIntent.sample(2).id)
        func outcome(_ event: PaymentEvent, _ id: PaymentID) -> Outcome {
            Outcome(payment: id, event: event, evidence: PaymentEvidence())
        }
        let late = [
            outcome(.answered, one), outcome(.answered, other), outcome(.settled, one), outcome(.servedUnproven, other),
        ]
        for one in late { #expect(unbooked.add(one)) }
        #expect(unbooked.begin().map(\.event) == [.settled, .answered, .servedUnproven, .answered])
    }

    @Test("a payment that was never sent gives its amount back as soon as the books can be written")
    func voidedLate() async throws {
        let books = InMemoryLedger()
        let desk = try await Desk(
            books: books, store: WatchedStore(books, failures: Failures(1)), signer: CountingSigner(fails: true))
        #expect(await desk.answer().failure?.code == "signing-failed")
        #expect(try await books.used(.day) == .cents(1))
        await desk.engine.retryUnbooked()
        #expect(try await desk.rows.map(\.state) == [.voided])
        #expect(try await books.used(.day) == .zero)
    }

    @Test("a try ends at the first sign that the ledger cannot be written, and nothing is lost")
    func order() async throws {
        let books = InMemoryLedger()
        let failures = Failures(5)
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: failures))
        for number: UInt64 in 0..<4 {
            await desk.book(Self.served, of: try await desk.paid(for: desk.request(number: number)))
        }
        #expect(failures.tries == 4)
        await desk.engine.retryUnbooked()
        #expect(failures.tries == 5)
        await desk.engine.retryUnbooked()
        #expect(try await desk.rows.map(\.state) == Array(repeating: .presumed, count: 4))
    }

    @Test(
        "what can never be booked is not tried again",
        arguments: [LedgerError.impossible(state: .voided, event: .settled), .unknownPayment("pay_x")])
    func hopeless(error: LedgerError) async throws {
        let books = InMemoryLedger()
        let failures = Failures(1, error: error)
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: failures))
        await desk.book(Self.served, of: try await desk.paid())
        await desk.engine.retryUnbooked()
        #expect(failures.tries == 1)
        // The same answer to a second try takes the outcome out of memory too, and does not hold up the others.
        let mixed = Failures([.storage("full"), .storage("full"), error])
        let others = InMemoryLedger()
        let second = try await Desk(books: others, store: WatchedStore(others, failures: mixed))
        for number: UInt64 in 1..<3 {
            await second.book(Self.served, of: try await desk.paid(for: desk.request(number: number)))
        }
        await second.engine.retryUnbooked()
        #expect(mixed.tries == 4)
        await second.engine.retryUnbooked()
        #expect(mixed.tries == 4)
    }

    @Test("an outcome that damage keeps out of the books is tried once, and does not hold up the others")
    func damaged() async throws {
        let books = InMemoryLedger()
        let log = RecordingLog()
        let damaged = LedgerError.damaged("row 1")
        let failures = Failures([damaged, .storage("full"), .storage("full")])
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: failures), log: log)
        for number: UInt64 in 0..<3 {
            await desk.book(Self.served, of: try await desk.paid(for: desk.request(number: number)))
        }
        #expect(log.lines.contains { $0.hasPrefix("critical: outcome lost") })
        await desk.engine.retryUnbooked()
        await desk.engine.retryUnbooked()
        #expect(failures.tries == 5)
        #expect(try await desk.rows.map(\.state) == [.presumed, .presumed, .reserved])
        // Nobody knows what became of the attempt, so nothing is signed beside it.
        #expect(await desk.answer(for: desk.request(number: 0)).failure?.code == PaymentFailure.books.code)
    }

    @Test("damage that shows at a later try is not tried again either")
    func damagedLate() async throws {
        let books = InMemoryLedger()
        let failures = Failures([.storage("full"), .damaged("row 1")])
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: failures))
        await desk.book(Self.served, of: try await desk.paid())
        await desk.engine.retryUnbooked()
        await desk.engine.retryUnbooked()
        #expect(failures.tries == 2)
        #expect(await desk.answer().failure?.code == PaymentFailure.books.code)
    }

    @Test("the memory for outcomes is bounded, also while a try is under way")
    func bounded() {
        func outcome(_ number: UInt64) -> Outcome {
            Outcome(payment: PaymentIntent.sample(number).id, event: .settled, evidence: PaymentEvidence())
        }
        let unbooked = UnbookedOutcomes(limit: 2)
        #expect(unbooked.add(outcome(1)))
        #expect(unbooked.add(outcome(2)))
        #expect(!unbooked.add(outcome(3)))
        #expect(unbooked.begin() == [outcome(1), outcome(2)])
        #expect(!unbooked.add(outcome(3)))
        #expect(unbooked.end(2, remaining: [outcome(2)]) == 1)
        #expect(unbooked.add(outcome(3)))
        #expect(unbooked.begin() == [outcome(2), outcome(3)])
    }

    @Test("each booked outcome is one line that names who paid how much, without header or signature")
    func line() async throws {
        let log = RecordingLog()
        let desk = try await Desk(log: log)
        let payment = try await desk.paid()
        await desk.book(Self.served, of: payment)
        #expect(
            log.lines == [
                "info: outcome booked agent=scout amount=0.01 USDT gateway=lab payment=\(payment.id) state=presumed"
            ])
    }
}
