import Ledger
import NIOCore
import Payments
import Policy
import Proxy
import Transport

extension ConfigurationParser {
    private static let gatewayKeys =
        [
            "url", "paths", "credential", "credential-methods", "redirect-hosts", "connect-timeout",
            "first-byte-timeout", "idle-timeout",
            "total-timeout", "max-connections", "max-idle-connections", "max-request-body", "stop-after-rejections",
            "repeat-after-failure",
            "unproven",
            "billing",
            "learned-price", "http2", "upgrades",
        ] + gateKeys

    mutating func gateways(_ root: ConfigurationSection) -> [Configuration.GatewayEntry] {
        guard let value = reader.value(root, "gateways"), let entries = reader.entries(value) else { return [] }
        let names = Set(entries.map(\.key))
        var claims = PathClaims()
        var gateways: [Configuration.GatewayEntry] = []
        for (name, entry) in entries {
            guard isName(name, of: "gateway", at: entry.place),
                let section = reader.section(entry, keys: Self.gatewayKeys)
            else { continue }
            let paths = paths(section, gateway: name, names: names, claims: &claims)
            let credential = credential(section)
            let redirectHosts = redirectHosts(section)
            let timeouts = timeouts(section)
            let limits = limits(section)
            var documents: [Configuration.SignerDocument] = []
            let policy = policy(section, documents: &documents)
            let unproven = choice(section, "unproven") ?? Configuration.Unproven.hold
            let billing = billing(section)
            let learnedPrice = choice(section, "learned-price") ?? Gateway.LearnedPriceUse.asked
            let allowsHTTP2 = flag(section, "http2") ?? true
            let allowsUpgrades = flag(section, "upgrades") ?? billing.usuallyAllowsUpgrades
            guard let url = url(section) else { continue }
            gateways.append(
                Configuration.GatewayEntry(
                    name: name, origin: url.origin, basePath: url.basePath, paths: paths, credential: credential,
                    redirectHosts: redirectHosts, timeouts: timeouts, limits: limits, policy: policy,
                    signerDocuments: documents, unproven: unproven, billing: billing, learnedPrice: learnedPrice,
                    allowsHTTP2: allowsHTTP2, allowsUpgrades: allowsUpgrades))
        }
        return gateways
    }

    private mutating func url(_ section: ConfigurationSection) -> GatewayURL? {
        guard let text = reader.requiredText(section, "url") else { return nil }
        do {
            return try GatewayURL(text)
        } catch {
            reader.note(section.place("url"), error.description)
            return nil
        }
    }

    private mutating func paths(
        _ section: ConfigurationSection, gateway: String, names: Set<String>, claims: inout PathClaims
    ) -> [String] {
        var paths: [String] = []
        for element in reader.elements(section, "paths") {
            guard let path = reader.text(element) else { continue }
            guard path.hasSuffix("/"), PlainPath.isPlain(path) else {
                reader.note(element.place, "`\(path)` is not a path with a slash at both ends, such as `/v1/`")
                continue
            }
            if let first = path.split(separator: "/").first, names.contains(String(first)) {
                reader.note(element.place, "`\(path)` can never match: it is shadowed by the gateway named `\(first)`")
                continue
            }
            if let other = claims.add(path, of: gateway) {
                reader.note(element.place, "`\(path)` overlaps `\(other.path)` of gateway `\(other.gateway)`")
                continue
            }
            paths.append(path)
        }
        return paths
    }

    private mutating func credential(_ section: ConfigurationSection) -> Configuration.Credential? {
        if section.has("credential-methods"), !section.has("credential") {
            reader.note(
                section.place("credential-methods"), "there is no key to carry: the gateway has no `credential`")
        }
        guard let value = reader.value(section, "credential"),
            let credential = reader.section(value, keys: ["file", "header"])
        else { return nil }
        let fields = Gateway.Credential.Field.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or ")
        let field = reader.converted(credential, "header", expected: fields) {
            Gateway.Credential.Field(rawValue: $0.lowercased())
        }
        let methods = credentialMethods(section)
        guard let file = reader.requiredText(credential, "file") else { return nil }
        return Configuration.Credential(
            file: file, field: field ?? .authorization, methods: methods ?? Gateway.Credential.usualMethods)
    }

    private mutating func credentialMethods(_ section: ConfigurationSection) -> Set<String>? {
        guard section.has("credential-methods") else { return nil }
        var methods: Set<String> = []
        var isRight = true
        for element in reader.elements(section, "credential-methods") {
            guard let text = reader.text(element) else {
                isRight = false
                continue
            }
            if let problem = Gateway.Credential.problem(withMethod: text) {
                reader.note(element.place, problem)
                isRight = false
            } else if !methods.insert(text).inserted {
                reader.note(element.place, "`\(text)` is listed twice")
            }
        }
        if methods.isEmpty, isRight {
            reader.note(
                section.place("credential-methods"), "no method is listed, so that no request would carry the key")
        }
        return methods
    }

    private mutating func redirectHosts(_ section: ConfigurationSection) -> Set<String> {
        var hosts: Set<String> = []
        for element in reader.elements(section, "redirect-hosts") {
            guard let text = reader.text(element) else { continue }
            guard let host = HostName(text) else {
                reader.note(element.place, "`\(text)` is not a host without a port, such as `cdn.example`")
                continue
            }
            hosts.insert(host.text)
        }
        return hosts
    }

    private mutating func policy(
        _ section: ConfigurationSection, documents: inout [Configuration.SignerDocument]
    ) -> GatewayPolicy {
        var policy = GatewayPolicy(gate: gateRules(section))
        let rejections = reader.converted(
            section, "stop-after-rejections", expected: "a whole number from 0 (never stop) to 1000"
        ) { text in
            Int64(text).flatMap { (0...1000).contains($0) && "\($0)" == text ? $0 : nil }
        }
        policy.rules.stopAfterRejections = rejections ?? policy.rules.stopAfterRejections
        let pause = reader.converted(
            section, "repeat-after-failure",
            expected: "`0`, or a duration from 1s to 24h in whole seconds such as `60s` or `10m`"
        ) { text -> Int64? in
            if text == "0" { return 0 }
            guard let time = Quantities.duration(text), time.nanoseconds % 1_000_000_000 == 0 else { return nil }
            return time.nanoseconds / 1_000_000_000
        }
        policy.rules.repeatAfterFailure = pause ?? policy.rules.repeatAfterFailure
        policy.trustsPartial = flag(section, "trust-partial") ?? false
        policy.signsIn = flag(section, "sign-in") ?? false
        policy.signInsPerHour = wholeNumber(section, "sign-ins", in: 1...1000) ?? policy.signInsPerHour
        if section.has("sign-ins"), !policy.signsIn {
            reader.note(section.place("sign-ins"), "nothing signs in at this gateway without `sign-in: true`")
        }
        policy.signers = signers(section, documents: &documents)
        return policy
    }

    /// Calls of a prepaid gateway are paid by its key, so there has to be one.
    private mutating func billing(_ section: ConfigurationSection) -> Gateway.Billing {
        let billing = choice(section, "billing") ?? Gateway.Billing.x402
        if billing == .prepaid, !section.has("credential") {
            reader.note(section.place("billing"), "`prepaid` needs a `credential`: its key is what calls are paid with")
        }
        return billing
    }

    mutating func flag(_ section: ConfigurationSection, _ key: String) -> Bool? {
        let words = ["true": true, "false": false]
        return reader.converted(section, key, expected: "`true` or `false`") { words[$0] }
    }

    /// One of a few words.
    mutating func choice<Word: RawRepresentable<String> & CaseIterable>(
        _ section: ConfigurationSection, _ key: String
    ) -> Word? {
        let words = Word.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or ")
        return reader.converted(section, key, expected: words) { Word(rawValue: $0) }
    }

    private mutating func timeouts(_ section: ConfigurationSection) -> Gateway.Timeouts {
        func duration(_ key: String, _ reader: inout ConfigurationReader) -> TimeAmount? {
            reader.converted(section, key, expected: Quantities.durationForm, Quantities.duration)
        }
        var timeouts = Gateway.Timeouts.standard
        timeouts.connect = duration("connect-timeout", &reader) ?? timeouts.connect
        timeouts.firstByte = duration("first-byte-timeout", &reader) ?? timeouts.firstByte
        timeouts.idle = duration("idle-timeout", &reader) ?? timeouts.idle
        timeouts.total = duration("total-timeout", &reader)
        return timeouts
    }

    private mutating func limits(_ section: ConfigurationSection) -> Gateway.Limits {
        Gateway.Limits(
            connections: wholeNumber(section, "max-connections", in: 1...100_000),
            requestBody: reader.converted(
                section, "max-request-body", expected: Quantities.sizeForm, Quantities.size),
            idleConnections: wholeNumber(section, "max-idle-connections", in: 0...100_000)
                ?? ConnectionUse.usualIdleLimit)
    }

    /// A number that is written without anything that could be left out.
    mutating func wholeNumber(_ section: ConfigurationSection, _ key: String, in range: ClosedRange<Int>) -> Int? {
        reader.converted(
            section, key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)"
        ) { text in
            Int(text).flatMap { range.contains($0) && "\($0)" == text ? $0 : nil }
        }
    }
}

/// The path prefixes that gateways have claimed so far.
private struct PathClaims {
    private var claimed: [(path: String, gateway: String)] = []

    /// Claims a prefix, or returns the claim that it overlaps: one of the two begins with the other.
    mutating func add(_ path: String, of gateway: String) -> (path: String, gateway: String)? {
        if let other = claimed.first(where: { $0.path.hasPrefix(path) || path.hasPrefix($0.path) }) { return other }
        claimed.append((path, gateway))
        return nil
    }
}
