import Daemon
import Testing

/// A file with one mistake and the beginning of the one line that tells it.
struct BadConfiguration: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let told: String

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ told: String) {
        self.name = name
        self.text = text
        self.told = told
    }

    /// A file whose second line is the only gateway, `lab`.
    static func gateway(_ name: String, _ entry: String, _ told: String) -> BadConfiguration {
        BadConfiguration(name, "gateways:\n  lab: { \(entry) }\n", "config.yaml:2: gateways.lab\(told)")
    }

    /// A file whose second line is the only wallet, `main`.
    static func wallet(_ name: String, _ entry: String, _ told: String) -> BadConfiguration {
        BadConfiguration(name, "wallets:\n  main: { \(entry) }\n", "config.yaml:2: wallets.main\(told)")
    }

    /// A file whose second line is the only row of assets, in which one text is replaced by another.
    static func asset(_ name: String, _ old: String, _ new: String, _ told: String) -> BadConfiguration {
        let row = """
            network: "eip155:42161", address: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", symbol: USDT, decimals: 6, \
            name: "USD₮0", version: "1", transfer: eip3009, usd: "1.00"
            """
        let text = "assets:\n  - { \(row.replacing(old, with: new)) }\n"
        return BadConfiguration(name, text, "config.yaml:2: assets[0].\(told)")
    }

    static let syntax: [BadConfiguration] = [
        BadConfiguration("not YAML", "listen: [\ngateways: }", "config.yaml:2: this is not YAML: "),
        BadConfiguration("a tab", "gateways:\n\tlab: {}", "config.yaml:2: this is not YAML: "),
        BadConfiguration("a list at the top", "- listen\n", "config.yaml:1: a mapping of keys to values is needed"),
        BadConfiguration("two documents", "listen: 127.0.0.1:1\n---\nhosts: []\n", "config.yaml:2: this is not YAML: "),
        BadConfiguration(
            "a key twice", "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", "config.yaml:2: listen: this key appears more"),
        BadConfiguration(
            "a key twice, quoted", "\"hosts\": []\r\n\r\n'hosts': []\r\n", "config.yaml:3: hosts: this key appears more"
        ),
        BadConfiguration(
            "a wallet twice",
            "wallets:\n  main: { keystore: k, passphrase-file: p }\n\n  main:\n    keystore: k\n",
            "config.yaml:4: wallets.main: this key appears more"),
        BadConfiguration(
            "a key twice further down", "gateways:\n  lab:\n    url: http://127.0.0.1:1\n    url: http://127.0.0.1:2\n",
            "config.yaml:4: gateways.lab.url: this key appears more"),
        BadConfiguration(
            "a number twice, once as text",
            "gateways:\n  1: { url: http://127.0.0.1 }\n  \"1\": { url: http://127.0.0.1 }\n",
            "config.yaml:3: gateways.1: this key appears more"),
        BadConfiguration(
            "a list twice for a key", "? [a]\n: b\n? [a]\n: c\n", "config.yaml:1: `<uncovertable>` appears more than"),
        BadConfiguration("an unknown key", "lisen: 127.0.0.1:1", "config.yaml:1: lisen: there is no such key here"),
        BadConfiguration(
            "a key without a value", "hosts: []\nlisten:\n", "config.yaml:2: listen: the value is missing"),
        BadConfiguration("an empty value", "trust-file: \"\"", "config.yaml:1: trust-file: the value is empty"),
        BadConfiguration("a line break", "trust-file: \"a\\nb\"", "config.yaml:1: trust-file: the value has control"),
        BadConfiguration(
            "a list for a text", "trust-file: []", "config.yaml:1: trust-file: a single value is needed here"),
        BadConfiguration("a text for a list", "hosts: purser", "config.yaml:1: hosts: a list is needed here"),
        BadConfiguration("a text for a mapping", "replay: 1MiB", "config.yaml:1: replay: a mapping of keys"),
        BadConfiguration("a key that is a list", "? [a]\n: b\n", "config.yaml:1: a key has to be plain text"),
    ]

    static let top: [BadConfiguration] = [
        BadConfiguration(
            "few connections", "connections: { total: 15 }", "config.yaml:1: connections.total: `15` is not"),
        BadConfiguration(
            "one with more than all", "connections: { total: 20, per-agent: 21 }",
            "config.yaml:1: connections.per-agent: more than `total` (20)"),
        BadConfiguration("a number of connections", "connections: 20", "config.yaml:1: connections: a mapping of keys"),
        BadConfiguration("no port", "listen: 127.0.0.1", "config.yaml:1: listen: `127.0.0.1` is not an IP"),
        BadConfiguration("a port too large", "listen: 127.0.0.1:65536", "config.yaml:1: listen: `127.0.0.1:65536`"),
        BadConfiguration("a signed port", "listen: 127.0.0.1:+80", "config.yaml:1: listen: `127.0.0.1:+80`"),
        BadConfiguration("a name to listen on", "listen: box:80", "config.yaml:1: listen: `box:80` is not an IP"),
        BadConfiguration("half an address", "listen: 127.1:80", "config.yaml:1: listen: `127.1:80` is not an IP"),
        BadConfiguration("a host with a path", "hosts: [a, b/c]", "config.yaml:1: hosts[1]: `b/c` is not a host"),
        BadConfiguration(
            "an unknown size", "replay: { memory: 1MB }", "config.yaml:1: replay.memory: `1MB` is not a size"),
        BadConfiguration(
            "an answer longer than all", "kept-answers: { each: 2MiB, total: 1MiB }",
            "config.yaml:1: kept-answers.each: more than `total`"),
        BadConfiguration(
            "no time", "kept-answers: { time: 60 }", "config.yaml:1: kept-answers.time: `60` is not a duration"),
        BadConfiguration(
            "too little to spool", "spool: { total: 512KiB }", "config.yaml:1: spool.total: less than 1MiB"),
        BadConfiguration(
            "no size to spool", "spool: { total: 4GB }", "config.yaml:1: spool.total: `4GB` is not a size"),
        BadConfiguration("an empty folder", "spool: { path: \"\" }", "config.yaml:1: spool.path: the value is empty"),
        BadConfiguration(
            "an unknown key of the spool", "spool: { folder: x }", "config.yaml:1: spool.folder: there is no such key"),
        BadConfiguration("too few prices", "learned-prices: { total: 3 }", "config.yaml:1: learned-prices.total: "),
        BadConfiguration(
            "no number of turns", "approval-turns: { total: no }", "config.yaml:1: approval-turns.total: "),
        BadConfiguration(
            "a number for a mapping", "approval-turns: 8", "config.yaml:1: approval-turns: a mapping of keys"),
        BadConfiguration("no size", "replay: { total: 0MiB }", "config.yaml:1: replay.total: `0MiB` is not a size"),
        BadConfiguration(
            "memory above the request's", "replay:\n  memory: 2MiB\n  per-request: 1MiB\n",
            "config.yaml:2: replay.memory: more than `per-request` (1048576 bytes)"),
        BadConfiguration(
            "memory above the total", "replay:\n  total: 512KiB\n", "config.yaml:1: replay.memory: more than `total`"),
        BadConfiguration(
            "metrics for everybody", "metrics: 0.0.0.0:9402", "config.yaml:1: metrics: `0.0.0.0:9402` is not a loopback"
        ),
        BadConfiguration(
            "hosts of nobody", "forward:\n  hosts: { scout: [a.example] }\n",
            "config.yaml:2: forward.hosts.scout: `scout` is not `house`"),
        BadConfiguration(
            "no host", "forward: { hosts: { house: [\"https://a.example\"] } }",
            "config.yaml:1: forward.hosts.house[0]: `https://a.example` is not a host"),
        BadConfiguration(
            "no block", "forward: { addresses: [10.0.0.1/8] }",
            "config.yaml:1: forward.addresses[0]: `10.0.0.1/8` is no"),
        BadConfiguration(
            "another policy than none", "policy: other.yaml", "config.yaml:1: policy: `other.yaml` is not `none`;"),
        BadConfiguration("an unknown level", "log-level: loud", "config.yaml:1: log-level: `loud` is not one of trace"),
    ]

    static let gateways: [BadConfiguration] = [
        gateway("no url", "paths: [/v1/]", ".url: this key is required"),
        gateway("no scheme", "url: example.com", ".url: `example.com` is not a URL"),
        gateway("a foreign scheme", "url: ftp://example.com", ".url: `ftp` is not supported"),
        gateway("a query", "url: \"https://example.com/?a=b\"", ".url: a gateway's URL cannot have a query"),
        gateway("a fragment", "url: \"https://example.com/#a\"", ".url: a gateway's URL cannot have a fragment"),
        gateway("a password", "url: \"https://u:p@example.com\"", ".url: a gateway's URL cannot have a user"),
        gateway("no host", "url: \"https:///v1\"", ".url: `` is not a host"),
        gateway("a port too large", "url: \"https://example.com:65536\"", ".url: `example.com:65536` is not a host"),
        gateway("port 0", "url: \"https://example.com:0\"", ".url: nothing listens on port 0"),
        gateway("a bad address", "url: \"https://[::g]\"", ".url: `[::g]` is not a host"),
        gateway("a short address", "url: http://127.1", ".url: `127.1` is not a host"),
        gateway("plain http to a name", "url: http://example.com", ".url: plain http only on loopback"),
        gateway("plain http to a near name", "url: http://localhost.example", ".url: plain http only on loopback"),
        gateway("plain http to a neighbour", "url: http://192.168.1.5", ".url: plain http only on loopback"),
        gateway("dot segments", "url: https://example.com/a/../b", ".url: the path `/a/../b` has empty or dot"),
        gateway("an empty segment", "url: https://example.com/a//b", ".url: the path `/a//b` has empty or dot"),
        gateway("an encoded path", "url: https://example.com/%2e", ".url: the path `/%2e` has empty or dot"),
        gateway("a path without an end", "url: https://a.example, paths: [/v1]", ".paths[0]: `/v1` is not a path"),
        gateway("a path with a query", "url: https://a.example, paths: [\"/?a/\"]", ".paths[0]: `/?a/` is not a path"),
        gateway(
            "a path inside another", "url: https://a.example, paths: [/v1/, /v1/x/]", ".paths[1]: `/v1/x/` overlaps"),
        gateway("a path behind a name", "url: https://a.example, paths: [/lab/]", ".paths[0]: `/lab/` can never match"),
        gateway(
            "a signer of a strange kind", "url: https://a.example, signers: [\"did:ion:x\"]",
            ".signers[0]: `did:ion:x` is no did:key"),
        gateway(
            "a signer with a fragment", "url: https://a.example, signers: [\"did:web:a.example#k\"]",
            ".signers[0]: `did:web:a.example#k` is no did:key"),
        gateway(
            "a document of a did:key", "url: https://a.example, signers: [{ did: \"did:key:z6Mk\", document: d.json }]",
            ".signers[0].did: `did:key:z6Mk` is no did:web without a fragment"),
        gateway(
            "a document without a file", "url: https://a.example, signers: [{ did: \"did:web:a.example\" }]",
            ".signers[0].document: this key is required"),
        gateway(
            "a document of nobody", "url: https://a.example, signers: [{ document: d.json }]",
            ".signers[0].did: this key is required"),
        gateway(
            "a short digest",
            "url: https://a.example, signers: [{ did: \"did:web:a.example\", document: d.json, sha256: \"00\" }]",
            ".signers[0].sha256: `00` is not 64 hex digits"),
        gateway(
            "two documents of one",
            "url: https://a.example, signers: [{ did: \"did:web:a.example\", document: d }, { did: \"did:web:a.example\", document: e }]",
            ".signers[1]: `did:web:a.example` has a document already"),
        gateway("no duration", "url: https://a.example, idle-timeout: 0s", ".idle-timeout: `0s` is not a duration"),
        gateway(
            "no time at all", "url: https://a.example, total-timeout: 0s", ".total-timeout: `0s` is not a duration"),
        gateway("no connections", "url: https://a.example, max-connections: 0", ".max-connections: `0` is not a whole"),
        gateway("some connections", "url: https://a.example, max-connections: 1e3", ".max-connections: `1e3` is not a"),
        gateway(
            "a body of five", "url: https://a.example, max-request-body: 5", ".max-request-body: `5` is not a size"),
        gateway("no unit", "url: https://a.example, idle-timeout: 20", ".idle-timeout: `20` is not a duration"),
        gateway("two days", "url: https://a.example, idle-timeout: 48h", ".idle-timeout: `48h` is not a duration"),
        gateway("a signed duration", "url: https://a.example, connect-timeout: -5s", ".connect-timeout: `-5s` is not"),
        gateway(
            "no key file", "url: https://a.example, credential: { header: x-api-key }", ".credential.file: this key"),
        gateway(
            "a foreign header", "url: https://a.example, credential: { file: k, header: cookie }",
            ".credential.header: `cookie` is not `authorization` or `x-api-key`"),
        gateway("a credential as text", "url: https://a.example, credential: k", ".credential: a mapping of keys"),
        gateway("a redirect port", "url: https://a.example, redirect-hosts: [\"b:1\"]", ".redirect-hosts[0]: `b:1` is"),
        gateway(
            "no validity", "url: https://a.example, max-validity: 9s", ".max-validity: `9s` is not a duration from"),
        gateway("a long validity", "url: https://a.example, max-validity: 61m", ".max-validity: `61m` is not"),
        gateway("half a second", "url: https://a.example, max-validity: 10500ms", ".max-validity: `10500ms` is not"),
        gateway(
            "a validity without a unit", "url: https://a.example, max-validity: 600", ".max-validity: `600` is not"),
        gateway("nothing to pay", "url: https://a.example, max-payment: 0", ".max-payment: `0` is not an amount"),
        gateway("a price with a sign", "url: https://a.example, max-payment: -1", ".max-payment: `-1` is not"),
        gateway(
            "a payee with a typing error",
            "url: https://a.example, payees: [\"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb8\"]",
            ".payees[0]: `0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb8` has a wrong checksum"),
        gateway(
            "a payee of zero", "url: https://a.example, payees: [\"0x0000000000000000000000000000000000000000\"]",
            ".payees[0]: `0x0000000000000000000000000000000000000000` is not 0x and 40"),
        gateway(
            "an unknown reaction", "url: https://a.example, new-payee: deny", ".new-payee: `deny` is not `alert` or"),
        gateway(
            "a factor without its letter", "url: https://a.example, price-rise: 10", ".price-rise: `10` is not a whole"),
        gateway("a factor of zero", "url: https://a.example, price-rise: 0x", ".price-rise: `0x` is not a whole"),
        gateway(
            "an unknown profile", "url: https://a.example, profiles: [okx]", ".profiles[0]: `okx` is not `gate` or"),
        gateway(
            "spenders without a profile",
            "url: https://a.example, spenders: [\"0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c\"]",
            ".spenders: spenders are named by sellers of a profile"),
        gateway(
            "an unclear yes", "url: https://a.example, trust-partial: yes", ".trust-partial: `yes` is not `true` or"),
        gateway(
            "sign-ins without number", "url: https://a.example, sign-in: true, sign-ins: many",
            ".sign-ins: `many` is not a whole number from 1 to 1000"),
        gateway(
            "no sign-ins at all", "url: https://a.example, sign-in: true, sign-ins: 0",
            ".sign-ins: `0` is not a whole number from 1 to 1000"),
        gateway(
            "sign-ins where nothing signs in", "url: https://a.example, sign-ins: 5",
            ".sign-ins: nothing signs in at this gateway without `sign-in: true`"),
        gateway(
            "too many rejections", "url: https://a.example, stop-after-rejections: 1001",
            ".stop-after-rejections: `1001` is not a whole number from 0"),
        gateway(
            "a signed number", "url: https://a.example, stop-after-rejections: +3",
            ".stop-after-rejections: `+3` is not"),
        gateway(
            "a leading zero", "url: https://a.example, stop-after-rejections: 03", ".stop-after-rejections: `03` is not"
        ),
        gateway(
            "a pause without a unit", "url: https://a.example, repeat-after-failure: 60",
            ".repeat-after-failure: `60` is not `0`, or a duration"),
        gateway(
            "a pause of less than a second", "url: https://a.example, repeat-after-failure: 1500ms",
            ".repeat-after-failure: `1500ms` is not `0`, or a duration"),
        gateway(
            "a pause of more than a day", "url: https://a.example, repeat-after-failure: 25h",
            ".repeat-after-failure: `25h` is not `0`, or a duration"),
        gateway(
            "an unknown fate", "url: https://a.example, unproven: release",
            ".unproven: `release` is not `hold` or `release-at-expiry`"),
        gateway(
            "unknown use of learned prices", "url: https://a.example, learned-price: maybe",
            ".learned-price: `maybe` is not `asked` or `always` or `never`"),
        gateway("unknown billing", "url: https://a.example, billing: free", ".billing: `free` is not `x402` or"),
        gateway(
            "prepaid without a key", "url: https://a.example, billing: prepaid",
            ".billing: `prepaid` needs a `credential`"),
        BadConfiguration(
            "the same prefix twice",
            "gateways:\n  a: { url: https://a.example, paths: [/v1/] }\n  b: { url: https://b.example, paths: [/v1/] }\n",
            "config.yaml:3: gateways.b.paths[0]: `/v1/` overlaps `/v1/` of gateway `a`"),
        BadConfiguration(
            "an impossible name", "gateways:\n  A/b: { url: https://a.example }\n",
            "config.yaml:2: gateways.A/b: `A/b` cannot name a gateway"),
        BadConfiguration(
            "dots for a name", "gateways:\n  ..: { url: https://a.example }\n",
            "config.yaml:2: gateways...: `..` cannot"),
    ]

    static let wallets: [BadConfiguration] = [
        wallet("no keystore", "passphrase-file: p", ".keystore: this key is required"),
        wallet("no passphrase", "keystore: k", ".passphrase-file: this key or `passphrase-credential` is needed"),
        wallet(
            "two passphrases", "keystore: k, passphrase-file: p, passphrase-credential: c",
            ".passphrase-credential: there is a `passphrase-file` already"),
        wallet(
            "a passphrase in the file", "keystore: k, passphrase-file: p, passphrase: secret",
            ".passphrase: there is no such key here"),
        wallet("a rule of no form", "keystore: k, passphrase-file: p, pay: [USDT]", ".pay[0]: `USDT` is not network/"),
        wallet(
            "a rule without an asset", "keystore: k, passphrase-file: p, pay: [\"eip155:42161/DOGE\"]",
            ".pay[0]: `eip155:42161/DOGE` is neither"),
        wallet(
            "a rule twice", "keystore: k, passphrase-file: p, pay: [\"eip155:1/USDC\", \"eip155:1/USDC\"]",
            ".pay[1]: `eip155:1/USDC` appears twice"),
        wallet(
            "an approval without an asset",
            "keystore: k, passphrase-file: p, sponsored-approvals: [\"eip155:56/DOGE\"]",
            ".sponsored-approvals[0]: `eip155:56/DOGE` is neither"),
        BadConfiguration(
            "an impossible name", "wallets:\n  Main: { keystore: k, passphrase-file: p }\n",
            "config.yaml:2: wallets.Main: `Main` cannot name a wallet"),
    ]

    static let assets: [BadConfiguration] = [
        asset("a foreign network", "eip155:42161", "solana:1", "network: `solana:1` is not a CAIP-2 network"),
        asset("a short address", "0xFd086bC7", "0xFd", "address: `0xFd"),
        asset(
            "a wrong checksum", "0xFd086bC7", "0xFD086bC7", "address: `0xFD086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9` has"),
        asset("fractional decimals", "decimals: 6", "decimals: 6.0", "decimals: `6.0` is not a whole number"),
        asset("too many decimals", "decimals: 6", "decimals: 37", "decimals: `37` is not a whole number from 0 to 36"),
        asset("other decimals than pinned", "decimals: 6", "decimals: 18", "decimals: eip155:42161/0xFd086bC7"),
        asset("no name", "name: \"USD₮0\", ", "", "name: this key is required: an eip3009 token"),
        asset("no symbol", "symbol: USDT, ", "", "symbol: this key is required"),
        asset("a foreign transfer", "transfer: eip3009", "transfer: permit", "transfer: `permit` is not `eip3009`"),
        asset("worth nothing", "usd: \"1.00\"", "usd: \"0\"", "usd: `0` is not an amount of dollars"),
        asset("an exponent", "usd: \"1.00\"", "usd: 1e0", "usd: `1e0` is not an amount of dollars"),
    ]

    /// A file whose second line is the only chain.
    static func chain(
        _ name: String, network: String = "eip155:42161", _ entry: String, _ told: String
    ) -> BadConfiguration {
        BadConfiguration(
            name, "chains:\n  \"\(network)\": { \(entry) }\n", "config.yaml:2: chains.\(network)\(told)")
    }

    static let chains: [BadConfiguration] = [
        chain(
            "an unknown network", network: "eip155:424242", "rpc: [\"https://a.example\"]", ": this is no network of"),
        chain("no CAIP-2 network", network: "arbitrum", "rpc: [\"https://a.example\"]", ": this is no network of"),
        chain("no endpoints", "finality: safe", ".rpc: this key is required: a list of 1 to 8 URLs"),
        chain("an empty list", "rpc: []", ".rpc: A chain has 1 to 8 endpoints."),
        chain(
            "nine endpoints", "rpc: [\((1...9).map { "\"https://\($0)x.example\"" }.joined(separator: ", "))]",
            ".rpc: A chain has 1 to 8 endpoints."),
        chain("one text", "rpc: https://a.example", ".rpc: a list is needed here"),
        chain("plain http", "rpc: [\"http://a.example/k\"]", ".rpc[0]: Plain http only on loopback"),
        chain("no URL", "rpc: [a.example]", ".rpc[0]: A chain endpoint is a URL"),
        chain("a password", "rpc: [\"https://u:p@a.example\"]", ".rpc[0]: A chain endpoint's URL cannot have a user"),
        chain(
            "the same host twice", "rpc: [\"https://a.example/1\", \"https://a.example/2\"]",
            ".rpc[1]: The chain endpoint a.example stands twice"),
        chain(
            "no confirmations", "rpc: [\"https://a.example\"], finality: 0",
            ".finality: `0` is not `finalized`, `safe` or a number"),
        chain("an unknown tag", "rpc: [\"https://a.example\"], finality: latest", ".finality: `latest` is not"),
        chain("a key too many", "rpc: [\"https://a.example\"], url: x", ".url: there is no such key here"),
        chain("no rule", "rpc: [\"https://a.example\"], agree: two", ".agree: `two` is not `all` or `majority`"),
        chain("an empty rule", "rpc: [\"https://a.example\"], agree:", ".agree: the value is missing"),
        chain(
            "no blocks", "rpc: [\"https://a.example\"], blocks-per-second: 0",
            ".blocks-per-second: `0` is not a whole number from 1 to 1000"),
        chain(
            "too many blocks", "rpc: [\"https://a.example\"], blocks-per-second: 1001",
            ".blocks-per-second: `1001` is not"),
    ]

    static let all = syntax + top + gateways + wallets + assets + chains
}

struct BadConfigurationTests {
    @Test("every repetition of a key is told, and what else is wrong")
    func repetitions() throws {
        let text = "hosts: []\nlisten: nowhere\nhosts: []\nreplay: { total: 1MiB, total: 2MiB }\nhosts: []\n"
        guard case .failure(let errors) = try read(text) else {
            Issue.record("the file was accepted")
            return
        }
        #expect(errors.mistakes.map(\.key) == ["listen", "hosts", "replay.total", "hosts"])
        #expect(errors.mistakes.map(\.line) == [2, 3, 4, 5])
    }

    @Test("a mistake is told with file, line and key", arguments: BadConfiguration.all)
    func mistake(_ bad: BadConfiguration) throws {
        let result = try read(bad.text)
        guard case .failure(let errors) = result else {
            Issue.record("the file was accepted")
            return
        }
        #expect(errors.mistakes.count == 1, "\(errors)")
        #expect(errors.description.hasPrefix(bad.told), "\(errors)")
    }
}
