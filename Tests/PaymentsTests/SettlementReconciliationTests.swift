import Ledger
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Payments

/// A chain that shows what some payments moved.
final class ScriptedSettlements: SettlementWitness {
    struct Unreadable: Error {}

    let amounts: Mutex<[Bytes32: UInt256]>
    let unreadable: Set<Bytes32>
    private let recorded = Mutex<[SettlementProbe]>([])

    init(_ amounts: [Bytes32: UInt256] = [:], unreadable: Set<Bytes32> = []) {
        self.unreadable = unreadable
        self.amounts = Mutex(amounts)
    }

    var asked: [SettlementProbe] { recorded.withLock { $0 } }

    func settledAmount(of probe: SettlementProbe) async throws -> SettledAmount? {
        recorded.withLock { $0.append(probe) }
        guard !unreadable.contains(probe.nonce) else { throw Unreadable() }
        return amounts.withLock { $0[probe.nonce] }.map {
            SettledAmount(
                amount: $0, transaction: "\(Bytes32.numbered(9))", block: 77, time: 1_795_305_700, binding: "call")
        }
    }
}

@Suite("What the chain shows of maxima")
struct SettlementReconciliationTests {
    private let books = InMemoryLedger()
    private let cursor = ReconciliationCursor()

    private static func intent(_ number: UInt64, scheme: String = "upto") -> PaymentIntent {
        .sample(number, value: .cents(10), scheme: scheme)
    }

    private func settle(_ numbers: ClosedRange<UInt64>, scheme: String = "upto") async throws {
        for number in numbers {
            let intent = Self.intent(number, scheme: scheme)
            try await books.reserve(intent, at: .vectors)
            _ = try await books.book(
                .settled, of: intent.id, evidence: PaymentEvidence(transaction: "0xfeed"), at: .vectors)
        }
    }

    private func run(_ witness: ScriptedSettlements) async throws -> Int {
        try await SettlementReconciliation.run(
            network: "eip155:42161", store: books, witness: witness, cursor: cursor, at: .vectors,
            logger: RecordingLog().logger)
    }

    @Test("what the chain shows is booked with its proof and frees the rest, once")
    func shown() async throws {
        try await books.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        try await settle(1...1)
        try await settle(2...2, scheme: "exact")
        let witness = ScriptedSettlements([.numbered(1): UInt256(700)])
        #expect(try await run(witness) == 1)
        let record = try #require(try await books.payment(Self.intent(1).id))
        #expect(record.moved == UInt256(700) && record.state == .settled)
        #expect(record.evidence.transaction == "\(Bytes32.numbered(9))")
        #expect(record.evidence.reason == "block 77, time 1795305700, by call")
        let probe = try #require(witness.asked.first)
        let terms = Self.intent(1).terms
        #expect(probe.payer == terms.payer && probe.payee == terms.payTo && probe.maximum == terms.amount)
        #expect(probe.transaction == "0xfeed")
        #expect(try await run(witness) == 0)
        #expect(witness.asked.count == 1)
    }

    @Test("what is not shown, nothing at all, and more than was signed leave the whole amount counted")
    func kept() async throws {
        try await books.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        try await settle(1...3)
        let more = try #require(Self.intent(3).terms.amount.adding(UInt256(1)))
        let witness = ScriptedSettlements([.numbered(2): .zero, .numbered(3): more])
        #expect(try await run(witness) == 0)
        #expect(witness.asked.count == 3)
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try await books.payment(Self.intent(number).id)?.moved == nil)
        }
        #expect(try await books.used(.day) == .cents(30))
    }

    @Test("a payment that cannot be looked into is told, and those behind it are booked")
    func unreadable() async throws {
        try await books.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        try await settle(1...2)
        let witness = ScriptedSettlements([.numbered(2): UInt256(1)], unreadable: [.numbered(1)])
        await #expect(throws: ScriptedSettlements.Unreadable.self) { try await run(witness) }
        #expect(try await books.payment(Self.intent(2).id)?.moved == UInt256(1))
    }

    @Test("payments that can never be shown hide none behind them")
    func paging() async throws {
        try await books.add(.sample(caps: [CapLimit(.day, .cents(1000))]))
        try await settle(1...12)
        let witness = ScriptedSettlements([.numbered(3): UInt256(1), .numbered(12): UInt256(1)])
        #expect(try await run(witness) == 1)
        #expect(try await run(witness) == 0)
        #expect(try await run(witness) == 1)
        #expect(Set(witness.asked.map(\.nonce)) == Set((1...12).map { .numbered($0) }))
        #expect(try await run(witness) == 0)
        #expect(witness.asked.count == 12 + SettlementReconciliation.limit)
    }

    @Test("an agent with many payments that are not shown hides none of another agent's")
    func agents() async throws {
        try await books.add(.sample(caps: [CapLimit(.day, .cents(1000))]))
        try await books.add(.sample("ada", number: 7, caps: [CapLimit(.day, .cents(100))]))
        try await settle(1...12)
        let honest = PaymentIntent.sample(99, agent: "ada", value: .cents(10), scheme: "upto")
        try await books.reserve(honest, at: .vectors)
        _ = try await books.book(
            .settled, of: honest.id, evidence: PaymentEvidence(transaction: "0xfeed"), at: .vectors)
        let witness = ScriptedSettlements([.numbered(99): UInt256(1)])
        #expect(try await run(witness) == 1)
        #expect(witness.asked.count == SettlementReconciliation.limit)
    }
}
