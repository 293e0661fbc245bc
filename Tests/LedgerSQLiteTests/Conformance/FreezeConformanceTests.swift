import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store freezes, meters and stops alike")
struct FreezeConformanceTests {
    private static func freeze(_ scope: FreezeScope, second: Int64 = 0) -> Freeze {
        Freeze(scope: scope, since: .vectors.adding(seconds: second), actor: "ann", reason: "drill")
    }

    private static let call = MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "127.0.0.1")

    @Test(
        "nothing is reserved, adopted or metered under a freeze",
        arguments: StoreKind.allCases, [FreezeScope.everything, .agent("scout"), .gateway("lab")])
    func frozen(kind: StoreKind, scope: FreezeScope) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5", "day=9payments")
        let store = subject.store
        try await store.reserve(.sample(1, fingerprint: 7))
        try await store.book(.lostSight, of: .sample(1))
        let freeze = Self.freeze(scope)
        let before = store.currentGeneration
        #expect(try await store.freeze(freeze))
        #expect(try await !store.freeze(freeze))
        #expect(store.currentGeneration == before + 1)
        #expect(try await store.reserve(.sample(2)).refusal == .frozen(freeze))
        #expect(try await store.reserve(.sample(3, fingerprint: 7)).refusal == .frozen(freeze))
        #expect(try await store.meter(Self.call, at: .vectors) == .refused(.frozen(freeze)))
        // What was under way is booked all the same.
        #expect(try await store.book(.settled, of: .sample(1)).state == .settled)
        #expect(try await store.unfreeze(scope, by: "ann", at: .vectors))
        #expect(try await !store.unfreeze(scope, by: "ann", at: .vectors))
        #expect(try await store.reserve(.sample(4)).record != nil)
    }

    @Test("a frozen wallet pays nothing, and calls that need none are made", arguments: StoreKind.allCases)
    func wallet(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5", "day=9payments")
        let store = subject.store
        try await store.reserve(.sample(1, fingerprint: 7))
        try await store.book(.lostSight, of: .sample(1))
        let freeze = Self.freeze(.wallet("main"))
        #expect(try await store.freeze(freeze))
        #expect(try await store.rulebook().freezes[.wallet("main")] == freeze)
        #expect(try await store.reserve(.sample(2)).refusal == .frozen(freeze))
        #expect(try await store.reserve(.sample(3, fingerprint: 7)).refusal == .frozen(freeze))
        guard case .booked = try await store.meter(Self.call, at: .vectors) else {
            Issue.record("a call of a prepaid gateway uses no wallet")
            return
        }
        #expect(try await store.unfreeze(.wallet("main"), by: "ann", at: .vectors))
        #expect(try await store.reserve(.sample(4)).record != nil)
    }

    @Test(
        "a freeze of one does not stop another",
        arguments: StoreKind.allCases, [FreezeScope.agent("other"), .gateway("other"), .wallet("other")])
    func others(kind: StoreKind, scope: FreezeScope) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        #expect(try await subject.store.freeze(Self.freeze(scope)))
        #expect(try await subject.store.reserve(.sample(1)).record != nil)
    }

    @Test("a prepaid call needs a cap on calls, counts in it, and is booked", arguments: StoreKind.allCases)
    func metering(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        #expect(try await store.meter(Self.call, at: .vectors) == .refused(.noCap))
        try await store.setCap(CapLimit(.hour, .payments, UInt256(3)), of: "scout")
        try await store.reserve(.sample(1))
        for _ in 0..<2 {
            guard case .booked = try await store.meter(Self.call, at: .vectors) else {
                Issue.record("refused")
                return
            }
        }
        guard case .refused(.exceeded(let usage)) = try await store.meter(Self.call, at: .vectors) else {
            Issue.record("not refused")
            return
        }
        #expect(usage.used == UInt256(3))
        #expect(try await store.reserve(.sample(2)).refusalCode == "cap-hour")
        let balances = try await store.read { (books) throws(LedgerError) in try books.balances() }
        let metered = balances.first { $0.account == .metered(agent: "scout", gateway: "lab") }
        #expect(metered?.debits == UInt256(2))
        #expect(metered?.asset == "calls")
    }

    @Test(
        "agents and freezes are of the time of their entries, also when the clock is behind",
        arguments: StoreKind.allCases)
    func times(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.reserve(.sample(1), second: 30)
        let behind = Timestamp.vectors.adding(seconds: 10)
        #expect(
            try await store.freeze(
                Freeze(scope: .gateway("lab"), since: behind, actor: "ann", reason: "a reason")))
        let late = Agent(name: "late", wallet: nil, team: nil, tokenHash: .numbered(5), addedAt: behind)
        try await store.add(late, limits: [], by: "ann")
        let rules = try await store.rulebook()
        let entries = try await store.read { (books) throws(LedgerError) in try books.entries(from: 1, limit: 100) }
        #expect(rules.freezes[.gateway("lab")]?.since == entries.first { $0.line.kind == .freeze }?.at)
        #expect(rules.agents["late"]?.addedAt == entries.last { $0.line.kind == .agent }?.at)
        #expect(rules.agents["late"]?.addedAt == .vectors.adding(seconds: 30))
    }
}
