/// Why each rule matches a payment or does not.
package struct PolicyExplanation: Sendable, Equatable {
    /// One rule.
    package struct Step: Sendable, Equatable {
        /// The rule.
        package let rule: PolicyRule
        /// The matchers that do not hold, each with what the payment has instead; none when the rule matches.
        package let missed: [String]
        /// Whether it is the one that decides.
        package let decides: Bool
    }

    /// Every rule, in the file's order.
    package let steps: [Step]
    /// What is done.
    package let verdict: PolicyVerdict

    /// Explains what rules say about a payment.
    package init(_ rules: PolicyRules, on subject: PolicySubject) {
        let meant = rules.meaning(for: subject)
        steps = rules.rules.map { rule in
            let missed = rule.matchers.filter { !$0.holds(for: subject) }
                .map { "\($0.description) (is \($0.found(in: subject)))" }
            return Step(rule: rule, missed: missed, decides: rule.name == meant.rule)
        }
        verdict = rules.verdict(on: subject)
    }
}
