import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Payments of which less may be settled than was signed")
struct MaximumConformanceTests {
    private static func upto(_ number: UInt64, value: Dollars = .cents(10)) -> PaymentIntent {
        .sample(number, value: value, scheme: "upto", policy: .numbered(7))
    }

    /// A store whose scout has a settled payment of at most ten cents.
    private func settled(_ kind: StoreKind) async throws -> StoreUnderTest {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=1", "lifetime=5", "day=9payments")
        try await subject.store.reserve(Self.upto(1))
        try await subject.store.book(.settled, of: Self.upto(1), second: 1)
        return subject
    }

    private func used(_ store: any LedgerStore) async throws -> [UInt256] {
        try await store.usage(of: "scout", at: .vectors.adding(seconds: 60)).map(\.used)
    }

    @Test(
        "what was not used goes back to the wallet and out of every cap, at its share of the value",
        arguments: StoreKind.allCases)
    func freed(kind: StoreKind) async throws {
        let subject = try await settled(kind)
        let store = subject.store
        let full = Dollars.cents(10).quantity
        #expect(Set(try await used(store)) == [full, UInt256(1)])
        // A third of ten cents, in units of a millionth: rounded up against the agent.
        let moved = UInt256(33_333)
        let record = try await store.show(
            moved, of: Self.upto(1).id, evidence: PaymentEvidence(transaction: "0xab"), at: .vectors.adding(seconds: 2))
        #expect(record.moved == moved && record.state == .settled && record.evidence.transaction == "0xab")
        #expect(try await store.payment(record.id) == record)
        #expect(record.purpose.policy == .numbered(7) && record.echo?.offer == Array(#"{"format":"jws"}"#.utf8))
        let share = try #require(Dollars("0.033333")).quantity
        #expect(Set(try await used(store)) == [share, UInt256(1)])
        let entry = try #require(await store.history(of: record.id).last)
        let wallet = Account.wallet(Self.upto(1).terms.payer)
        #expect(entry.line.cause == "amount-shown" && entry.line.transfer?.debit == wallet)
        #expect(entry.line.transfer?.amount == UInt256(100_000 - 33_333))
        let balances = try await store.read { (books) throws(LedgerError) in try books.balances() }
        let spent = try #require(
            balances.first { $0.account == .spent(agent: "scout", payee: Self.upto(1).terms.payTo) })
        #expect(spent.debits.subtracting(spent.credits) == moved)
        subject.outlive()
    }

    @Test("a cap that is set afterwards counts what was moved", arguments: StoreKind.allCases)
    func recount(kind: StoreKind) async throws {
        let subject = try await settled(kind)
        _ = try await subject.store.show(
            UInt256(20_000), of: Self.upto(1).id, evidence: PaymentEvidence(), at: .vectors.adding(seconds: 2))
        try await subject.store.setCap(
            Cap(CapScope(.house), CapLimit(.month, .cents(500))), by: "ann", at: .vectors.adding(seconds: 3))
        let usage = try await subject.store.usage(at: .vectors.adding(seconds: 4))
        #expect(usage.first { $0.cap.scope == CapScope(.house) }?.used == Dollars.cents(2).quantity)
        subject.outlive()
    }

    @Test("all of it may have been taken, which frees nothing and is shown once", arguments: StoreKind.allCases)
    func whole(kind: StoreKind) async throws {
        let subject = try await settled(kind)
        let store = subject.store
        let id = Self.upto(1).id
        #expect(try await store.unshown(network: "eip155:42161", limit: 9).map(\.id) == [id])
        #expect(try await store.unshown(network: "eip155:1", limit: 9).isEmpty)
        _ = try await store.show(UInt256(100_000), of: id, evidence: PaymentEvidence(), at: .vectors)
        #expect(try await store.unshown(network: "eip155:42161", limit: 9).isEmpty)
        #expect(try await store.history(of: id).last?.line.transfer == nil)
        #expect(Set(try await used(store)) == [Dollars.cents(10).quantity, UInt256(1)])
        await #expect(throws: LedgerError.impossible(state: .settled, event: .amountShown)) {
            _ = try await store.show(UInt256(1), of: id, evidence: PaymentEvidence(), at: .vectors)
        }
        subject.outlive()
    }

    @Test("reject- amounts that cannot have been moved", arguments: StoreKind.allCases)
    func rejected(kind: StoreKind) async throws {
        let subject = try await settled(kind)
        let store = subject.store
        for amount in [UInt256.zero, UInt256(100_001), .max] {
            await #expect(throws: LedgerError.self) {
                _ = try await store.show(amount, of: Self.upto(1).id, evidence: PaymentEvidence(), at: .vectors)
            }
        }
        try await store.reserve(.sample(2), second: 2)
        try await store.book(.settled, of: .sample(2), second: 3)
        try await store.reserve(Self.upto(3), second: 4)
        for (intent, state) in [(PaymentIntent.sample(2), PaymentState.settled), (Self.upto(3), .reserved)] {
            await #expect(throws: LedgerError.impossible(state: state, event: .amountShown)) {
                _ = try await store.show(UInt256(1), of: intent.id, evidence: PaymentEvidence(), at: .vectors)
            }
            await #expect(throws: LedgerError.impossible(state: state, event: .amountShown)) {
                try await store.book(.amountShown, of: intent, second: 9)
            }
        }
        subject.outlive()
    }

    @Test("what the chain confirms may be shown, and what it released may not", arguments: StoreKind.allCases)
    func proven(kind: StoreKind) async throws {
        let subject = try await settled(kind)
        let store = subject.store
        for number in 2...3 as ClosedRange<UInt64> {
            try await store.reserve(Self.upto(number), second: 2)
            try await store.book(.lostSight, of: Self.upto(number), second: 3)
        }
        for (number, event) in [(2, PaymentEvent.provenUsed), (3, .provenUnused)] as [(UInt64, PaymentEvent)] {
            try await store.book(event, of: Self.upto(number), second: 1000)
        }
        let record = try await store.show(
            UInt256(1), of: Self.upto(2).id, evidence: PaymentEvidence(), at: .vectors.adding(seconds: 1001))
        #expect(record.state == .confirmed)
        await #expect(throws: LedgerError.impossible(state: .released, event: .amountShown)) {
            _ = try await store.show(
                UInt256(1), of: Self.upto(3).id, evidence: PaymentEvidence(), at: .vectors.adding(seconds: 1001))
        }
        subject.outlive()
    }
}
