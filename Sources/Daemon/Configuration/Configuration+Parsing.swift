import Logging
package import Policy
import Proxy
import Transport

extension Configuration {
    /// Reads the text of a configuration file, and all that is wrong with it.
    ///
    /// `file` is the name shown in front of each mistake, `table` the pinned assets that the operator's rows join.
    package static func parse(
        text: String, file: String, table: AssetTable
    ) -> Result<Configuration, ConfigurationErrors> {
        var parser = ConfigurationParser(table: table)
        let configuration = parser.parse(text)
        guard let configuration, parser.reader.mistakes.isEmpty else {
            return .failure(ConfigurationErrors(file: file, mistakes: parser.reader.mistakes))
        }
        return .success(configuration)
    }
}

extension Configuration.Listen {
    /// Reads an IP address (IPv6 in brackets) or `localhost`, and a port; nil for anything else.
    package init?(_ text: String) {
        guard let place = HostAndPort(text), let port = place.port,
            place.host.isAddress || place.host.text == "localhost"
        else { return nil }
        self.init(host: place.host.text, port: port)
    }
}

/// The walk through one file; the entries of its lists are read in extensions.
struct ConfigurationParser {
    var reader = ConfigurationReader()
    var table: AssetTable

    private static let keys = [
        "listen", "connections", "peers", "hosts", "gateways", "wallets", "policy", "assets", "chains", "forward",
        "metrics",
        "trust-file",
        "replay", "spool", "kept-answers", "learned-prices", "approval-turns", "log-level",
    ]

    init(table: AssetTable) {
        self.table = table
    }

    /// What the file says, as far as it could be read; nil when it is no mapping at all.
    mutating func parse(_ text: String) -> Configuration? {
        guard let root = reader.root(of: text, keys: Self.keys) else { return nil }
        let listen = listeners(root)
        // Assets come first, since what wallets pay and which chains are read has to be among them.
        for row in reader.elements(root, "assets") { addAsset(row) }
        return Configuration(
            listen: listen, peers: peers(root), connections: connections(root), hosts: hosts(root),
            gateways: gateways(root),
            wallets: wallets(root), assets: table, policyIsNone: policyIsNone(root), chains: chains(root),
            forward: forward(root), metrics: metrics(root),
            trustFile: reader.text(root, "trust-file"), replay: replay(root), keptAnswers: keptAnswers(root),
            spool: spool(root), paymentPots: paymentPots(root),
            logLevel: logLevel(root))
    }

    /// Metrics tell nothing secret, and are still nobody's business but this machine's.
    private mutating func metrics(_ root: ConfigurationSection) -> Configuration.Listen? {
        reader.converted(root, "metrics", expected: "a loopback address and a port, such as `127.0.0.1:9402`") {
            HostAndPort($0).flatMap { $0.host.isLoopback ? $0.port : nil } == nil ? nil : Configuration.Listen($0)
        }
    }

    /// The rules stand in a file of their own; the configuration can only say that there are none.
    private mutating func policyIsNone(_ root: ConfigurationSection) -> Bool {
        reader.converted(root, "policy", expected: "`none`; a policy is the file policy.yaml") {
            $0 == "none" ? true : nil
        } ?? false
    }

    private mutating func hosts(_ root: ConfigurationSection) -> [String] {
        var hosts: [String] = []
        for element in reader.elements(root, "hosts") {
            guard let text = reader.text(element) else { continue }
            guard HostAndPort(text) != nil else {
                reader.note(element.place, "`\(text)` is not a host such as `purser` or `purser.internal:4020`")
                continue
            }
            hosts.append(text.lowercased())
        }
        return hosts
    }

    private mutating func replay(_ root: ConfigurationSection) -> Configuration.Replay {
        var replay = Configuration.Replay.standard
        guard let value = reader.value(root, "replay"),
            let section = reader.section(value, keys: ["memory", "per-request", "total"])
        else { return replay }
        func size(_ key: String, _ reader: inout ConfigurationReader) -> Int? {
            reader.converted(section, key, expected: Quantities.sizeForm, Quantities.size)
        }
        replay.memory = size("memory", &reader) ?? replay.memory
        replay.perRequest = size("per-request", &reader) ?? replay.perRequest
        replay.total = size("total", &reader) ?? replay.total
        if replay.memory > replay.perRequest {
            reader.note(section.place("memory"), "more than `per-request` (\(replay.perRequest) bytes)")
        }
        if replay.memory > replay.total {
            reader.note(section.place("memory"), "more than `total` (\(replay.total) bytes)")
        }
        return replay
    }

    private mutating func keptAnswers(_ root: ConfigurationSection) -> KeptAnswerLimits {
        var limits = KeptAnswerLimits.standard
        guard let value = reader.value(root, "kept-answers"),
            let section = reader.section(value, keys: ["each", "total", "time"])
        else { return limits }
        limits.each =
            reader.converted(section, "each", expected: Quantities.sizeForm, Quantities.size) ?? limits.each
        limits.total =
            reader.converted(section, "total", expected: Quantities.sizeForm, Quantities.size) ?? limits.total
        limits.time =
            reader.converted(section, "time", expected: Quantities.durationForm, Quantities.duration) ?? limits.time
        if limits.each > limits.total {
            reader.note(section.place("each"), "more than `total` (\(limits.total) bytes)")
        }
        return limits
    }

    private mutating func logLevel(_ root: ConfigurationSection) -> Logger.Level {
        let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return reader.converted(root, "log-level", expected: "one of \(names)") { Logger.Level(rawValue: $0) } ?? .info
    }

    /// Whether a text may name a gateway or a wallet; notes a mistake when not.
    mutating func isName(_ name: String, of kind: String, at place: ConfigurationPlace) -> Bool {
        guard NameRule.isName(name) else {
            reader.note(
                place, "`\(name)` cannot name a \(kind): 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first")
            return false
        }
        return true
    }
}
