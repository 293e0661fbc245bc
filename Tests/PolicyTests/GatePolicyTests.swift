import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Gate: the operator's policy")
struct GatePolicyTests {
    private func door(_ rules: PolicyRule..., shadow: Bool = false) throws -> Doorway {
        var door = try Doorway(["eip155:42161/USDT", "eip155:8453/USDC"])
        door.context.policy = PolicySnapshot(rules: PolicyRules(rules, isShadow: shadow), hash: .numbered(1))
        return door
    }

    @Test("a rule refuses or asks, with its name, and with what would have been signed")
    func decides() throws {
        let refusing = try door(PolicyRule(name: "no", matchers: [], outcome: .refuse, reason: "because"))
        guard case .refuse(let refusal) = refusing.decide(try challenge(Entry())) else {
            Issue.record("it was not refused")
            return
        }
        #expect(refusal.code == .policy)
        #expect((refusal.verdict?.rule, refusal.verdict?.reason) == ("no", "because"))
        #expect(refusal.order?.order.amount == UInt256(10_000))
        #expect(refusal.order?.method == "exact-eip3009")
        let asking = try door(PolicyRule(name: "stop", matchers: [], outcome: .ask))
        guard case .ask(let refusal) = asking.decide(try challenge(Entry())) else {
            Issue.record("it was not held")
            return
        }
        #expect((refusal.code, refusal.verdict?.rule) == (.approval, "stop"))
    }

    @Test("an entry that a rule refuses gives way to the next one")
    func nextEntry() throws {
        let rule = PolicyRule(
            name: "no-usdt", matchers: [.oneOf(.asset, [.exact("USDT")])], outcome: .refuse)
        let paid = try door(rule).paid(Entry(), Entry().token("eip155:8453", baseUSDC))
        #expect(paid.order.token.symbol == "USDC")
    }

    @Test("approval by a rule does not lift the gateway's own limits")
    func limits() throws {
        var door = try door(PolicyRule(name: "yes", matchers: [], outcome: .approve))
        door.context.rules.maxPayment = .zero
        #expect(try door.refusal(challenge(Entry())) == .tooLarge)
    }

    @Test("paths above 8 KiB are refused where rules look at paths, and not compared with anything")
    func longPath() throws {
        let pattern = try #require(Glob("/**/free"))
        let looking = PolicyRule(name: "free", matchers: [.oneOf(.path, [.glob(pattern)])], outcome: .approve)
        for (length, rule, shadow, code) in [
            (8192, looking, false, nil), (8193, looking, false, .pathTooLong), (8193, looking, true, nil),
            (60_000, PolicyRule(name: "any", matchers: [], outcome: .approve), false, nil),
        ] as [(Int, PolicyRule, Bool, RefusalCode?)] {
            var door = try door(rule, shadow: shadow)
            door.context.request = GateRequest(
                agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST",
                path: "/" + String(repeating: "a", count: length - 1), model: .known("light"))
            #expect(try door.refusal(challenge(Entry())) == code, "\(length)")
        }
    }

    @Test("where the policy is not asked, everything else is, and an earlier payment is held against it all the same")
    func notAsked() throws {
        var door = try door(PolicyRule(name: "no", matchers: [], outcome: .refuse))
        door.context.asksPolicy = false
        let payment = try door.paid(Entry())
        #expect(door.gate.objection(to: payment, version: 2, in: door.context)?.code == .policy)
        door.context.rules.maxPayment = .zero
        #expect(try door.refusal(challenge(Entry())) == .tooLarge)
    }

    @Test("what the shadow would not approve is paid and told")
    func shadow() throws {
        let rule = PolicyRule(name: "trial", matchers: [], outcome: .refuse, isShadow: true)
        #expect(try door(rule).paid(Entry()).alerts == [.shadow(rule: "trial", outcome: .refuse)])
        let enforced = PolicyRule(name: "no", matchers: [], outcome: .ask)
        #expect(try door(enforced, shadow: true).paid(Entry()).alerts == [.shadow(rule: "no", outcome: .ask)])
        let kind = PolicyRule(name: "kind", matchers: [], outcome: .approve, isShadow: true)
        #expect(try door(kind).paid(Entry()).alerts.isEmpty)
    }

    @Test("rules see what was paid before, the window and the clock")
    func subject() throws {
        let name = "eip155:42161/\(arbitrumUSDT)"
        let rule = PolicyRule(
            name: "odd", matchers: [.newPayee(true), .priceAbove(200), .windowAbove(299), .days([.sun])],
            outcome: .refuse)
        var door = try door(rule)
        door.context.history = SellerHistory(payees: [name: ["0x1"]], prices: [name: Dollars(nanodollars: 1) ?? .zero])
        door.context.rules.newPayee = .alert
        #expect(try door.refusal(challenge(Entry())) == .policy)
        door.context.history.payees[name] = [seller]
        #expect(try door.refusal(challenge(Entry())) == nil)
    }
}
