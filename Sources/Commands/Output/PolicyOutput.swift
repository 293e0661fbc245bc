import Audit
import Daemon
import Ledger
import Policy
import Primitives

/// Policies, for people and for programs.
enum PolicyOutput {
    /// Adds what names a policy to an object.
    static func write(_ file: PolicyFile, to text: inout JSONText) {
        let rules = file.snapshot.rules
        text.field("file", file.path)
        text.field("hash", "\(file.snapshot.hash)")
        text.field("rules", Int64(rules.rules.count))
        text.field("tests", Int64(rules.tests.count))
        text.field("default", rules.standard.rawValue)
        text.field("shadow", rules.isShadow)
    }

    /// Prints whether a policy that was read passes its tests; throws where it does not.
    static func tell(_ file: PolicyFile, isTest: Bool, json: Bool) throws {
        let rules = file.snapshot.rules
        let failures = rules.failures
        if json {
            JSONOutput.object { text in
                text.field("valid", true)
                text.field("passed", failures.isEmpty)
                write(file, to: &text)
                text.objects("failures", failures) { text, failure in
                    text.field("test", failure.test.name)
                    text.field("expected", failure.test.expected.rawValue)
                    text.field("expected_rule", optional: failure.test.rule)
                    text.field("got", failure.got.outcome.rawValue)
                    text.field("got_rule", optional: failure.got.rule)
                }
            }
        }
        guard failures.isEmpty else { throw PolicyTestsFailed(file: file.path, failures: failures) }
        guard !json else { return }
        let tests = "\(rules.tests.count) of \(rules.tests.count) tests pass"
        let mode = rules.isShadow ? ", in the shadow" : ""
        Console.print(isTest ? "\(tests)." : "\(file.path) is valid: \(rules.rules.count) rules\(mode), \(tests).")
    }

    /// Adds an explanation's members to an object.
    static func write(_ explanation: PolicyExplanation, to text: inout JSONText) {
        text.field("outcome", explanation.verdict.outcome.rawValue)
        text.field("rule", optional: explanation.verdict.rule)
        text.field("reason", optional: explanation.verdict.reason)
        text.objects("rules", explanation.steps) { text, step in
            text.field("rule", step.rule.name)
            text.field("then", step.rule.outcome.rawValue)
            text.field("shadow", step.rule.isShadow)
            text.field("matches", step.missed.isEmpty)
            text.field("decides", step.decides)
            text.strings("missed", step.missed)
        }
        text.objects("shadows", explanation.verdict.shadows) { text, hit in
            text.field("rule", optional: hit.rule)
            text.field("outcome", hit.outcome.rawValue)
        }
    }

    /// Prints an explanation, rule by rule.
    static func show(_ explanation: PolicyExplanation) {
        var table = Table([("RULE", .left), ("THEN", .left), ("", .left)])
        for step in explanation.steps {
            let shadow = step.rule.isShadow ? " (shadow)" : ""
            let words =
                step.missed.isEmpty
                ? step.decides ? "decides" : step.rule.isShadow ? "matches, only noted" : "matches, too late"
                : "no: " + step.missed.joined(separator: "; ")
            table.add([step.rule.name, step.rule.outcome.rawValue + shadow, Printable.text(words)])
        }
        if !explanation.steps.isEmpty {
            table.show()
            Console.print("")
        }
        let verdict = explanation.verdict
        for hit in verdict.shadows {
            Console.print("noted: \(hit.outcome.rawValue) by \(hit.rule.map { "rule \($0)" } ?? "the default")")
        }
        let reason = verdict.reason.map { ": " + Printable.text($0) } ?? ""
        Console.print("\(verdict.outcome.rawValue) by \(verdict.rule.map { "rule \($0)" } ?? "the default")\(reason)")
    }

    /// Adds a replay's members to an object.
    static func write(_ replay: PolicyReplay, to text: inout JSONText) {
        for (name, counts) in [("before", replay.before), ("after", replay.after)] {
            text.object(name) { text in
                for outcome in PolicyOutcome.allCases { text.field(outcome.rawValue, counts[outcome] ?? 0) }
            }
        }
        text.field("left_out", replay.leftOut)
        text.field("differing", replay.differing)
        text.objects("differences", replay.differences) { text, difference in
            text.field("payment", difference.payment.id.description)
            text.field("at", difference.payment.reservedAt.description)
            text.field("agent", difference.payment.purpose.agent)
            text.field("gateway", difference.payment.purpose.gateway)
            text.field("before", difference.before.rawValue)
            text.field("after", difference.after.outcome.rawValue)
            text.field("rule", optional: difference.after.rule)
        }
    }

    /// Prints a replay: what was decided, what would be, and where that differs.
    static func show(_ replay: PolicyReplay) {
        var counts = Table([("", .left), ("APPROVE", .right), ("REFUSE", .right), ("ASK", .right)])
        for (name, numbers) in [("decided", replay.before), ("by this policy", replay.after)] {
            counts.add([name] + PolicyOutcome.allCases.map { "\(numbers[$0] ?? 0)" })
        }
        counts.show()
        if replay.leftOut > 0 { Console.print("left out: \(replay.leftOut)") }
        guard !replay.differences.isEmpty else { return }
        Console.print("")
        var table = Table([
            ("PAYMENT", .left), ("AT", .left), ("AGENT", .left), ("GATEWAY", .left), ("AMOUNT", .right),
            ("DECIDED", .left), ("NOW", .left), ("RULE", .left),
        ])
        for difference in replay.differences {
            let payment = difference.payment
            table.add([
                payment.id.description, payment.reservedAt.description, payment.purpose.agent,
                payment.purpose.gateway, PaymentOutput.amount(of: payment), difference.before.rawValue,
                difference.after.outcome.rawValue, difference.after.rule ?? "default",
            ])
        }
        table.show()
        let rest = replay.differing - Int64(replay.differences.count)
        if rest > 0 { Console.print("and \(rest) more") }
    }
}
