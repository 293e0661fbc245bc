package import Primitives

/// Why each rule matches a payment or does not.
package struct PolicyExplanation: Sendable, Equatable {
    /// One condition of a rule.
    package struct Finding: Sendable, Equatable {
        /// The condition as the file has it.
        package let matcher: String
        /// Whether it holds.
        package let holds: TruthValue
        /// What the payment has in its place.
        package let found: String

        /// The condition with what the payment has: `above: 1.00 (is $0.01)`.
        package var text: String { "\(matcher) (is \(found))" }
    }

    /// One rule.
    package struct Step: Sendable, Equatable {
        /// The rule.
        package let rule: PolicyRule
        /// Every condition, in the rule's order.
        package let findings: [Finding]
        /// Whether all of them hold.
        package let holds: TruthValue
        /// Whether the rule matches, by its outcome: one that cannot be judged refuses and asks, and does not approve.
        package let matches: Bool
        /// Whether it is the one that decides.
        package let decides: Bool

        /// The conditions that do not hold, each with what the payment has instead.
        package var missed: [String] { findings.filter { $0.holds == .no }.map(\.text) }

        /// The conditions that cannot be judged.
        package var unjudged: [String] { findings.filter { $0.holds == .unknown }.map(\.text) }
    }

    /// Every rule, in the file's order.
    package let steps: [Step]
    /// The model that the rules looked at.
    package let model: Fact<String>
    /// What is done.
    package let verdict: PolicyVerdict

    /// Explains what rules say about a payment.
    package init(_ rules: PolicyRules, on subject: PolicySubject) {
        let meant = rules.meaning(for: subject)
        steps = rules.rules.map { rule in
            let findings = rule.matchers.map { matcher in
                Finding(
                    matcher: matcher.description, holds: matcher.holds(for: subject), found: matcher.found(in: subject))
            }
            return Step(
                rule: rule, findings: findings, holds: rule.holds(for: subject), matches: rule.matches(subject),
                decides: rule.name == meant.rule)
        }
        model = subject.request.model
        verdict = rules.verdict(on: subject)
    }
}
