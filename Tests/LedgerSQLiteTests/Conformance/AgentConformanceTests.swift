import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store keeps agents alike")
struct AgentConformanceTests {
    @Test("an agent is found by its token's hash, with its caps", arguments: StoreKind.allCases)
    func registry(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=9", "request=1")
        let empty = try StoreUnderTest(kind)
        let registry = try await subject.store.registry()
        #expect(try await empty.store.registry().generation < registry.generation)
        #expect(registry.agent(tokenHash: .numbered(2)) == nil)
        let agent = try #require(registry.agent(tokenHash: .numbered(1)))
        #expect(agent.name == "scout")
        #expect(agent.wallet == nil)
        #expect(agent.addedAt == .vectors)
        #expect(try await subject.store.rulebook().caps(of: agent).map(\.limit.window) == [.request, .lifetime])
        #expect(try await subject.store.rulebook().agents == ["scout": agent])
    }

    @Test("a name and a token belong to one agent", arguments: StoreKind.allCases)
    func unique(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        await #expect(throws: LedgerError.agentExists("scout")) {
            try await subject.store.add(.sample("scout", number: 2))
        }
        await #expect(throws: LedgerError.duplicate(LedgerError.knownToken)) {
            try await subject.store.add(.sample("other", number: 1))
        }
        try await subject.store.add(.sample("other", number: 2))
        await #expect(throws: LedgerError.duplicate(LedgerError.knownToken)) {
            try await subject.store.replaceToken(of: "other", hash: .numbered(1), by: "tester", at: .vectors)
        }
        #expect(try await subject.store.rulebook().agents.keys.sorted() == ["other", "scout"])
    }

    @Test("a replaced token is dead", arguments: StoreKind.allCases)
    func replacedToken(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        try await subject.store.replaceToken(of: "scout", hash: .numbered(9), by: "tester", at: .vectors)
        let registry = try await subject.store.registry()
        #expect(registry.agent(tokenHash: .numbered(1)) == nil)
        #expect(registry.agent(tokenHash: .numbered(9))?.name == "scout")
    }

    @Test("caps are set, replaced and removed", arguments: StoreKind.allCases)
    func caps(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=1")
        try await subject.store.setCap(CapLimit(.day, .cents(3)), of: "scout")
        try await subject.store.setCap(CapLimit(.request, .cents(2)), of: "scout")
        #expect(
            try await subject.store.rulebook().allCaps.map(\.limit)
                == [CapLimit(.request, .cents(2)), CapLimit(.day, .cents(3))])
        #expect(try await subject.store.removeCap(.request, of: "scout"))
        #expect(try await !subject.store.removeCap(.request, of: "scout"))
        #expect(try await subject.store.usage(of: "scout", at: .vectors).map(\.cap.limit.window) == [.day])
    }

    @Test("a lowered cap refuses from the next payment", arguments: StoreKind.allCases)
    func lowered(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=1")
        try await subject.store.reserve(.sample(1, value: .cents(50)))
        try await subject.store.setCap(CapLimit(.day, .cents(40)), of: "scout")
        #expect(try await subject.store.reserve(.sample(2)).refusalCode == "cap-day")
        #expect(try await subject.store.usage(of: "scout", at: .vectors).map(\.left) == [.zero])
    }

    @Test("every change grows the generation, and nothing else does", arguments: StoreKind.allCases)
    func generation(kind: StoreKind) async throws {
        let subject = try StoreUnderTest(kind)
        defer { subject.outlive() }
        let store = subject.store
        let cap = CapLimit(.day, .cents(3))
        let first = try await store.registry().generation
        try await store.add(.sample())
        try await store.setCap(cap, of: "scout")
        _ = try await store.removeCap(.day, of: "scout")
        try await store.replaceToken(of: "scout", hash: .numbered(5), by: "tester", at: .vectors)
        try await store.removeAgent("scout", by: "tester", at: .vectors)
        #expect(try await store.registry().generation == first + 5)
        try await store.add(.sample())
        _ = try await store.removeCap(.day, of: "scout")
        try? await store.add(.sample())
        try await store.reserve(.sample(1))
        #expect(try await store.registry().generation == first + 6)
    }

    @Test("what is not there cannot be changed", arguments: StoreKind.allCases)
    func unknown(kind: StoreKind) async throws {
        let subject = try StoreUnderTest(kind)
        defer { subject.outlive() }
        let store = subject.store
        let unknown = LedgerError.unknownAgent("scout")
        await #expect(throws: unknown) { try await store.removeAgent("scout", by: "tester", at: .vectors) }
        await #expect(throws: unknown) {
            try await store.replaceToken(of: "scout", hash: .numbered(1), by: "tester", at: .vectors)
        }
        await #expect(throws: unknown) { try await store.setCap(CapLimit(.day, .zero), of: "scout") }
        #expect(try await !store.removeCap(.day, of: "scout"))
        await #expect(throws: unknown) { _ = try await store.usage(of: "scout", at: .vectors) }
    }

    @Test("an agent that comes back finds its old payments counted", arguments: StoreKind.allCases)
    func comingBack(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1")
        try await subject.store.reserve(.sample(1, value: .cents(80)))
        try await subject.store.removeAgent("scout", by: "tester", at: .vectors)
        try await subject.store.book(.settled, of: .sample(1))
        #expect(try await subject.store.reserve(.sample(2)).refusalCode == "unknown-agent")
        try await subject.store.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        #expect(try await subject.store.used(.lifetime) == .cents(80))
        #expect(try await subject.store.reserve(.sample(3, value: .cents(21))).refusalCode == "cap-lifetime")
    }
}
