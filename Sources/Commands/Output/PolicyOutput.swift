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
                    write(failure.test.subject.request.model, to: &text)
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

    /// Adds what is known of a model: its name, and which of the three facts it is.
    private static func write(_ model: Fact<String>, to text: inout JSONText) {
        text.field("model", optional: model.shown)
        text.field("model_fact", model.word)
    }

    /// Adds an explanation's members to an object.
    static func write(_ explanation: PolicyExplanation, to text: inout JSONText) {
        write(explanation.model, to: &text)
        text.field("outcome", explanation.verdict.outcome.rawValue)
        text.field("rule", optional: explanation.verdict.rule)
        text.field("reason", optional: explanation.verdict.reason)
        text.objects("rules", explanation.steps) { text, step in
            text.field("rule", step.rule.name)
            text.field("then", step.rule.outcome.rawValue)
            text.field("shadow", step.rule.isShadow)
            text.field("holds", step.holds.rawValue)
            text.field("matches", step.matches)
            text.field("decides", step.decides)
            text.strings("missed", step.missed)
            text.strings("unknown", step.unjudged)
            text.objects("matchers", step.findings) { text, finding in
                text.field("matcher", finding.matcher)
                text.field("holds", finding.holds.rawValue)
                text.field("is", finding.found)
            }
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
            table.add([step.rule.name, step.rule.outcome.rawValue + shadow, Printable.text(words(for: step))])
        }
        Console.print("model: \(Printable.text(explanation.model.text))")
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

    /// What became of a rule: whether it decides, and each condition that does not hold or cannot be judged.
    private static func words(for step: PolicyExplanation.Step) -> String {
        let place = step.decides ? "decides" : step.rule.isShadow ? "matches, only noted" : "matches, too late"
        let unknown = "unknown: " + step.unjudged.joined(separator: "; ")
        return switch step.holds {
        case .yes: place
        case .no: "no: " + step.missed.joined(separator: "; ")
        case .unknown: step.matches ? "\(place); \(unknown)" : "does not approve; \(unknown)"
        }
    }

    /// Adds a replay's members to an object.
    static func write(_ replay: PolicyReplay, to text: inout JSONText) {
        for (name, counts) in [("before", replay.before), ("after", replay.after)] {
            text.object(name) { text in
                for outcome in PolicyOutcome.allCases { text.field(outcome.rawValue, counts[outcome] ?? 0) }
            }
        }
        text.field("left_out", replay.leftOut)
        text.field("counted_refusals", replay.counted)
        text.field("unknown_model", replay.unknownModel)
        text.field("differing", replay.differing)
        text.objects("differences", replay.differences) { text, difference in
            text.field("payment", difference.payment.id.description)
            text.field("at", difference.payment.reservedAt.description)
            text.field("agent", difference.payment.purpose.agent)
            text.field("gateway", difference.payment.purpose.gateway)
            if let model = difference.payment.purpose.request?.model { write(model, to: &text) }
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
        if replay.counted > 0 {
            Console.print("not seen: \(replay.counted) refusals that were counted and not booked one by one")
        }
        if replay.unknownModel > 0 { Console.print("model: unknown for \(replay.unknownModel)") }
        guard !replay.differences.isEmpty else { return }
        Console.print("")
        var table = Table([
            ("PAYMENT", .left), ("AT", .left), ("AGENT", .left), ("GATEWAY", .left), ("AMOUNT", .right),
            ("MODEL", .left), ("DECIDED", .left), ("NOW", .left), ("RULE", .left),
        ])
        for difference in replay.differences {
            let payment = difference.payment
            table.add([
                payment.id.description, payment.reservedAt.description, payment.purpose.agent,
                payment.purpose.gateway, PaymentOutput.amount(of: payment),
                Printable.text(payment.purpose.request?.model.text ?? ""), difference.before.rawValue,
                difference.after.outcome.rawValue, difference.after.rule ?? "default",
            ])
        }
        table.show()
        let rest = replay.differing - Int64(replay.differences.count)
        if rest > 0 { Console.print("and \(rest) more") }
    }
}
