import Ethereum
import Policy
import Primitives
import Synchronization

/// What the evil merchant answers to what, and what it remembers: everything but the sockets.
final class MerchantDesk: Sendable {
    private struct Case {
        let description: CaseDescription
        let script: Misbehaviour.Script
    }

    private let names: [String]
    private let cases: [String: Case]
    private let records = Mutex<[String: CaseRecord]>([:])
    private let reader: AuthorizationReader
    private let clock: any WallClock

    /// Brings scripts and their descriptions together; throws when a name stands on one side only.
    init(
        scripts: [Misbehaviour], suite: [CaseDescription], reader: AuthorizationReader, clock: any WallClock
    ) throws(SuiteError) {
        let byName = Dictionary(scripts.map { ($0.name, $0.script) }, uniquingKeysWith: { first, _ in first })
        var cases: [String: Case] = [:]
        for description in suite {
            guard let script = byName[description.name] else {
                throw SuiteError(description: "case \(description.name) has no script")
            }
            cases[description.name] = Case(description: description, script: script)
        }
        let undescribed = scripts.first { cases[$0.name] == nil }
        if let undescribed { throw SuiteError(description: "case \(undescribed.name) has no description") }
        guard cases.count == scripts.count, cases.count == suite.count else {
            throw SuiteError(description: "a case stands twice")
        }
        names = suite.map(\.name)
        self.cases = cases
        self.reader = reader
        self.clock = clock
    }

    /// Answers one request.
    func answer(_ request: MerchantRequest, isElsewhere: Bool, at place: MerchantPlace) -> ScriptedAnswer {
        let answer = route(request, isElsewhere: isElsewhere, at: place)
        return request.method == "HEAD" ? answer.withoutBody : answer
    }

    private func route(_ request: MerchantRequest, isElsewhere: Bool, at place: MerchantPlace) -> ScriptedAnswer {
        let parts = request.path.split(separator: "/")
        guard parts.first == "evil", parts.count <= 3 else { return Self.notFound }
        guard parts.count > 1 else { return .json(200, index) }
        switch (parts[1], parts.count) {
        case ("verdicts", 2): return .json(200, verdictsText)
        case ("reset", 2):
            reset()
            return .http(200)
        default: break
        }
        guard let chosen = cases[String(parts[1])] else { return Self.notFound }
        guard parts.count == 3 else { return visit(chosen, request, isElsewhere: isElsewhere, at: place) }
        guard parts[2] == "verdict", let verdict = verdict(on: chosen.description.name) else { return Self.notFound }
        var text = JSONText()
        verdict.write(to: &text)
        return .json(200, text)
    }

    private static let notFound = ScriptedAnswer.http(404, text: #"{"error":"no such case"}"#)

    private func visit(
        _ chosen: Case, _ request: MerchantRequest, isElsewhere: Bool, at place: MerchantPlace
    ) -> ScriptedAnswer {
        let description = chosen.description
        let now = clock.now()
        let received = ["payment-signature", "x-payment"].flatMap { field in
            request.values(field).map {
                reader.read($0, field: field, isElsewhere: isElsewhere, terms: description.terms, at: now)
            }
        }
        let signsIn = !request.values("sign-in-with-x").isEmpty
        let (before, payer) = records.withLock { records in
            let before = records[description.name, default: CaseRecord()]
            var record = before
            record.add(received, signsIn: signsIn, isElsewhere: isElsewhere)
            records[description.name] = record
            return (before, record.payer)
        }
        return chosen.script(
            Visit(
                name: description.name, isPaid: !received.isEmpty, isElsewhere: isElsewhere,
                unpaidBefore: before.unpaid, paidBefore: before.paid, payer: payer, place: place, now: now))
    }

    /// Forgets everything that came.
    func reset() {
        records.withLock { $0.removeAll() }
    }

    /// The verdict on one case; nil when there is no such case.
    func verdict(on name: String) -> Verdict? {
        guard let description = cases[name]?.description else { return nil }
        return Verdict(on: description, records.withLock { $0[name] } ?? CaseRecord())
    }

    /// The verdicts on all cases, in the order of the suite.
    var verdicts: [Verdict] { names.compactMap { verdict(on: $0) } }

    private var verdictsText: JSONText {
        let verdicts = verdicts
        let failed = verdicts.filter { !$0.passes }
        var text = JSONText()
        text.object { run in
            run.field("cases", Int64(verdicts.count))
            run.field("passed", Int64(verdicts.count - failed.count))
            run.array("failed") { list in
                for verdict in failed { list.element(verdict.description.name) }
            }
            run.array("verdicts") { list in
                for verdict in verdicts { verdict.write(to: &list) }
            }
        }
        return text
    }

    /// What there is to try, for people and programs.
    private var index: JSONText {
        var text = JSONText()
        text.object { root in
            root.field("verdicts", "/evil/verdicts")
            root.field("reset", "/evil/reset")
            root.array("cases") { list in
                for description in names.compactMap({ cases[$0]?.description }) {
                    list.object { entry in
                        entry.field("name", description.name)
                        entry.field("group", description.group)
                        entry.field("does", description.does)
                        entry.field("expected", description.expected.rawValue)
                        entry.array("alternatives") { outcomes in
                            for outcome in description.alternatives { outcomes.element(outcome.rawValue) }
                        }
                        entry.field("method", description.method)
                        entry.field("requests", Int64(description.requests))
                        entry.field("path", "/evil/\(description.name)")
                        entry.field("verdict", "/evil/\(description.name)/verdict")
                    }
                }
            }
        }
        return text
    }
}
