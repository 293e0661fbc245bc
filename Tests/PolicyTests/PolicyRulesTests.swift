import Policy
import Primitives
import TestSupport
import Testing

@Suite("Policy: rules")
struct PolicyRulesTests {
    private static func rule(
        _ name: String, _ outcome: PolicyOutcome, _ matchers: PolicyMatcher..., shadow: Bool = false
    ) -> PolicyRule {
        PolicyRule(name: name, matchers: matchers, outcome: outcome, reason: "\(name)!", isShadow: shadow)
    }

    @Test(
        "each text is matched by its own alternatives only",
        arguments: [
            (.agent, "scout"), (.team, "crew"), (.gateway, "lab"), (.host, "api.example.com"), (.method, "POST"),
            (.path, "/v1/chat/completions"), (.model, "vendor/light"), (.scheme, "exact"),
            (.paymentMethod, "exact-eip3009"), (.network, "eip155:42161"), (.asset, "USDT"), (.asset, arbitrumUSDT),
            (.asset, "eip155:42161/USDT"), (.asset, "eip155:42161/\(arbitrumUSDT)"), (.payee, seller),
        ] as [(PolicyField, String)])
    func texts(field: PolicyField, text: String) {
        let subject = PolicySubject.sample()
        #expect(PolicyMatcher.oneOf(field, [.exact("other"), .exact(text)]).holds(for: subject) == .yes)
        #expect(PolicyMatcher.oneOf(field, [.exact("other"), .exact(text + "x")]).holds(for: subject) == .no)
        let others = PolicyField.allCases.filter { $0 != field }
        #expect(!others.contains { PolicyMatcher.oneOf($0, [.exact(text)]).holds(for: subject) != .no })
    }

    @Test(
        "a name below a domain is not the domain, and not another one with its end",
        arguments: [
            ("api.example.com", true), ("a.b.example.com", true), ("example.com", false), ("badexample.com", false),
            (".example.com", false),
        ])
    func below(host: String, fits: Bool) {
        let subject = PolicySubject.sample {
            $0.request = GateRequest(
                agent: "a", team: nil, gateway: "g", host: host, method: "GET", path: "/", model: .absent)
        }
        #expect(PolicyMatcher.oneOf(.host, [.below("example.com")]).holds(for: subject) == TruthValue(fits))
        #expect(PolicyMatcher.oneOf(.team, [.exact("")]).holds(for: subject) == .no)
        #expect(PolicyMatcher.oneOf(.model, [.exact("")]).holds(for: subject) == .no)
    }

    @Test("rules narrowed to a request decide about each of its payments as all rules do")
    func narrowed() {
        let request: [PolicyMatcher] = [
            .oneOf(.agent, [.exact("scout")]), .oneOf(.team, [.exact("other")]),
            .oneOf(.model, [.exact("vendor/light")]),
            .oneOf(.path, [Glob("/v1/**").map { TextPattern.glob($0) } ?? TextPattern.exact("")]),
        ]
        let payment: [PolicyMatcher] = [
            .oneOf(.asset, [.exact("USDT")]), .oneOf(.payee, [.exact("other")]), .above(.zero), .upTo(.zero),
        ]
        let subjects = [Fact.known("vendor/light"), .known("other"), .absent, .unknown].map { model in
            PolicySubject.sample {
                let old = $0.request
                $0.request = GateRequest(
                    agent: old.agent, team: old.team, gateway: old.gateway, host: old.host, method: old.method,
                    path: old.path, model: model)
            }
        }
        var kinds: Set<String> = []
        for first in request {
            for second in request + payment {
                for third in payment {
                    for outcome in PolicyOutcome.allCases {
                        let rules = PolicyRules(
                            [
                                Self.rule("shadow", outcome, first, third, shadow: true),
                                Self.rule("one", outcome, first, second), Self.rule("two", .ask, second, third),
                            ], standard: .refuse)
                        for subject in subjects {
                            let expected = rules.verdict(on: subject)
                            kinds.insert("\(expected.rule ?? "default") \(expected.isUnjudged)")
                            #expect(rules.narrowed(to: subject.request).verdict(on: subject) == expected)
                        }
                    }
                }
            }
        }
        #expect(kinds.count >= 5, "\(kinds)")
    }

    @Test("bounds are exclusive above and inclusive up to")
    func bounds() {
        let subject = PolicySubject.sample { $0.priceRatio = .known(300) }
        #expect(PolicyMatcher.above(.cents(1)).holds(for: subject) == .no)
        #expect(PolicyMatcher.above(.zero).holds(for: subject) == .yes)
        #expect(PolicyMatcher.upTo(.cents(1)).holds(for: subject) == .yes)
        #expect(PolicyMatcher.upTo(.zero).holds(for: subject) == .no)
        #expect(PolicyMatcher.windowAbove(300).holds(for: subject) == .no)
        #expect(PolicyMatcher.windowAbove(299).holds(for: subject) == .yes)
        #expect(PolicyMatcher.priceAbove(300).holds(for: subject) == .no)
        #expect(PolicyMatcher.priceAbove(299).holds(for: subject) == .yes)
        #expect(PolicyMatcher.priceAbove(1).holds(for: .sample()) == .no)
        #expect(PolicyMatcher.newPayee(false).holds(for: subject) == .yes)
        #expect(PolicyMatcher.newPayee(true).holds(for: subject) == .no)
    }

    @Test("a price a little above three times the highest before is more than three times")
    func ratio() {
        func ratio(of price: Dollars, to before: Dollars?) -> Fact<Int64> {
            PolicySubject.ratio(of: price, to: before, model: .absent)
        }
        #expect(ratio(of: .cents(3), to: .cents(1)) == .known(300))
        #expect(ratio(of: Dollars(nanodollars: 30_000_001) ?? .zero, to: .cents(1)) == .known(301))
        #expect(ratio(of: .cents(1), to: nil) == .absent)
        #expect(ratio(of: .cents(1), to: .zero) == .absent)
        #expect(ratio(of: .max, to: Dollars(nanodollars: 1)) == .known(.max))
        #expect(PolicySubject.ratio(of: .cents(1), to: .cents(1), model: .unknown) == .unknown)
    }

    @Test(
        "hours begin with their first minute, end before their last, and may cross midnight",
        arguments: [
            ("08:00-18:00", 8, 0, true), ("08:00-18:00", 7, 59, false), ("08:00-18:00", 17, 59, true),
            ("08:00-18:00", 18, 0, false), ("22:00-06:00", 22, 0, true), ("22:00-06:00", 23, 59, true),
            ("22:00-06:00", 0, 0, true), ("22:00-06:00", 5, 59, true), ("22:00-06:00", 6, 0, false),
            ("22:00-06:00", 12, 0, false), ("22:00-24:00", 23, 59, true), ("22:00-24:00", 0, 0, false),
            ("22:00-00:00", 23, 0, true), ("22:00-00:00", 0, 0, false),
        ] as [(String, Int64, Int64, Bool)])
    func hours(text: String, hour: Int64, minute: Int64, fits: Bool) throws {
        let hours = try #require(DayHours(text))
        #expect(PolicyMatcher.hours(hours).holds(for: .at(hour, minute)) == TruthValue(fits))
    }

    @Test(
        "what is no span of hours is none",
        arguments: [
            "", "8:00-18:00", "08:00", "08:00-08:00", "24:00-08:00", "08:60-09:00", "25:00-26:00", "08:00-1a:00",
        ])
    func badHours(text: String) { #expect(DayHours(text) == nil) }

    @Test("days are those of UTC, before 1970 too")
    func days() {
        #expect(Weekday(of: .vectors) == .sun)
        #expect(Weekday(of: Timestamp(seconds: 0)) == .thu)
        #expect(Weekday(of: Timestamp(seconds: -1)) == .wed)
        #expect(PolicyMatcher.days([.sat, .sun]).holds(for: .at(23, 59)) == .yes)
        #expect(PolicyMatcher.days([.sat, .sun]).holds(for: .at(day: 1, 0, 0)) == .no)
    }

    @Test("the first rule that matches decides, and without one the default does")
    func order() {
        let rules = PolicyRules(
            [
                Self.rule("dear", .ask, .above(.cents(100))),
                Self.rule("scout", .approve, .oneOf(.agent, [.exact("scout")])),
                Self.rule("all", .refuse),
            ])
        #expect(rules.verdict(on: .sample()).rule == "scout")
        #expect(rules.verdict(on: .sample()).outcome == .approve)
        let dear = rules.verdict(on: .sample { $0.value = .cents(101) })
        #expect((dear.outcome, dear.rule, dear.reason) == (.ask, "dear", "dear!"))
        for outcome in PolicyOutcome.allCases {
            let verdict = PolicyRules([], standard: outcome).verdict(on: .sample())
            #expect((verdict.outcome, verdict.rule, verdict.reason) == (outcome, nil, nil))
        }
    }

    @Test("all matchers of a rule have to hold")
    func conjunction() {
        let rules = PolicyRules([Self.rule("both", .refuse, .upTo(.cents(1)), .newPayee(true))])
        #expect(rules.verdict(on: .sample()).outcome == .approve)
        #expect(rules.verdict(on: .sample { $0.payeeIsNew = true }).outcome == .refuse)
    }

    @Test("a rule in the shadow is told and passed over")
    func shadowRule() {
        let rules = PolicyRules(
            [
                Self.rule("trial", .refuse, shadow: true), Self.rule("real", .ask),
                Self.rule("late", .refuse, shadow: true),
            ])
        let verdict = rules.verdict(on: .sample())
        #expect((verdict.outcome, verdict.rule) == (.ask, "real"))
        #expect(verdict.shadows.map(\.rule) == ["trial"])
        #expect(verdict.shadows.map(\.outcome) == [.refuse])
    }

    @Test("a file in the shadow approves everything and tells what it would do, its tests included")
    func shadowFile() {
        let test = PolicyTest(name: "t", subject: .sample(), expected: .refuse, rule: "no")
        let rules = PolicyRules([Self.rule("no", .refuse)], isShadow: true, tests: [test])
        let verdict = rules.verdict(on: .sample())
        #expect((verdict.outcome, verdict.rule) == (.approve, nil))
        #expect(verdict.shadows.map(\.rule) == ["no"])
        #expect(rules.failures.isEmpty)
    }

    @Test("a verdict tells a bounded number of rules in the shadow")
    func bounded() {
        let many = (1...50).map { Self.rule("r\($0)", .refuse, shadow: true) }
        #expect(PolicyRules(many).verdict(on: .sample()).shadows.count == PolicyRules.maximumShadowHits)
        #expect(PolicyRules(many, isShadow: true).verdict(on: .sample()).shadows.count == PolicyRules.maximumShadowHits)
    }

    @Test("a test fails by another outcome and by another rule, and says which")
    func tests() {
        let subject = PolicySubject.sample()
        let rules = PolicyRules(
            [Self.rule("no", .refuse)],
            tests: [
                PolicyTest(name: "good", subject: subject, expected: .refuse),
                PolicyTest(name: "outcome", subject: subject, expected: .ask),
                PolicyTest(name: "rule", subject: subject, expected: .refuse, rule: "other"),
            ])
        #expect(
            rules.failures.map(\.description) == [
                "test `outcome`: expected ask, got refuse by rule `no`",
                "test `rule`: expected refuse by rule `other`, got refuse by rule `no`",
            ])
    }

    @Test("an explanation names what each rule misses and the one that decides")
    func explanation() {
        let rules = PolicyRules(
            [Self.rule("dear", .ask, .above(.cents(100)), .upTo(.cents(500))), Self.rule("all", .refuse)])
        let explanation = PolicyExplanation(rules, on: .sample())
        #expect(explanation.steps.map(\.missed) == [["above: 1.00 (is $0.01)"], []])
        #expect(explanation.steps.map(\.decides) == [false, true])
        #expect(explanation.verdict.outcome == .refuse)
    }
}
