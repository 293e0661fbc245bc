import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct PolicyCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
        try place.folder.write(PolicyFile.example.utf8, to: "policy.yaml")
    }

    @Test("check and test tell that the example is valid")
    func valid() async throws {
        #expect(await place.done("policy", "check").output.hasSuffix("is valid: 6 rules, 6 of 6 tests pass.\n"))
        #expect(await place.done("policy", "test").output == "6 of 6 tests pass.\n")
        let json = try await place.done("policy", "check", "--json").json
        #expect(json["valid"]?.bool == true)
        #expect(json["passed"]?.bool == true)
    }

    @Test("a wrong file ends with the configuration's status, with or without JSON")
    func wrong() async throws {
        let file = try place.folder.write("version: 1\nrule: []\ndefault: ask\n".utf8, to: "other.yaml")
        for command in [["check"], ["test"], ["show"], ["replay"]] {
            let arguments = ["policy"] + command + ["--file", file, "--json", "--state", place.folder.path]
            let run = await CommandRun.run(arguments)
            #expect(run.status == .configuration)
            #expect(run.errors.hasPrefix("purser: \(file):2: rule: there is no such key here"))
            #expect(try run.json["valid"]?.bool == false)
            #expect(try run.json["mistakes"]?.elements?.first?["line"]?.integer == 2)
        }
    }

    @Test("a test that fails is told with what was expected, what came and by which rule")
    func failing() async throws {
        let text = "version: 1\ndefault: ask\nrules: [{ name: r, then: ask }]\ntests: [{ name: t, expect: refuse }]\n"
        let file = try place.folder.write(text.utf8, to: "other.yaml")
        for command in ["check", "test"] {
            let run = await place.run("policy", command, "--file", file)
            #expect(run.status == .configuration)
            #expect(run.errors == "purser: \(file): test `t`: expected refuse, got ask by rule `r`\n")
        }
        let failure = try await place.run("policy", "test", "--file", file, "--json").json["failures"]?.elements?.first
        #expect(failure?["test"]?.string == "t")
        #expect(failure?["got_rule"]?.string == "r")
    }

    @Test("without a file there is nothing to check")
    func missing() async {
        #expect(await place.run("policy", "check", "--file", place.folder.path("none.yaml")).status == .missing)
    }

    private func explain(_ more: String...) async -> CommandRun {
        await CommandRun.run(
            [
                "policy", "explain", "--state", place.folder.path, "--agent", "scout", "--gateway", "lab", "--path",
                "/v1/chat/completions", "--network", "eip155:42161", "--asset", "USDT", "--payee",
                "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c", "--at", "2026-11-23T12:00:00Z",
            ] + more)
    }

    @Test("an explanation says for every rule what it misses, and which decides")
    func explained() async throws {
        let run = await explain("--amount", "0.01")
        #expect(run.status == .done, "\(run.errors)")
        #expect(run.output.hasSuffix("\napprove by rule chat\n"))
        #expect(run.output.contains("no: scheme: upto (is exact)"))
        let dear = await explain("--amount", "0.11", "--json")
        let json = try dear.json
        #expect(json["outcome"]?.string == "ask")
        #expect(json["rule"] == nil)
        let chat = json["rules"]?.elements?.last
        #expect(chat?["missed"]?.elements?.compactMap(\.string) == ["up-to: 0.10 (is $0.11)"])
        let stranger = try await explain("--amount", "0.06", "--new-payee", "--json").json
        #expect(stranger["rule"]?.string == "strangers")
    }

    @Test("what can be no payment is not explained")
    func nonsense() async {
        for (options, words) in [
            (["--amount", "x"], "is not an amount of USDT"), (["--amount", "0.0000001"], "is not an amount of USDT"),
            (["--amount", "1", "--price-ratio", "3"], "is not a factor"),
            (["--amount", "1", "--at", "noon"], "--at is a time"),
        ] {
            let run = await CommandRun.run(
                [
                    "policy", "explain", "--state", place.folder.path, "--agent", "a", "--gateway", "lab", "--path",
                    "/",
                    "--network", "eip155:42161", "--asset", "USDT", "--payee",
                    "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c",
                ] + options)
            #expect(run.status == .usage)
            #expect(run.errors.contains(words), "\(run.errors)")
        }
    }

    @Test("show tells hash, rules, tests, default and mode")
    func show() async throws {
        let json = try await place.done("policy", "show", "--json").json
        #expect(json["hash"]?.string?.count == 66)
        #expect(json["rules"]?.integer == 6)
        #expect(json["default"]?.string == "ask")
        #expect(json["list"]?.elements?.count == 6)
        #expect(await place.done("policy", "show").output.contains("strangers"))
    }

    @Test("a replay counts what was decided and what would be, and lists what differs")
    func replay() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        try await ledger.reserve(.sample(1, value: .cents(1)), at: .vectors)
        try await ledger.reserve(.sample(2, value: .cents(4)), at: .vectors.adding(seconds: 1))
        let next = Timestamp.vectors.adding(seconds: 90_000)
        try await ledger.reserve(.sample(3, value: .cents(2), validFor: 90_300), at: next)
        let sample = PaymentIntent.sample(4)
        for (number, code) in [(5, "policy-refused"), (6, "approval-required"), (7, "payment-too-large")]
            as [(UInt64, String)]
        {
            try await ledger.record(
                RefusedPayment(
                    id: PaymentIntent.sample(number).id, purpose: sample.purpose, code: code, terms: sample.terms,
                    salt: .numbered(number)),
                at: next)
        }
        for number: UInt64 in 20..<29 {
            try await ledger.record(
                RefusedPayment(
                    id: PaymentIntent.sample(number).id, purpose: sample.purpose, code: "method-not-paid", terms: nil,
                    salt: .numbered(number)),
                at: next)
        }
        try await ledger.noteRefusals(all: true, at: next)
        try ledger.close()
        let text = """
            version: 1
            default: approve
            rules:
              - { name: jump, when: { price-above: 3x }, then: ask }
              - { name: new, when: { new-payee: true }, then: refuse }
            """
        let file = try place.folder.write(text.utf8, to: "other.yaml")
        let json = try await place.done("policy", "replay", "--file", file, "--json").json
        func counts(_ name: String) -> [Int64?] { ["approve", "refuse", "ask"].map { json[name]?[$0]?.integer } }
        #expect(counts("before") == [3, 1, 1])
        // The first payment is to a new payee, the second costs four times the first.
        #expect(counts("after") == [3, 1, 1])
        // Five of the nine have rows, which name no terms.
        #expect(json["left_out"]?.integer == 6)
        #expect(json["counted_refusals"]?.integer == 4)
        let shown = await place.done("policy", "replay", "--file", file).output
        #expect(shown.contains("not seen: 4 refusals that were counted"))
        #expect(json["differing"]?.integer == 4)
        #expect(
            json["differences"]?.elements?.compactMap { $0["after"]?.string } == [
                "refuse", "ask", "approve", "approve",
            ])
        let late = try await place.done("policy", "replay", "--file", file, "--since", "2026-11-23", "--json").json
        #expect(late["before"]?["approve"]?.integer == 1)
        #expect(late["differing"]?.integer == 2)
        #expect(await place.done("policy", "replay", "--file", file).output.contains("by this policy"))
        #expect(await place.run("policy", "replay", "--since", "soon").status == .usage)
    }
}
