package import Primitives

/// What a rule says about a payment; raw values are the file's words.
package enum PolicyOutcome: String, Sendable, CaseIterable {
    /// It may be made, as far as the policy goes: caps come after it.
    case approve
    /// It is not made.
    case refuse
    /// It is not made before a person has approved it.
    case ask
}

/// One rule: when all matchers hold, its outcome decides; where that is unknown, only a refusal or a question does.
package struct PolicyRule: Sendable, Equatable {
    /// Its name, unique in the file.
    package let name: String
    /// What has to hold; none for a rule that always matches.
    package let matchers: [PolicyMatcher]
    /// What it decides.
    package let outcome: PolicyOutcome
    /// Why, for the agent's developer; at most 200 printable characters.
    package let reason: String?
    /// Whether it is only noted what it would have decided.
    package let isShadow: Bool

    /// Makes a rule.
    package init(
        name: String, matchers: [PolicyMatcher], outcome: PolicyOutcome, reason: String? = nil, isShadow: Bool = false
    ) {
        self.name = name
        self.matchers = matchers
        self.outcome = outcome
        self.reason = reason
        self.isShadow = isShadow
    }

    /// Whether every matcher holds: no as soon as one does not, otherwise unknown where one cannot be judged.
    package func holds(for subject: PolicySubject) -> TruthValue {
        .all(matchers.lazy.map { $0.holds(for: subject) })
    }

    /// Whether the rule decides about a payment: what may be refused or asked about is, also where it cannot be judged;
    /// what may be approved is not.
    package func matches(_ subject: PolicySubject) -> Bool {
        switch holds(for: subject) {
        case .yes: true
        case .unknown: outcome != .approve
        case .no: false
        }
    }
}

/// What a rule in the shadow would have decided.
package struct ShadowHit: Sendable, Hashable {
    /// The rule's name; nil for the file's default.
    package let rule: String?
    /// What it would have decided.
    package let outcome: PolicyOutcome
}

/// What the rules say about a payment.
package struct PolicyVerdict: Sendable, Equatable {
    /// The decision.
    package let outcome: PolicyOutcome
    /// The rule that decided; nil for the default.
    package let rule: String?
    /// The rule's reason.
    package let reason: String?
    /// Whether the rule decided because it could not be judged: something that it looks at is unknown.
    package var isUnjudged = false
    /// What rules in the shadow would have decided, at most ``PolicyRules/maximumShadowHits``.
    package let shadows: [ShadowHit]
}

/// The rules of one file, in order: the first one that matches decides.
package struct PolicyRules: Sendable, Equatable {
    /// The most rules.
    package static let maximumRules = 1000
    /// The longest path that rules are compared with, in bytes.
    package static let maximumPathBytes = 8192
    /// The most hits in the shadow that a verdict tells.
    package static let maximumShadowHits = 10

    /// The rules.
    package let rules: [PolicyRule]
    /// What is decided where no rule matches.
    package let standard: PolicyOutcome
    /// Whether the whole file only notes what it would have decided.
    package let isShadow: Bool
    /// The file's own tests.
    package let tests: [PolicyTest]
    /// Whether a rule looks at paths.
    private let looksAtPaths: Bool

    /// Makes rules.
    package init(
        _ rules: [PolicyRule], standard: PolicyOutcome = .approve, isShadow: Bool = false, tests: [PolicyTest] = []
    ) {
        self.rules = rules
        self.standard = standard
        self.isShadow = isShadow
        self.tests = tests
        looksAtPaths = rules.contains { rule in
            rule.matchers.contains { if case .oneOf(.path, _) = $0 { true } else { false } }
        }
    }

    /// Whether a request can be judged: a path that rules look at is not too long; in the shadow nothing is refused.
    package func canJudge(_ request: GateRequest) -> Bool {
        isShadow || !looksAtPaths || request.path.utf8.count <= Self.maximumPathBytes
    }

    /// The rules that can match a payment of a request, without the conditions that hold for all of them: each payment is
    /// decided as by all rules, and what the request is costs its comparisons once.
    package func narrowed(to request: GateRequest) -> PolicyRules {
        PolicyRules(
            rules.compactMap { rule in
                var left: [PolicyMatcher] = []
                for matcher in rule.matchers {
                    switch matcher.holds(for: request) {
                    case .no: return nil
                    case .yes: continue
                    case .unknown, nil: left.append(matcher)
                    }
                }
                return PolicyRule(
                    name: rule.name, matchers: left, outcome: rule.outcome, reason: rule.reason, isShadow: rule.isShadow
                )
            }, standard: standard, isShadow: isShadow)
    }

    /// What is done: a file in the shadow approves everything.
    package func verdict(on subject: PolicySubject) -> PolicyVerdict {
        let meant = meaning(for: subject)
        guard isShadow else { return meant }
        let hit = ShadowHit(rule: meant.rule, outcome: meant.outcome)
        return PolicyVerdict(
            outcome: .approve, rule: nil, reason: nil,
            shadows: Array((meant.shadows + [hit]).suffix(Self.maximumShadowHits)))
    }

    /// What the rules decide, whether or not the whole file stands in the shadow.
    package func meaning(for subject: PolicySubject) -> PolicyVerdict {
        var shadows: [ShadowHit] = []
        for rule in rules where rule.matches(subject) {
            guard rule.isShadow else {
                return PolicyVerdict(
                    outcome: rule.outcome, rule: rule.name, reason: rule.reason,
                    isUnjudged: rule.holds(for: subject) == .unknown, shadows: shadows)
            }
            if shadows.count < Self.maximumShadowHits {
                shadows.append(ShadowHit(rule: rule.name, outcome: rule.outcome))
            }
        }
        return PolicyVerdict(outcome: standard, rule: nil, reason: nil, shadows: shadows)
    }
}

/// Rules with the name they have in the books.
package struct PolicySnapshot: Sendable, Equatable {
    /// The rules.
    package let rules: PolicyRules
    /// SHA-256 over the file's bytes.
    package let hash: Bytes32

    /// Makes a snapshot.
    package init(rules: PolicyRules, hash: Bytes32) {
        self.rules = rules
        self.hash = hash
    }
}
