import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("What changes while a request is under way")
struct ChangedMeanwhileTests {
    /// What an operator does to the agent after its request was admitted.
    enum AgentChange: String, CaseIterable {
        case tokenReplaced, removed, removedAndAdded

        func make(in books: InMemoryLedger) async throws(LedgerError) {
            switch self {
            case .tokenReplaced: try await books.replaceToken(of: "scout", hash: .numbered(77), by: "op", at: .vectors)
            case .removed: try await books.removeAgent("scout", by: "op", at: .vectors)
            case .removedAndAdded:
                try await books.removeAgent("scout", by: "op", at: .vectors)
                let sample = SampleAgent.sample(caps: [CapLimit(.day, .cents(100))]).agent
                try await books.add(
                    Agent(
                        name: "scout", wallet: nil, team: nil, tokenHash: sample.tokenHash,
                        addedAt: Timestamp.vectors.adding(seconds: 5)),
                    limits: [CapLimit(.day, .cents(100))], by: "op")
            }
        }
    }

    @Test(
        "a request whose agent was removed, added again or given another token is not signed for",
        arguments: AgentChange.allCases, [true, false])
    func agent(change: AgentChange, isBeforeDecision: Bool) async throws {
        let desk = try await Desk()
        let books = desk.books
        let request = desk.request()
        let engine = try desk.engine(
            over: WatchedStore(books, onReserved: { if !isBeforeDecision { try? await change.make(in: books) } }))
        if isBeforeDecision { try await change.make(in: books) }
        let answer = await engine.answer(challenge(), for: request)
        #expect(answer.failure?.code == "unknown-agent")
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.rows.allSatisfy { $0.state == .voided || $0.state == .refused })
    }

    @Test("a token that was replaced does not stop a request that was admitted without one")
    func peer() async throws {
        let desk = try await Desk()
        let claim = AgentClaim(desk.agent, tokenHash: nil, generation: desk.books.currentGeneration)
        try await AgentChange.tokenReplaced.make(in: desk.books)
        #expect(try await desk.books.rulebook().obstacle(to: claim, at: "lab", from: "main") == nil)
        let holder = AgentClaim(desk.agent, tokenHash: desk.agent.tokenHash, generation: claim.generation)
        #expect(try await desk.books.rulebook().obstacle(to: holder, at: "lab", from: "main") == .unknownAgent)
    }

    /// What a reload changes.
    enum Reload: String, CaseIterable {
        case removed, moved, rules, policy

        var gateways: [String: GatewayTerms] {
            var policy = GatewayPolicy()
            switch self {
            case .removed: return [:]
            case .moved:
                return ["lab": GatewayTerms(site: SellerSite(origin: "https://y", basePath: ""), policy: policy)]
            case .rules: policy.gate.maxValidity = 30
            case .policy: break
            }
            return .lab(policy)
        }

        var snapshot: PolicySnapshot? {
            self == .policy ? PolicySnapshot(rules: PolicyRules([], standard: .refuse), hash: .numbered(5)) : nil
        }
    }

    /// A reload that happens while the books decide.
    private final class Reloads: Sendable {
        let next = Mutex<(@Sendable () -> Void)?>(nil)

        func make() { next.withLock { $0 }?() }
    }

    @Test("nothing is signed by what a reload has replaced meanwhile", arguments: Reload.allCases, [true, false])
    func reload(change: Reload, isBeforeDecision: Bool) async throws {
        let desk = try await Desk()
        let reloads = Reloads()
        let engine = try desk.engine(over: WatchedStore(desk.books, onReserved: { reloads.make() }))
        if !isBeforeDecision {
            reloads.next.withLock { $0 = { engine.replace(policy: change.snapshot, gateways: change.gateways) } }
        }
        if isBeforeDecision { engine.replace(policy: change.snapshot, gateways: change.gateways) }
        let answer = await engine.answer(challenge(), for: desk.request())
        #expect(
            answer.failure?.code == (isBeforeDecision && change == .policy ? "policy-refused" : "rules-changed"))
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.books.used(.day) == .zero)
    }

    @Test("a reload that leaves the gateway's entry and the policy as they are stops nothing")
    func reloadOfTheSame() async throws {
        let desk = try await Desk()
        desk.engine.replace(policy: nil, gateways: .lab())
        _ = try await desk.paid()
    }
}
