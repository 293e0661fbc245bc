import Daemon
import Logging
import Policy
import Primitives
import SystemCrypto
import TestSupport
import Testing

/// Reads a text as `policy.yaml` with the pinned table.
private func policy(_ text: String) throws -> Result<PolicyRules, ConfigurationErrors> {
    PolicyFile.parse(text: text, file: "policy.yaml", table: try AssetTable.pinned())
}

struct PolicyFileTests {
    @Test("the documented example is valid, passes its own tests and uses every rule")
    func example() throws {
        let rules = try policy(PolicyFile.example).get()
        #expect(rules.failures.isEmpty, "\(rules.failures)")
        #expect(rules.standard == .ask)
        #expect(!rules.isShadow)
        let named = Set(rules.tests.compactMap(\.rule))
        #expect(named == Set(rules.rules.filter { !$0.isShadow }.map(\.name)))
    }

    @Test("every matcher is read")
    func matchers() throws {
        let text = """
            version: 1
            shadow: true
            default: refuse
            rules:
              - name: all
                when:
                  agent: [a, b]
                  team: crew
                  gateway: lab
                  host: ["*.Example.com", x.y]
                  method: [GET, POST]
                  path: /v1/**
                  model: "vendor*"
                  scheme: exact
                  payment-method: exact-eip3009
                  network: "eip155:42161"
                  asset: ["USDT", "eip155:42161/0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9"]
                  payee: "0x5050a4f4b3f9338c3472dcc01a87c76a144b3c9c"
                  above: 0.10
                  up-to: "5"
                  window-above: 10m
                  new-payee: true
                  price-above: 1.5x
                  hours: "22:00-06:00"
                  days: [mon, sun]
                then: ask
                reason: because
                shadow: true
            """
        let rules = try policy(text).get()
        #expect(rules.isShadow)
        #expect(rules.standard == .refuse)
        let rule = try #require(rules.rules.first)
        #expect((rule.outcome, rule.reason, rule.isShadow) == (.ask, "because", true))
        #expect(
            rule.matchers.map(\.description) == [
                "agent: a, b", "team: crew", "gateway: lab", "host: *.example.com, x.y", "method: GET, POST",
                "path: /v1/**", "model: vendor*", "scheme: exact", "payment-method: exact-eip3009",
                "network: eip155:42161", "asset: USDT, eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
                "payee: 0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c", "above: 0.10", "up-to: 5.00",
                "window-above: 600s", "new-payee: true", "price-above: 1.50x", "hours: 22:00-06:00", "days: mon, sun",
            ])
    }

    /// A file whose third line is the only rule's `when`.
    private static func when(_ entry: String, _ told: String) -> (String, String) {
        (
            "version: 1\nrules:\n  - { name: r, when: { \(entry) }, then: ask }\n",
            "policy.yaml:3: rules[0].when.\(told)"
        )
    }

    static let mistakes: [(String, String)] = [
        ("default: ask", "policy.yaml:1: version: this key is required"),
        ("version: 2", "policy.yaml:1: version: `2` is not 1"),
        ("version: 1\nrule: []", "policy.yaml:2: rule: there is no such key here"),
        ("version: 1\ndefault: deny", "policy.yaml:2: default: `deny` is not approve, refuse or ask"),
        ("version: 1\nshadow: yes", "policy.yaml:2: shadow: `yes` is not true or false"),
        ("version: 1\nrules: {}", "policy.yaml:2: rules: a list is needed here"),
        ("version: 1\nrules:\n  - { then: ask }", "policy.yaml:3: rules[0].name: this key is required"),
        ("version: 1\nrules:\n  - { name: r }", "policy.yaml:3: rules[0].then: this key is required"),
        ("version: 1\nrules:\n  - { name: R, then: ask }", "policy.yaml:3: rules[0].name: `R` cannot name a rule"),
        (
            "version: 1\nrules:\n  - { name: r, then: ask }\n  - { name: r, then: ask }",
            "policy.yaml:4: rules[1].name: `r` stands twice"
        ),
        (
            "version: 1\nrules:\n  - name: r\n    then: ask\n    then: refuse",
            "policy.yaml:5: rules[0].then: this key appears"
        ),
        (
            "version: 1\nrules:\n  - { name: r, then: [ask, refuse] }",
            "policy.yaml:3: rules[0].then: a single value is needed"
        ),
        (
            "version: 1\nrules:\n  - { name: r, then: ask, reason: \"\(String(repeating: "a", count: 201))\" }",
            "policy.yaml:3: rules[0].reason: a reason has at most 200"
        ),
        (
            "version: 1\nrules:\n  - { name: r, then: ask, reason: \"a\u{202e}b\" }",
            "policy.yaml:3: rules[0].reason: a reason has at most 200"
        ),
        when("user: x", "user: there is no such key here"), when("agent: []", "agent: a list of 1 to 200"),
        when("agent: \"s*\"", "agent: `s*` is not a name"), when("host: \"a*.com\"", "host: `a*.com` is not a host"),
        when("host: \"*.\"", "host: `*.` is not a host"), when("method: post", "method: `post` is not an HTTP"),
        when("path: v1", "path: `v1` is not a pattern"), when("network: arbitrum", "network: `arbitrum` is not a net"),
        when("asset: \"x/USDT\"", "asset: `x/USDT` is not a token"), when("payee: \"0x1\"", "payee: `0x1` is not 0x"),
        when(
            "payee: \"0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9C\"",
            "payee: `0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9C` is"),
        when("above: -1", "above: `-1` is not an amount"),
        when("window-above: 500ms", "window-above: `500ms` is not a"),
        when("new-payee: maybe", "new-payee: `maybe` is not true"), when("price-above: 3", "price-above: `3` is not a"),
        when("hours: \"8-9\"", "hours: `8-9` is not a span"), when("days: [monday]", "days[0]: `monday` is not mon"),
        ("version: 1\ntests:\n  - { name: t }", "policy.yaml:3: tests[0].expect: this key is required"),
        (
            "version: 1\ntests:\n  - { name: t, expect: ask, rule: r }",
            "policy.yaml:3: tests[0].rule: there is no rule `r`"
        ),
        (
            "version: 1\ntests:\n  - { name: t, expect: ask, asset: XYZ }",
            "policy.yaml:3: tests[0].asset: `XYZ` on eip155:42161 is not in the table"
        ),
        (
            "version: 1\ntests:\n  - { name: t, expect: ask, time: noon }",
            "policy.yaml:3: tests[0].time: `noon` is not a time"
        ),
        ("version: 1\nrules: [", "policy.yaml:3: this is not YAML: "),
    ]

    @Test("a mistake in a policy is told with file, line and key", arguments: mistakes)
    func mistake(text: String, told: String) throws {
        // The key that every file needs goes last, so that the lines stay.
        let isWhole = text.contains("default:") || text.hasSuffix("[")
        guard case .failure(let errors) = try policy(isWhole ? text : text + "\ndefault: ask") else {
            Issue.record("the file was accepted")
            return
        }
        #expect(errors.mistakes.count == 1, "\(errors)")
        #expect(errors.description.hasPrefix(told), "\(errors)")
    }

    @Test(
        "a file without a default is refused with the line to add",
        arguments: ["version: 1\nrules: []\n", "version: 1\n"])
    func defaultNeeded(text: String) throws {
        guard case .failure(let errors) = try policy(text) else {
            Issue.record("the file was accepted")
            return
        }
        #expect(
            errors.description == """
                policy.yaml:1: default: this key is required: add the line `default: approve` to pay what no rule decides, as \
                version 0.1.0 did without it, or `default: refuse` to pay nothing else
                """)
        #expect(try policy(text + "default: approve\n").get().standard == .approve)
    }

    @Test("a file that is empty is no policy", arguments: ["", "\n", "# nothing\n", "{}", "null", "[]", "approve"])
    func empty(text: String) throws {
        guard case .failure(let errors) = try policy(text) else {
            Issue.record("the file was accepted")
            return
        }
        #expect(!errors.mistakes.isEmpty)
    }

    @Test(
        "the schema has exactly the keys that are read",
        arguments: [
            ([], "zzz: 1"), (["$defs", "rule"], "rules: [{ zzz: 1 }]"),
            (["$defs", "when"], "rules: [{ name: r, then: ask, when: { zzz: 1 } }]"),
            (["$defs", "test"], "tests: [{ zzz: 1 }]"),
        ] as [([String], String)])
    func schema(path: [String], text: String) throws {
        var schema = try JSONReader.read(try Vectors.bytes(of: "Specs/policy.schema.json"))
        for name in path { schema = try #require(schema[name]) }
        let keys = try #require(schema["properties"]?.members).map(\.key)
        guard case .failure(let errors) = try policy("version: 1\ndefault: ask\n\(text)\n") else {
            Issue.record("the file was accepted")
            return
        }
        let known = try #require(errors.mistakes.first?.message.split(separator: "known are ").last)
        #expect(Set(known.split(separator: ", ").map { $0.filter { $0 != "`" } }) == Set(keys))
    }

    @Test("a file has at most a thousand rules")
    func thousand() throws {
        func text(_ count: Int) -> String {
            "version: 1\ndefault: ask\nrules:\n" + (1...count).map { "  - { name: r\($0), then: ask }\n" }.joined()
        }
        #expect(try policy(text(1000)).get().rules.count == 1000)
        #expect(throws: ConfigurationErrors.self) { try policy(text(1001)).get() }
    }
}

struct PolicyAtStartTests {
    let folder: TemporaryFolder
    let state: StateDirectory

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private func load() throws -> PolicyFile? { try state.loadPolicy(AssetTable.pinned(), isNoneMeant: false) }

    @Test("no file is no policy, and a file is named by the hash of its bytes")
    func hash() throws {
        #expect(try load() == nil)
        let text = "version: 1\ndefault: approve\n"
        try folder.write(text.utf8, to: "policy.yaml")
        #expect(try load()?.snapshot.hash == SHA256.hash(Array(text.utf8)))
    }

    @Test("a daemon does not start with a policy that is wrong, that fails its tests or that is too long")
    func refused() async throws {
        try state.writeConfiguration("listen: 127.0.0.1:0\n")
        for (text, told) in [
            ("version: 3\ndefault: ask\n", "\(state.policyFile):1: version: `3` is not 1"),
            (
                "version: 1\ndefault: approve\ntests: [{ name: t, expect: refuse }]\n",
                "\(state.policyFile): test `t`: expected refuse, got approve by the default"
            ),
            (String(repeating: "#", count: 1_048_577), "\(state.policyFile) is not a text file of at most 1 MiB"),
        ] {
            try folder.write(text.utf8, to: "policy.yaml")
            do {
                try await Serving.serve(
                    state.loadConfiguration(), state: state, clock: FixedClock(), random: SeededRandom(seed: 1),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    ready: { _ in Issue.record("it serves") }, untilAsked: {})
                Issue.record("it ended without an error")
            } catch {
                #expect("\(error)" == told)
            }
        }
    }

    @Test("a policy that others may write is not read")
    func writable() throws {
        try folder.write("version: 1\ndefault: approve\n".utf8, to: "policy.yaml", mode: 0o666)
        #expect(throws: StateDirectoryError.writableByOthers(state.policyFile, mode: 0o666)) { try load() }
    }
}
