import Ethereum
import Policy
import Primitives
import X402

/// The walk through one policy file.
struct PolicyParser {
    /// The most alternatives of one matcher.
    static let maximumAlternatives = 200
    /// The most tests of one file.
    static let maximumTests = 1000

    /// What is said of a file that does not decide where no rule matches.
    static let defaultNeeded =
        "this key is required: add the line `default: approve` to pay what no rule decides, as version 0.1.0 did without "
        + "it, or `default: refuse` to pay nothing else"

    var reader = ConfigurationReader()
    let table: AssetTable

    init(table: AssetTable) {
        self.table = table
    }

    /// What the file says, as far as it could be read; nil when it is no mapping at all.
    mutating func parse(_ text: String) -> PolicyRules? {
        guard let root = reader.root(of: text, keys: ["version", "shadow", "default", "rules", "tests"]) else {
            return nil
        }
        let version = reader.requiredText(root, "version")
        if let version, version != "1" { reader.note(root.place("version"), "`\(version)` is not 1") }
        let isShadow = flag(root, "shadow") ?? false
        let standard = outcome(root, "default") ?? .refuse
        if !root.has("default") { reader.note(root.place("default"), Self.defaultNeeded) }
        let rules = rules(root)
        let tests = tests(root, naming: Set(rules.map(\.name)))
        return PolicyRules(rules, standard: standard, isShadow: isShadow, tests: tests)
    }

    private mutating func rules(_ root: ConfigurationSection) -> [PolicyRule] {
        let elements = reader.elements(root, "rules")
        guard elements.count <= PolicyRules.maximumRules else {
            reader.note(root.place("rules"), "there are more than \(PolicyRules.maximumRules) rules")
            return []
        }
        var rules: [PolicyRule] = []
        var names: Set<String> = []
        for element in elements {
            guard let section = reader.section(element, keys: ["name", "when", "then", "reason", "shadow"]) else {
                continue
            }
            guard let name = name(section, among: &names) else { continue }
            let matchers = self.matchers(section)
            let reason = reason(section)
            let isShadow = flag(section, "shadow") ?? false
            guard section.has("then") else {
                reader.note(section.place("then"), "this key is required")
                continue
            }
            guard let outcome = outcome(section, "then") else { continue }
            rules.append(
                PolicyRule(name: name, matchers: matchers, outcome: outcome, reason: reason, isShadow: isShadow))
        }
        return rules
    }

    private mutating func name(_ section: ConfigurationSection, among names: inout Set<String>) -> String? {
        guard let name = reader.requiredText(section, "name") else { return nil }
        guard NameRule.isName(name) else {
            reader.note(
                section.place("name"),
                "`\(name)` cannot name a rule or a test: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first")
            return nil
        }
        guard names.insert(name).inserted else {
            reader.note(section.place("name"), "`\(name)` stands twice")
            return nil
        }
        return name
    }

    private mutating func reason(_ section: ConfigurationSection) -> String? {
        guard let reason = reader.text(section, "reason") else { return nil }
        let isPrintable = reason.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
            default: true
            }
        }
        guard reason.count <= 200, isPrintable else {
            reader.note(section.place("reason"), "a reason has at most 200 printable characters")
            return nil
        }
        return reason
    }

    private mutating func tests(_ root: ConfigurationSection, naming rules: Set<String>) -> [PolicyTest] {
        let elements = reader.elements(root, "tests")
        guard elements.count <= Self.maximumTests else {
            reader.note(root.place("tests"), "there are more than \(Self.maximumTests) tests")
            return []
        }
        var tests: [PolicyTest] = []
        var names: Set<String> = []
        for element in elements {
            guard let section = reader.section(element, keys: ["name", "expect", "rule"] + Self.subjectKeys),
                let name = name(section, among: &names), let subject = subject(section)
            else { continue }
            let rule = reader.text(section, "rule")
            if let rule, !rules.contains(rule) {
                reader.note(section.place("rule"), "there is no rule `\(rule)`")
                continue
            }
            guard section.has("expect") else {
                reader.note(section.place("expect"), "this key is required")
                continue
            }
            guard let expected = outcome(section, "expect") else { continue }
            tests.append(PolicyTest(name: name, subject: subject, expected: expected, rule: rule))
        }
        return tests
    }

    private mutating func outcome(_ section: ConfigurationSection, _ key: String) -> PolicyOutcome? {
        reader.converted(section, key, expected: "approve, refuse or ask") { PolicyOutcome(rawValue: $0) }
    }

    /// `true` or `false`.
    mutating func flag(_ section: ConfigurationSection, _ key: String) -> Bool? {
        reader.converted(section, key, expected: "true or false") { $0 == "true" ? true : $0 == "false" ? false : nil }
    }
}
