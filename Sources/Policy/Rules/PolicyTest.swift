import Primitives

/// One of a file's own tests: a payment and what is to be decided about it.
package struct PolicyTest: Sendable, Equatable {
    /// Its name.
    package let name: String
    /// The payment.
    package let subject: PolicySubject
    /// What is to be decided.
    package let expected: PolicyOutcome
    /// The rule that is to decide it; nil for any.
    package let rule: String?

    /// Makes a test.
    package init(name: String, subject: PolicySubject, expected: PolicyOutcome, rule: String? = nil) {
        self.name = name
        self.subject = subject
        self.expected = expected
        self.rule = rule
    }
}

/// A test whose payment is decided otherwise.
package struct PolicyTestFailure: Sendable, Equatable {
    /// The test.
    package let test: PolicyTest
    /// What is decided.
    package let got: PolicyVerdict
}

extension PolicyTestFailure: CustomStringConvertible {
    /// One line: `test `x`: expected refuse, got approve by rule `y``; with the model where it is unknown.
    package var description: String {
        let expected = test.expected.rawValue + (test.rule.map { " by rule `\($0)`" } ?? "")
        let got = got.outcome.rawValue + (got.rule.map { " by rule `\($0)`" } ?? " by the default")
        let model = test.subject.request.model.isUnknown ? " (model: unknown)" : ""
        return "test `\(test.name)`\(model): expected \(expected), got \(got)"
    }
}

extension PolicyRules {
    /// The tests that fail, in the file's order; a file in the shadow is tested for what it would do.
    package var failures: [PolicyTestFailure] {
        tests.compactMap { test in
            let got = meaning(for: test.subject)
            let isRight = got.outcome == test.expected && (test.rule == nil || test.rule == got.rule)
            return isRight ? nil : PolicyTestFailure(test: test, got: got)
        }
    }
}
