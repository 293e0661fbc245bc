import Ledger
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Payments

/// A chain with one final block, on which some nonces are used.
final class ScriptedWitness: ChainWitness {
    struct Unreachable: Error {}

    struct State {
        var time: Int64
        var used: Set<Bytes32> = []
        var unreadable: Set<Bytes32> = []
        var isReachable = true
        var answers: Int?
        var asked: [[UnprovenAuthorization]] = []
    }

    let state: Mutex<State>

    init(time: Int64) {
        state = Mutex(State(time: time))
    }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var asked: [[UnprovenAuthorization]] { state.withLock { $0.asked } }

    func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading {
        try state.withLock { state in
            state.asked.append(probes)
            guard state.isReachable else { throw Unreachable() }
            let used = probes.map { state.unreadable.contains($0.nonce) ? nil : state.used.contains($0.nonce) }
            return ProofReading(
                finalBlock: 77, finalTime: state.time, used: Array(used.prefix(state.answers ?? used.count)))
        }
    }
}

@Suite("Proof from the chain")
struct ChainReconciliationTests {
    private static let network = "eip155:42161"

    private func run(_ desk: Desk, _ witness: ScriptedWitness) async throws -> ChainReconciliation.Tally {
        try await ChainReconciliation.run(
            network: Self.network, store: desk.books, witness: witness, at: desk.clock.now(), logger: desk.log.logger)
    }

    private static func tally(confirmed: Int = 0, released: Int = 0, waiting: Int = 0) -> ChainReconciliation.Tally {
        var tally = ChainReconciliation.Tally()
        (tally.confirmed, tally.released, tally.waiting) = (confirmed, released, waiting)
        return tally
    }

    /// A payment that a seller answers in the worst order: refused, reported as failed, then not answered at all.
    private func denied(_ desk: Desk) async throws -> AuthorizedPayment {
        let failure = SettlementReport.read(header: Array(#"{"success":false,"errorReason":"x"}"#.utf8))
        let answers: [PaidAnswer] = [
            .response(status: 402, report: nil), .response(status: 200, report: failure), .silence(reason: "time-out"),
        ]
        let first = try await desk.paid()
        await desk.book(answers[0], of: first)
        for answer in answers.dropFirst() {
            let again = try await desk.paid()
            #expect(again.id == first.id && again.header == first.header)
            await desk.book(answer, of: again)
        }
        #expect(try await desk.books.used(.day) == .cents(1))
        return first
    }

    @Test("refused, reported failed, timed out, then settled in the last second: confirmed, and counted")
    func evilSequence() async throws {
        let desk = try await Desk()
        let payment = try await denied(desk)
        let end = payment.terms.validBefore
        let witness = ScriptedWitness(time: end - 2)
        #expect(try await run(desk, witness) == Self.tally(waiting: 1))
        witness.change { state in
            state.time = end - 1
            state.used = [payment.terms.nonce]
        }
        #expect(try await run(desk, witness) == Self.tally(confirmed: 1))
        let row = try #require(await desk.books.payment(payment.id))
        #expect(row.state == .confirmed && row.evidence.reason == "block 77, time \(end - 1)")
        #expect(try await desk.books.used(.day) == .cents(1))
        #expect(try await run(desk, witness) == Self.tally())
        #expect(witness.asked.count == 2)
    }

    @Test("unused is proof only at a final block whose time is past the window, to the second")
    func released() async throws {
        let desk = try await Desk()
        let payment = try await denied(desk)
        let witness = ScriptedWitness(time: payment.terms.validBefore - 1)
        // However late it is here: only the chain's own time counts.
        desk.clock.advance(seconds: 100_000)
        #expect(try await run(desk, witness) == Self.tally(waiting: 1))
        #expect(try await desk.state(payment) == .inDoubt)
        witness.change { $0.time = payment.terms.validBefore }
        #expect(try await run(desk, witness) == Self.tally(released: 1))
        #expect(try await desk.state(payment) == .released)
        #expect(try await desk.books.used(.day) == .zero)
    }

    @Test("what is asked is the nonce of each unproven payment on that network, and of no other")
    func probes() async throws {
        let desk = try await Desk()
        let lost = try await desk.paid(for: desk.request(number: 1))
        await desk.book(.silence(reason: "x"), of: lost)
        _ = try await desk.paid(for: desk.request(number: 2))
        let settled = try await desk.paid(for: desk.request(number: 3))
        let report = SettlementReport.read(header: Array(#"{"success":true,"transaction":"0xab"}"#.utf8))
        await desk.book(.response(status: 200, report: report), of: settled)
        let served = try await desk.paid(for: desk.request(number: 4))
        await desk.book(.response(status: 200, report: nil), of: served)
        let witness = ScriptedWitness(time: 0)
        #expect(try await run(desk, witness) == Self.tally(waiting: 2))
        #expect(witness.asked == [[UnprovenAuthorization(lost.terms), UnprovenAuthorization(served.terms)]])
        let probe = try #require(witness.asked.first?.first)
        #expect(probe.keeper == .token && probe.token == lost.terms.asset && probe.payer == lost.terms.payer)
        let other = try await ChainReconciliation.run(
            network: "eip155:1", store: desk.books, witness: witness, at: .vectors, logger: desk.log.logger)
        #expect(other == Self.tally() && witness.asked.count == 1)
    }

    @Test("a nonce that cannot be read proves nothing and holds up no other")
    func unreadable() async throws {
        let desk = try await Desk()
        var payments: [AuthorizedPayment] = []
        for number in 1...2 {
            let payment = try await desk.paid(for: desk.request(number: UInt64(number)))
            await desk.book(.silence(reason: "x"), of: payment)
            payments.append(payment)
        }
        let witness = ScriptedWitness(time: payments[0].terms.validBefore)
        let hidden = payments[0].terms.nonce
        witness.change { $0.unreadable = [hidden] }
        #expect(try await run(desk, witness) == Self.tally(released: 1, waiting: 1))
        #expect(try await desk.state(payments[0]) == .inDoubt)
        #expect(try await desk.state(payments[1]) == .released)
    }

    @Test(
        "the contract that keeps a nonce follows from the method",
        arguments: [
            ("exact-eip3009", .token), ("exact-permit2", .permit2), ("exact-permit2-gate", .permit2),
            ("exact-permit2-binance", .permit2), ("upto-permit2", .permit2), ("exact", nil), ("exact-permit3", nil),
            ("", nil),
        ] as [(String, NonceKeeper?)])
    func keepers(method: String, keeper: NonceKeeper?) {
        #expect(PaymentMethods.standard.method(named: method)?.keeper == keeper)
    }

    @Test("Permit2 still settles at its deadline, the last second before the books' end; a token no more at its end")
    func deadlines() {
        #expect(NonceKeeper.token.isDead(validBefore: 100, asOf: 100))
        #expect(!NonceKeeper.token.isDead(validBefore: 100, asOf: 99))
        // The deadline is 99: a block of that time settles, and so may another one behind it with the same time.
        #expect(!NonceKeeper.permit2.isDead(validBefore: 100, asOf: 99))
        #expect(NonceKeeper.permit2.isDead(validBefore: 100, asOf: 100))
        #expect(!NonceKeeper.permit2.isDead(validBefore: .min, asOf: .min))
    }

    @Test("payments that can never be read hide none that stand behind them, round after round")
    func paging() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(100_000))])
        var payments: [AuthorizedPayment] = []
        for number in 1...(ChainReconciliation.limit + 3) {
            let payment = try await desk.paid(for: desk.request(number: UInt64(number)))
            await desk.book(.silence(reason: "x"), of: payment)
            payments.append(payment)
            desk.clock.advance(seconds: 1)
        }
        let front = Set(payments.prefix(ChainReconciliation.limit).map(\.terms.nonce))
        let witness = ScriptedWitness(time: payments[0].terms.validBefore + 100_000)
        witness.change { $0.unreadable = front }
        let cursor = ReconciliationCursor()
        var tallies: [ChainReconciliation.Tally] = []
        for _ in 0..<3 {
            tallies.append(
                try await ChainReconciliation.run(
                    network: Self.network, store: desk.books, witness: witness, cursor: cursor, at: desk.clock.now(),
                    logger: desk.log.logger))
        }
        let unread = Self.tally(waiting: ChainReconciliation.limit)
        #expect(tallies == [unread, Self.tally(released: 3), unread])
        #expect(witness.asked.map(\.count) == [ChainReconciliation.limit, 3, ChainReconciliation.limit])
    }

    @Test("an agent with more payments in doubt than a reading takes hides none of another agent's")
    func agents() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(100_000))])
        try await desk.books.add(.sample("ada", number: 7, caps: [CapLimit(.day, .cents(100))]))
        for number in 1...UInt64(ChainReconciliation.limit + 3) {
            try await desk.books.reserve(.sample(number), at: .vectors)
            _ = try await desk.books.book(
                .lostSight, of: PaymentIntent.sample(number).id, evidence: PaymentEvidence(), at: .vectors)
        }
        let honest = PaymentIntent.sample(9999, agent: "ada", validFor: 600)
        try await desk.books.reserve(honest, at: .vectors)
        _ = try await desk.books.book(.lostSight, of: honest.id, evidence: PaymentEvidence(), at: .vectors)
        let witness = ScriptedWitness(time: 0)
        witness.change { $0.used = [honest.terms.nonce] }
        let tally = try await run(desk, witness)
        #expect(tally == Self.tally(confirmed: 1, waiting: ChainReconciliation.limit - 1))
        #expect(try await desk.books.payment(honest.id)?.state == .confirmed)
    }

    @Test("a payment that damage keeps out of the books holds up no other")
    func damaged() async throws {
        let desk = try await Desk()
        var payments: [AuthorizedPayment] = []
        for number in 1...2 {
            let payment = try await desk.paid(for: desk.request(number: UInt64(number)))
            await desk.book(.silence(reason: "x"), of: payment)
            payments.append(payment)
        }
        let fault = LedgerError.damaged("row 1")
        let store = WatchedStore(desk.books, failures: Failures(1, error: fault))
        var expected = Self.tally(released: 1, waiting: 1)
        expected.damage = [fault]
        let tally = try await ChainReconciliation.run(
            network: Self.network, store: store, witness: ScriptedWitness(time: payments[0].terms.validBefore),
            at: desk.clock.now(), logger: desk.log.logger)
        #expect(tally == expected)
        #expect(try await desk.state(payments[1]) == .released)
    }

    @Test("a witness that fails or leaves an answer out books nothing")
    func failures() async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        await desk.book(.silence(reason: "x"), of: payment)
        let witness = ScriptedWitness(time: payment.terms.validBefore)
        witness.change { $0.isReachable = false }
        await #expect(throws: ScriptedWitness.Unreachable.self) { try await run(desk, witness) }
        witness.change { state in
            state.isReachable = true
            state.answers = 0
        }
        await #expect(throws: ChainReconciliation.IncompleteReading.self) { try await run(desk, witness) }
        #expect(try await desk.state(payment) == .inDoubt)
    }
}
