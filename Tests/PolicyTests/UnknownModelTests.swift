import Policy
import Primitives
import TestSupport
import Testing
import X402

/// What rules make of a request whose model is known, absent or unknown.
@Suite("Policy: unknown facts")
struct UnknownModelTests {
    private static let anything = PolicyMatcher.oneOf(
        .model, [Glob("*", separator: nil)].compactMap { $0.map(TextPattern.glob) })
    private static let small = PolicyMatcher.oneOf(.model, [.exact("m-small")])

    private static func subject(
        _ model: Fact<String>, ratio: Fact<Int64> = .absent, value: Dollars = .cents(1)
    ) -> PolicySubject {
        .sample {
            $0.request = GateRequest(
                agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: "/v1", model: model)
            $0.priceRatio = ratio
            $0.value = value
        }
    }

    @Test(
        "matchers hold, do not hold, or cannot be judged",
        arguments: [
            (small, .known("m-small"), .yes), (small, .known("m-large"), .no), (small, .absent, .no),
            (small, .unknown, .unknown),
            (anything, .absent, .no), (anything, .known("m-small"), .yes), (anything, .unknown, .unknown),
            (.oneOf(.agent, [.exact("scout")]), .unknown, .yes),
        ] as [(PolicyMatcher, Fact<String>, TruthValue)])
    func models(matcher: PolicyMatcher, model: Fact<String>, holds: TruthValue) {
        #expect(matcher.holds(for: Self.subject(model)) == holds)
    }

    @Test(
        "a price over earlier ones cannot be judged where nobody knows which",
        arguments: [(.known(301), .yes), (.known(300), .no), (.absent, .no), (.unknown, .unknown)]
            as [(Fact<Int64>, TruthValue)])
    func ratios(ratio: Fact<Int64>, holds: TruthValue) {
        #expect(PolicyMatcher.priceAbove(300).holds(for: Self.subject(.absent, ratio: ratio)) == holds)
    }

    @Test(
        "one matcher that does not hold outweighs any that cannot be judged",
        arguments: [
            ([], .yes), ([.yes, .yes], .yes), ([.yes, .unknown], .unknown), ([.unknown, .no], .no),
            ([.no, .unknown], .no), ([.unknown, .unknown], .unknown),
        ] as [([TruthValue], TruthValue)])
    func conjunction(values: [TruthValue], all: TruthValue) {
        #expect(TruthValue.all(values) == all)
    }

    @Test(
        "what cannot be judged is refused or asked about, and not approved",
        arguments: [
            (.refuse, .approve, .refuse), (.ask, .approve, .ask), (.approve, .refuse, .refuse), (.approve, .ask, .ask),
        ] as [(PolicyOutcome, PolicyOutcome, PolicyOutcome)], [false, true])
    func outcomes(row: (then: PolicyOutcome, standard: PolicyOutcome, decided: PolicyOutcome), isShadow: Bool) {
        let rule = PolicyRule(
            name: "small", matchers: [Self.small, .above(.zero)], outcome: row.then, isShadow: isShadow)
        let verdict = PolicyRules([rule], standard: row.standard).verdict(on: Self.subject(.unknown))
        #expect(verdict.outcome == (isShadow ? row.standard : row.decided))
        #expect(verdict.shadows.map(\.outcome) == (isShadow && row.then != .approve ? [row.then] : []))
        #expect(verdict.isUnjudged == (!isShadow && row.then != .approve))
        let cheap = PolicyRules([rule], standard: row.standard).verdict(on: Self.subject(.unknown, value: .zero))
        #expect(cheap.outcome == row.standard && cheap.shadows.isEmpty)
    }

    @Test("an explanation says which matchers hold, do not hold and are unknown")
    func explanation() {
        let rules = PolicyRules(
            [
                PolicyRule(name: "allowed", matchers: [Self.small], outcome: .approve),
                PolicyRule(name: "jump", matchers: [.priceAbove(300), .above(.cents(100))], outcome: .ask),
                PolicyRule(name: "rest", matchers: [Self.small, .above(.zero)], outcome: .refuse),
            ])
        let explanation = PolicyExplanation(rules, on: Self.subject(.unknown, ratio: .unknown))
        #expect(explanation.model == .unknown)
        #expect(explanation.steps.map(\.holds) == [.unknown, .no, .unknown])
        #expect(explanation.steps.map(\.matches) == [false, false, true])
        #expect(explanation.steps.map(\.decides) == [false, false, true])
        #expect(explanation.steps[0].unjudged == ["model: m-small (is unknown)"])
        #expect(explanation.steps[1].missed == ["above: 1.00 (is $0.01)"])
        #expect(explanation.steps[2].findings.map(\.holds) == [.unknown, .yes])
        let named = PolicyExplanation(rules, on: Self.subject(.known("unknown")))
        #expect(named.steps[0].missed == [#"model: m-small (is "unknown")"#])
    }

    @Test("a test of the file says that its model is unknown")
    func fileTest() {
        let test = PolicyTest(name: "t", subject: Self.subject(.unknown), expected: .approve)
        let rules = PolicyRules(
            [PolicyRule(name: "no", matchers: [Self.small], outcome: .refuse)], tests: [test])
        #expect(
            rules.failures.map(\.description) == [
                "test `t` (model: unknown): expected approve, got refuse by rule `no`"
            ])
    }

    @Test(
        "a gateway that refuses or asks about higher prices does so where the model is unknown",
        arguments: [(.alert, nil), (.ask, .approval), (.refuse, .priceRise)] as [(GateRules.Reaction, RefusalCode?)])
    func higherPrice(reaction: GateRules.Reaction, code: RefusalCode?) throws {
        var door = try Doorway()
        door.context.request = GateRequest(
            agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: "/v1", model: .unknown)
        door.context.rules.higherPrice = reaction
        #expect(try door.refusal(challenge(Entry())) == code)
        if code == nil { #expect(try door.paid(Entry()).alerts.isEmpty) }
        door.context.request = GateRequest(
            agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: "/v1", model: .absent)
        #expect(try door.refusal(challenge(Entry())) == nil)
    }
}
