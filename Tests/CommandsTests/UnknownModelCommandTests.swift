import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

/// What operators see of models that are known, absent or unknown.
struct UnknownModelCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
        let text = """
            version: 1
            default: refuse
            rules:
              - { name: small, when: { model: m-small }, then: approve }
              - { name: large, when: { model: m-large, up-to: 1.00 }, then: refuse }
            tests:
              - { name: known, model: m-small, expect: approve, rule: small }
              - { name: unreadable, model-unknown: true, expect: refuse, rule: large }
              - { name: named, model: unknown, expect: refuse }
              - { name: none, expect: refuse }
            """
        try place.folder.write(text.utf8, to: "policy.yaml")
    }

    private func explain(_ more: String...) async -> CommandRun {
        await CommandRun.run(
            [
                "policy", "explain", "--state", place.folder.path, "--agent", "scout", "--gateway", "lab", "--path",
                "/v1", "--network", "eip155:42161", "--asset", "USDT", "--payee",
                "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c", "--amount", "0.01",
            ] + more)
    }

    @Test("a file's tests tell an unknown model from a model of that name")
    func tests() async throws {
        #expect(await place.done("policy", "test").output == "4 of 4 tests pass.\n")
        let text = """
            version: 1
            default: refuse
            tests: [{ name: t, model-unknown: true, expect: approve }]
            """
        let file = try place.folder.write(text.utf8, to: "other.yaml")
        let run = await place.run("policy", "test", "--file", file)
        #expect(run.errors.hasSuffix("test `t` (model: unknown): expected approve, got refuse by the default\n"))
        let failure = try await place.run("policy", "test", "--file", file, "--json").json["failures"]?.elements?.first
        #expect(failure?["model_fact"]?.string == "unknown")
    }

    @Test(
        "an explanation says what is known of the model, and what each matcher comes to",
        arguments: [
            (["--model-unknown"], "model: unknown\n", "refuse by rule large"),
            (["--model", "unknown"], "model: \"unknown\"\n", "refuse by the default"),
            (["--model", "m-small"], "model: m-small\n", "approve by rule small"),
            ([], "model: none\n", "refuse by the default"),
        ])
    func explained(options: [String], model: String, verdict: String) async throws {
        let run = await CommandRun.run(
            [
                "policy", "explain", "--state", place.folder.path, "--agent", "scout", "--gateway", "lab", "--path",
                "/v1", "--network", "eip155:42161", "--asset", "USDT", "--payee",
                "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c", "--amount", "0.01", "--host", "x",
            ] + options)
        #expect(run.status == .done, "\(run.errors)")
        #expect(run.output.hasPrefix(model) && run.output.hasSuffix("\(verdict)\n"), "\(run.output)")
        let isUnknown = options == ["--model-unknown"]
        #expect(run.output.contains("does not approve; unknown: model: m-small (is unknown)") == isUnknown)
        #expect(run.output.contains("decides; unknown: model: m-large (is unknown)") == isUnknown)
    }

    @Test("an explanation in JSON has the truth of each matcher")
    func json() async throws {
        let json = try await explain("--model-unknown", "--host", "x", "--json").json
        #expect(json["model"]?.string == "unknown" && json["model_fact"]?.string == "unknown")
        let rules = try #require(json["rules"]?.elements)
        #expect(rules.compactMap { $0["holds"]?.string } == ["unknown", "unknown"])
        #expect(rules.compactMap { $0["matches"]?.bool } == [false, true])
        let matchers = rules[1]["matchers"]?.elements ?? []
        #expect(matchers.compactMap { $0["holds"]?.string } == ["unknown", "yes"])
        #expect(rules[1]["unknown"]?.elements?.compactMap(\.string) == ["model: m-large (is unknown)"])
        let named = try await explain("--model", "unknown", "--host", "x", "--json").json
        #expect(named["model"]?.string == "unknown" && named["model_fact"]?.string == "known")
    }

    @Test("an unknown model has no name and no price ratio")
    func contradictions() async {
        #expect(await explain("--model-unknown", "--model", "x").status == .usage)
        #expect(await explain("--model-unknown", "--price-ratio", "2x").status == .usage)
    }

    @Test(
        "reject- a test whose model is unknown and named, or whose price is compared",
        arguments: [
            ("model: x, model-unknown: true", "model-unknown: a test has `model` or `model-unknown: true`, not both"),
            ("model-unknown: true, price-ratio: 2x", "price-ratio: `model-unknown` takes no `price-ratio`"),
            ("model-unknown: maybe", "model-unknown: `maybe` is not true or false"),
        ])
    func mistakes(keys: String, told: String) async throws {
        let text = "version: 1\ndefault: refuse\ntests: [{ name: t, expect: refuse, \(keys) }]\n"
        let file = try place.folder.write(text.utf8, to: "other.yaml")
        let run = await place.run("policy", "check", "--file", file)
        #expect(run.status == .configuration && run.errors.contains("tests[0].\(told)"), "\(run.errors)")
    }

    /// Books a settled payment for each fact.
    private func fill() async throws -> [PaymentIntent] {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        let facts: [Fact<String>] = [.known("m-small"), .absent, .unknown, .known("unknown")]
        let intents = facts.enumerated().map { PaymentIntent.sample(UInt64($0 + 1), model: $1) }
        for intent in intents {
            try await ledger.reserve(intent, at: .vectors)
            _ = try await ledger.book(.settled, of: intent.id, evidence: PaymentEvidence(), at: .vectors)
        }
        try ledger.close()
        return intents
    }

    @Test("payments, exports and reports tell the three apart")
    func books() async throws {
        let ids = try await fill().map(\.id.description)
        for (id, word) in zip(ids, ["m-small", "none", "unknown", "\"unknown\""]) {
            let lines = await place.done("payment", "show", id).output.split(separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix("model") })
            #expect(line.split(separator: " ").dropFirst().joined(separator: " ") == word)
        }
        let rows = try #require(try await place.done("payment", "list", "--json").json.elements)
        #expect(rows.reversed().map { $0["model"]?.string } == ["m-small", nil, "unknown", "unknown"])
        #expect(rows.reversed().map { $0["model_fact"]?.string } == ["known", "none", "unknown", "known"])
        let report = try await place.done("ledger", "report", "--by", "model", "--json").json
        #expect(
            report["rows"]?.elements?.map { $0["key_fact"]?.string } == ["known", "known", "none", "unknown"])
        let table = await place.done("ledger", "report", "--by", "model").output
        #expect(table.contains("(none)") && table.contains("(unknown)"))
        let csv = await place.done("ledger", "export", "--format", "csv").output
        let unknown = csv.split(separator: "\r\n").filter { $0.contains(",unknown,settled,") }
        #expect(unknown.contains { $0.hasSuffix(",unknown,") } && unknown.contains { $0.hasSuffix(",known,") })
        let entries = await place.done("ledger", "export", "--format", "entries").output
        #expect(entries.split(separator: "\n").filter { $0.contains("model: unknown") }.count == 1)
        #expect(await place.done("ledger", "verify").status == .done)
    }

    @Test("a replay decides by what the ledger has of the model, and counts the unknown ones")
    func replay() async throws {
        let ids = try await fill().map(\.id.description)
        let json = try await place.done("policy", "replay", "--json").json
        #expect(json["unknown_model"]?.integer == 1)
        let differences = try #require(json["differences"]?.elements)
        #expect(differences.compactMap { $0["payment"]?.string } == Array(ids.dropFirst()))
        #expect(differences.map { $0["rule"]?.string } == [nil, "large", nil])
        #expect(differences.map { $0["model_fact"]?.string } == ["none", "unknown", "known"])
        let output = await place.done("policy", "replay").output
        #expect(output.contains("model: unknown for 1\n"))
    }
}
