import Ledger
import Payments
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Engine: the operator's policy")
struct PolicyTests {
    private static func policy(_ rules: PolicyRule..., shadow: Bool = false) -> PolicySnapshot {
        PolicySnapshot(rules: PolicyRules(rules, isShadow: shadow), hash: .numbered(77))
    }

    @Test("what is paid and what is refused is booked with the policy's hash")
    func hash() async throws {
        let dear = PolicyRule(name: "dear", matchers: [.above(.cents(5))], outcome: .refuse, reason: "too dear")
        let desk = try await Desk(policy: Self.policy(dear))
        _ = try await desk.paid()
        let refused = await desk.answer(challenge(amount: "60000"), for: desk.request(number: 10)).failure
        #expect(refused?.code == "policy-refused")
        #expect(refused?.detail == #"A rule of the policy refuses this payment. It is the rule "dear": too dear."#)
        let rows = try await desk.rows
        #expect(Set(rows.map(\.state)) == [.reserved, .refused])
        #expect(rows.allSatisfy { $0.purpose.policy == .numbered(77) })
        let row = try #require(rows.first { $0.state == .refused })
        #expect(row.terms?.amount == UInt256(60_000))
        #expect(row.terms?.payTo == seller)
        #expect(desk.signer.signatures == 1)
    }

    @Test("what a rule asks about is not signed")
    func ask() async throws {
        let desk = try await Desk(policy: Self.policy(PolicyRule(name: "all", matchers: [], outcome: .ask)))
        #expect(await desk.answer().failure?.code == "approval-required")
        #expect(desk.signer.signatures == 0)
    }

    @Test("what the shadow would refuse is paid and noted in the journal")
    func shadow() async throws {
        let rule = PolicyRule(name: "trial", matchers: [], outcome: .refuse)
        let desk = try await Desk(policy: Self.policy(rule, shadow: true))
        let payment = try await desk.paid()
        let notices = try await desk.books.read { (snapshot) throws(LedgerError) in
            try snapshot.newestEntries(of: .notice, limit: 10)
        }
        #expect(notices.count == 1)
        #expect("\(notices)".contains("\(payment.id) would be refused by rule trial"))
    }

    @Test("another policy decides from the next challenge on, and its hash is booked")
    func replaced() async throws {
        let dear = PolicyRule(name: "dear", matchers: [], outcome: .refuse)
        let desk = try await Desk(policy: Self.policy(dear))
        #expect(await desk.answer().failure?.code == "policy-refused")
        desk.engine.replace(policy: PolicySnapshot(rules: PolicyRules([]), hash: .numbered(78)), gateways: .lab())
        _ = try await desk.paid()
        desk.engine.replace(policy: nil, gateways: .lab())
        _ = await desk.answer(challenge(amount: "1000001"), for: desk.request(number: 11))
        let hashes = try await desk.rows.map { $0.purpose.policy }
        #expect(Set(hashes) == [.numbered(77), .numbered(78), nil])
    }

    @Test("without a policy rows name none, and what the gateway refuses has its terms")
    func none() async throws {
        let desk = try await Desk()
        #expect(await desk.answer(challenge(amount: "1000001")).failure?.code == "payment-too-large")
        let row = try #require(try await desk.rows.first)
        #expect(row.purpose.policy == nil)
        #expect(row.terms?.value == Dollars(nanodollars: 1_000_001_000))
    }
}
