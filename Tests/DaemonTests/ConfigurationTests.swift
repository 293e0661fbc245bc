import Chain
import Daemon
import Ethereum
import Ledger
import Logging
import NIOCore
import Payments
import Policy
import Primitives
import Proxy
import Testing
import Transport
import X402

/// Reads a text as `config.yaml` with the pinned table.
func read(_ text: String) throws -> Result<Configuration, ConfigurationErrors> {
    Configuration.parse(text: text, file: "config.yaml", table: try AssetTable.pinned())
}

struct ConfigurationTests {
    @Test("the file that init writes is valid as it stands")
    func example() throws {
        let configuration = try read(Configuration.example).get()
        #expect(configuration.listen == Configuration.standardListeners)
        #expect(configuration.gateways.map(\.name) == ["lab"])
        #expect(configuration.wallets.map(\.name) == ["main"])
    }

    @Test("every line of the example that is commented out is valid too")
    func exampleInFull() throws {
        let options = [
            "hosts:", "gaterouter", "prepaid:", "assets:", "- {", "chains:", "\"eip155:", "trust-file:", "replay:",
            "spool:", "learned-prices:", "approval-turns:",
            "log-level:", "forward:", "addresses:", "metrics:", "terminate:",
        ]
        let lines = Configuration.example.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let mark = line.firstRange(of: "# ") else { return String(line) }
            let rest = line[mark.upperBound...]
            guard options.contains(where: rest.drop(while: { $0 == " " }).hasPrefix) else { return String(line) }
            return String(line[..<mark.lowerBound] + rest)
        }
        let configuration = try read(lines.joined(separator: "\n")).get()
        #expect(configuration.gateways.map(\.name) == ["lab", "gaterouter", "prepaid", "gaterouter-anthropic"])
        #expect(configuration.gateways[2].billing == .prepaid)
        #expect(configuration.chains.map(\.network) == ["eip155:42161"])
        #expect(configuration.chains.first?.endpointNames == ["arb1.example", "arbitrum.example"])
        #expect(configuration.hosts == ["purser.internal"])
        #expect(configuration.trustFile == "ca.pem")
        #expect(configuration.forward.hosts[.agent("scout")]?.map(\.description) == ["github.com"])
        #expect(configuration.logLevel == .info)
    }

    @Test("every setting arrives where it belongs")
    func everything() throws {
        let configuration = try read(
            """
            listen: "[::1]:0"
            hosts: [Purser.Internal, "box:4020"]
            gateways:
              gaterouter: { url: https://API.gaterouter.ai/openai/, paths: [/v1/, /v2/x/], credential: { file: gr.key, header: authorization } }
              anthropic: { url: "https://[2001:db8::1]:8443", credential: { file: gr.key, header: x-api-key } }
              lab:
                url: http://127.0.0.1:8402
                connect-timeout: 500ms
                first-byte-timeout: 10m
                idle-timeout: 1h
                redirect-hosts: [CDN.example]
            wallets:
              main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT", "eip155:8453/0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"], sponsored-approvals: ["eip155:56/USDT"] }
              spare: { keystore: /srv/spare.json, passphrase-credential: spare }
            assets:
              - { network: "eip155:42161", address: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", symbol: USDT, decimals: 6, name: "USD₮0", version: "1", transfer: eip3009, usd: "1.00" }
              - { network: eip155:99, address: 0x00000000000000000000000000000000000000aa, symbol: TST, decimals: 18, transfer: permit2, usd: 0.5 }
            forward:
              hosts: { house: ["*.pypi.org", "a.example:*"], "team:red": [], "agent:scout": ["[::1]:8443"] }
              addresses: ["10.1.0.0/16", "::1"]
              terminate: ["api.example", "*.b.example:8443"]
            metrics: 127.0.0.1:9402
            trust-file: ca.pem
            replay: { memory: 512KiB, per-request: 1GiB, total: 2MiB }
            kept-answers: { each: 256KiB, total: 8MiB, time: 30s }
            log-level: debug
            """
        ).get()
        let listen = Configuration.Listen(host: "::1", port: 0)
        #expect(configuration.listen == [.address(listen)])
        #expect(listen.description == "[::1]:0")
        #expect(configuration.hosts == ["purser.internal", "box:4020"])
        #expect(configuration.trustFile == "ca.pem")
        #expect(configuration.metrics == Configuration.Listen(host: "127.0.0.1", port: 9402))
        let hosts = configuration.forward.hosts.mapValues { $0.map(\.description) }
        #expect(
            hosts == [
                .house: ["*.pypi.org", "a.example:*"], .team("red"): [], .agent("scout"): ["[::1]:8443"],
            ])
        #expect(configuration.forward.terminate.map(\.description) == ["api.example", "*.b.example:8443"])
        #expect(configuration.forward.addresses == ["10.1.0.0/16", "::1"].compactMap { AddressRange($0) })
        #expect(configuration.replay == Configuration.Replay(memory: 512 << 10, perRequest: 1 << 30, total: 2 << 20))
        #expect(
            configuration.keptAnswers == KeptAnswerLimits(each: 256 << 10, total: 8 << 20, time: .seconds(30)))
        #expect(configuration.logLevel == .debug)

        let gateways = configuration.gateways
        try #require(gateways.map(\.name) == ["gaterouter", "anthropic", "lab"])
        #expect(gateways[0].origin == Origin(isSecure: true, host: "api.gaterouter.ai", port: 443))
        #expect(gateways[0].basePath == "/openai")
        #expect(gateways[0].paths == ["/v1/", "/v2/x/"])
        #expect(gateways[0].credential == Configuration.Credential(file: "gr.key", field: .authorization))
        #expect(gateways[0].timeouts == .standard)
        #expect(gateways[1].origin == Origin(isSecure: true, host: "2001:db8::1", port: 8443))
        #expect(gateways[1].basePath == "")
        #expect(gateways[1].credential?.field == .xAPIKey)
        #expect(gateways[2].origin == Origin(isSecure: false, host: "127.0.0.1", port: 8402))
        #expect(gateways[2].redirectHosts == ["cdn.example"])
        let timeouts = Gateway.Timeouts(connect: .milliseconds(500), firstByte: .minutes(10), idle: .hours(1))
        #expect(gateways[2].timeouts == timeouts)

        let wallets = configuration.wallets
        try #require(wallets.map(\.name) == ["main", "spare"])
        #expect(wallets[0].keystore == "wallets/main.json")
        #expect(wallets[0].passphrase == .file("main.pass"))
        #expect(
            wallets[0].pay.map(\.description) == [
                "eip155:42161/USDT", "eip155:8453/0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            ])
        #expect(wallets[1].passphrase == .credential("spare"))
        #expect(wallets[0].sponsoredApprovals.map(\.description) == ["eip155:56/USDT"])
        #expect(wallets[1].pay.isEmpty && wallets[1].sponsoredApprovals.isEmpty)

        let added = configuration.assets.assets.last
        #expect(added?.symbol == "TST")
        #expect(added?.transfer == .permit2)
        #expect(added?.domain == nil)
        #expect(added?.par.description == "0.50")
    }

    @Test("how far a gateway is trusted, and which chains are read, arrives where it belongs")
    func trust() throws {
        let configuration = try read(
            """
            gateways:
              lab: { url: http://127.0.0.1:8402, max-validity: 90s, stop-after-rejections: 0, repeat-after-failure: 0, unproven: release-at-expiry }
              paid: { repeat-after-failure: 10m, url: https://paid.example, billing: prepaid, credential: { file: k }, unproven: hold }
              plain: { url: https://plain.example, max-validity: 1h, stop-after-rejections: 1000, billing: x402 }
              usual: { url: https://usual.example }
            assets:
              - { network: eip155:99, address: 0x00000000000000000000000000000000000000aa, symbol: TST, decimals: 18, transfer: permit2, usd: 0.5 }
            chains:
              "eip155:42161": { rpc: ["https://one.example/key", "https://two.example:8443/?k=1"], finality: safe }
              eip155:99:
                rpc: [http://127.0.0.1:8545, http://127.0.0.1:8546, https://three.example]
                agree: majority
                finality: 12
                blocks-per-second: 100
              "eip155:8453": { rpc: ["https://base.example"] }
            """
        ).get()
        let gateways = configuration.gateways
        #expect(gateways.map(\.policy.gate.maxValidity) == [90, 600, 3600, 600])
        #expect(gateways.map(\.policy.rules.stopAfterRejections) == [0, 3, 1000, 3])
        #expect(gateways.map(\.policy.rules.repeatAfterFailure) == [0, 600, 60, 60])
        #expect(gateways.map(\.unproven) == [.releaseAtExpiry, .hold, .hold, .hold])
        #expect(gateways.map(\.billing) == [.x402, .prepaid, .x402, .x402])
        #expect(configuration.chains.map(\.chainID) == [42161, 99, 8453])
        #expect(configuration.chains.map(\.finality) == [.safe, .confirmations(12), .finalized])
        #expect(configuration.chains[0].endpointNames == ["one.example", "two.example:8443"])
        #expect(configuration.chains.map(\.agreementWord) == ["all", "majority", "all"])
        #expect(configuration.chains.map(\.neededEndpoints) == [2, 2, 1])
        #expect(configuration.chains.map(\.blocksPerSecond) == [20, 100, 20])
        #expect(
            configuration.chains.map(\.agreementWords) == [
                "all 2: survives 1 lying, none down", "2 of 3: survives 1 lying, 1 down",
                "the only one is believed: survives no liar, none down",
            ])
        #expect(
            configuration.overduePolicy
                == OverduePolicy(margin: 60, lapsing: ["lab"], proven: ["eip155:42161", "eip155:99", "eip155:8453"]))
    }

    @Test("endpoints of one host are one endpoint: the others are accepted as in version 0.1.0, named, and not asked")
    func oneHost() throws {
        let configuration = try read(
            """
            chains:
              "eip155:42161": { rpc: ["https://a.example:8443", "https://A.example", "https://b.example"] }
              "eip155:8453": { rpc: ["https://a.example", "https://a.example:8443"] }
            """
        ).get()
        let (two, one) = (configuration.chains[0], configuration.chains[1])
        #expect(two.endpointNames == ["a.example:8443", "b.example"] && two.redundantNames.count == 1)
        #expect(two.neededEndpoints == 2 && two.survivedLiars == 1)
        #expect(one.endpointNames == ["a.example"] && one.redundantNames == ["a.example:8443"])
        #expect(one.agreementWords == "the only one is believed: survives no liar, none down")
        let remarks = ConfigurationFiles.remarks(on: configuration)
        #expect(remarks.contains { $0.hasPrefix("chains.eip155:8453.rpc: a.example:8443 is not asked: another entry") })
        #expect(remarks.contains { $0.hasPrefix("chains.eip155:8453.rpc: there is one endpoint") })
    }

    @Test("a signer's document arrives with its file and its digest, and one without is named")
    func signerDocuments() throws {
        let digest = String(repeating: "0a", count: 32)
        let configuration = try read(
            """
            gateways:
              lab:
                url: https://lab.example
                signers:
                  - did:web:plain.example
                  - { did: "did:web:one.example", document: one.json }
                  - { did: "did:web:two.example%3A8443:shop", document: /etc/two.json, sha256: "\(digest)" }
            """
        ).get()
        let gateway = try #require(configuration.gateways.first)
        let (one, two) = ("did:web:one.example", "did:web:two.example%3A8443:shop")
        #expect(gateway.policy.signers.identifiers == ["did:web:plain.example", one, two])
        #expect(gateway.signerDocuments.map(\.identifier) == [one, two])
        #expect(gateway.signerDocuments.map(\.file) == ["one.json", "/etc/two.json"])
        #expect(gateway.signerDocuments.map(\.digestWord) == [nil, digest])
        #expect(gateway.uncheckedSigners == ["did:web:plain.example"])
    }

    @Test("what the gate may approve for a gateway arrives where it belongs")
    func gateRules() throws {
        let address = "0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c"
        let configuration = try read(
            """
            gateways:
              lab:
                url: http://127.0.0.1:8402
                max-payment: "12.50"
                payees: ["\(address)"]
                new-payee: refuse
                price-rise: 3x
                higher-price: ask
                profiles: [gate, binance]
                spenders: ["\(address.lowercased())"]
                trust-partial: true
                sign-in: true
                sign-ins: 25
                signers: ["\(address)", "did:key:z6Mkt6316e2PN3mZdB6N9CrzomJYUd1s5yBZi1XYHmwT9TUP"]
              usual: { url: https://usual.example }
            """
        ).get()
        let policy = try #require(configuration.gateways.first?.policy)
        #expect(policy.gate.maxPayment == Dollars("12.5"))
        #expect(policy.signers.addresses.map(\.checksummed) == [address])
        #expect(policy.signers.identifiers == ["did:key:z6Mkt6316e2PN3mZdB6N9CrzomJYUd1s5yBZi1XYHmwT9TUP"])
        #expect(policy.gate.payees.map(\.checksummed) == [address])
        #expect(policy.gate.newPayee == .refuse && policy.gate.higherPrice == .ask && policy.gate.priceRise == 3)
        #expect(policy.gate.profiles == [.gate, .binance])
        #expect(policy.gate.spenders.map(\.checksummed) == [address])
        #expect(policy.trustsPartial && policy.signsIn && policy.signInsPerHour == 25)
        #expect(configuration.gateways.last?.policy == GatewayPolicy())
    }

    @Test("that there is no policy is one word, and nothing else")
    func noPolicy() throws {
        #expect(try read("policy: none\n").get().policyIsNone)
        #expect(try !read("listen: 127.0.0.1:0\n").get().policyIsNone)
    }

    @Test("HTTP/2 is spoken unless a gateway's entry says otherwise")
    func http2() throws {
        let configuration = try read(
            """
            gateways:
              old: { url: https://old.example, http2: false }
              usual: { url: https://usual.example }
            """
        ).get()
        #expect(configuration.gateways.map(\.allowsHTTP2) == [false, true])
        guard case .failure(let errors) = try read("gateways: { a: { url: https://a.example, http2: h2 } }") else {
            Issue.record("a protocol was taken for a switch")
            return
        }
        #expect(errors.mistakes.map(\.key) == ["gateways.a.http2"])
    }

    @Test("requests may switch protocols unless a gateway's entry says otherwise, or its billing is prepaid")
    func upgrades() throws {
        let configuration = try read(
            """
            gateways:
              a: { url: https://a.example }
              b: { url: https://b.example, upgrades: false }
              c: { url: https://c.example, billing: prepaid, credential: { file: k } }
              d: { url: https://d.example, billing: prepaid, credential: { file: k }, upgrades: true }
            """
        ).get()
        #expect(configuration.gateways.map(\.allowsUpgrades) == [true, false, false, true])
        guard case .failure(let errors) = try read("gateways: { a: { url: https://a.example, upgrades: ws } }") else {
            Issue.record("a protocol was taken for a switch")
            return
        }
        #expect(errors.mistakes.map(\.key) == ["gateways.a.upgrades"])
    }

    @Test("no mistake in an endpoint shows more of it than its host")
    func secrets() throws {
        let urls = [
            "https://user:sekrit@rpc.example", "http://rpc.example/sekrit", "https://rpc.example/sekrit#x",
            "ftp://rpc.example/sekrit", "https:///sekrit", "rpc.example/sekrit", "https://rpc.example/\u{e9}/sekrit",
        ]
        for url in urls {
            let text = "chains:\n  \"eip155:42161\": { rpc: [\"\(url)\"], finality: none }\n"
            guard case .failure(let errors) = try read(text) else {
                Issue.record("\(url) was accepted")
                continue
            }
            #expect(errors.mistakes.map(\.key) == ["chains.eip155:42161.rpc[0]", "chains.eip155:42161.finality"])
            #expect(!errors.description.contains("sekrit"), "\(errors)")
        }
        let twice = "chains: { \"eip155:1\": { rpc: [https://a.example/sekrit1, https://a.example/sekrit2] } }"
        guard case .failure(let errors) = try read(twice) else {
            Issue.record("one endpoint was accepted twice")
            return
        }
        #expect(errors.description.contains("a.example stands twice"))
        #expect(!errors.description.contains("sekrit"))
    }

    @Test("an empty file takes the defaults", arguments: ["", "# nothing\n", "{}\n"])
    func empty(_ text: String) throws {
        let configuration = try read(text).get()
        #expect(configuration.listen == Configuration.standardListeners)
        #expect(configuration.gateways.isEmpty)
        #expect(configuration.wallets.isEmpty)
        #expect(configuration.chains.isEmpty)
        #expect(configuration.overduePolicy == OverduePolicy())
        #expect(configuration.replay == .standard)
        #expect(configuration.logLevel == .info)
    }

    @Test("all mistakes are told at once, in the order of the lines")
    func allMistakes() throws {
        let result = try read(
            """
            listen: 127.0.0.1:70000
            gateways:
              lab: { url: http://example.com, retries: 3 }
              Lab: { url: https://example.com }
            wallets:
              main: { pay: [USDT] }
            """)
        guard case .failure(let errors) = result else {
            Issue.record("the file was accepted")
            return
        }
        let keys = errors.mistakes.map { "\($0.line) \($0.key)" }
        #expect(
            keys == [
                "1 listen", "3 gateways.lab.retries", "3 gateways.lab.url", "4 gateways.Lab", "6 wallets.main.keystore",
                "6 wallets.main.passphrase-file", "6 wallets.main.pay[0]",
            ])
        #expect(errors.description.hasPrefix("config.yaml:1: listen: `127.0.0.1:70000` is not an IP address"))
        #expect(errors.description.split(separator: "\n").count == 7)
    }
}
