import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A loopback port that is listened at as long as the object lives.
private final class TakenPort {
    let number: UInt16
    private let descriptor: Int32

    init?() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard isListening else { return nil }
    }

    deinit {
        close(descriptor)
    }
}

struct StateCommandTests {
    @Test("init makes a state directory that passes its own check, and may be run again")
    func initialise() async throws {
        let place = try StateForTests(configuration: nil)
        let first = try await place.done("init", "--light", "--json").json
        #expect(first["wrote_config"]?.bool == true)
        let address = try #require(first["address"]?.string)
        #expect(try place.folder.entries() == ["config.yaml", "main.pass", "spool", "wallets"])
        #expect(try place.folder.mode(of: "main.pass") == 0o600)
        #expect(try place.folder.mode(of: "wallets/main.json") == 0o600)

        let check = try await place.done("config", "check", "--json").json
        #expect(check["valid"]?.bool == true)
        #expect(check["problems"]?.elements?.isEmpty == true)

        let second = try await place.done("init", "--light", "--json").json
        #expect(second["wrote_config"]?.bool == false)
        #expect(second["address"] == nil)
        let wallet = try await place.done("wallet", "show", "main", "--json").json
        #expect(wallet["address"]?.string == address)
        #expect(wallet["pay"]?.elements?.compactMap(\.string) == ["eip155:42161/USDT"])
    }

    @Test("init takes the passphrase from a file and names it in the configuration")
    func initialiseWithPassphrase() async throws {
        let place = try StateForTests(configuration: nil)
        let file = try place.folder.write("it's a secret\n".utf8, to: "it's.pass")
        await place.done("init", "--light", "--passphrase-file", file)
        #expect(try place.state.loadConfiguration().wallets.first?.passphrase == .file(file))
        #expect(await place.run("init", "--light").status == .done)
        #expect(try !place.folder.entries().contains("main.pass"))
    }

    @Test("a wrong configuration is told line by line")
    func configurationCheck() async throws {
        let place = try StateForTests(configuration: "listen: nowhere\nloud: true\n")
        let run = await place.run("config", "check")
        #expect(run.status == .configuration)
        let lines = run.errors.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("purser: \(place.state.configurationFile):1: listen: "))
        #expect(lines[1].hasPrefix("purser: \(place.state.configurationFile):2: loud: "))
        let json = await place.run("config", "check", "--json")
        #expect(json.status == .configuration)
        #expect(try json.json["mistakes"]?.elements?.compactMap { $0["line"]?.integer } == [1, 2])
        #expect(await place.run("serve").status == .configuration)
    }

    @Test("a file that the configuration names and nobody wrote is a remark")
    func missingFiles() async throws {
        let place = try StateForTests()
        let run = await place.done("config", "check")
        #expect(run.errors.contains("wallets.main.keystore: there is no \(place.state.path("wallets/main.json"))"))
        #expect(run.errors.contains("wallets.main.passphrase-file: there is no"))
    }

    @Test("what serve would refuse is found by the check, in the same words")
    func refusedFiles() async throws {
        let place = try StateForTests(
            configuration: """
                listen: 127.0.0.1:0
                trust-file: ca.pem
                gateways:
                  lab: { url: "http://127.0.0.1:1", credential: { file: lab.key } }
                wallets:
                  main: { keystore: main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
                """)
        try place.folder.write("a key".utf8, to: "lab.key")
        try place.folder.write("no JSON".utf8, to: "main.json")
        try place.folder.write("pass".utf8, to: "main.pass", mode: 0o644)
        try place.folder.write("none".utf8, to: "ca.pem")
        let run = await place.done("config", "check")
        #expect(run.output.contains("`serve` would refuse its files"))
        let lines = run.errors.split(separator: "\n").map(String.init)
        let told = [
            "gateways.lab.credential.file: \(place.state.path("lab.key")) holds no key that fits a header field",
            "wallets.main.keystore: \(place.state.path("main.json")): this is not a keystore",
            "wallets.main.passphrase-file: \(place.state.path("main.pass")) has mode 0644: others can read it",
            "trust-file: TLS configuration: no certificates in trust file \(place.state.path("ca.pem"))",
        ]
        #expect(lines.count == told.count, "\(lines)")
        for (line, told) in zip(lines, told) { #expect(line.hasPrefix("purser: \(told)")) }
    }

    @Test("what is allowed and hardly meant is a remark")
    func remarks() async throws {
        let bare = try StateForTests(configuration: "listen: 0.0.0.0:4020\n")
        let first = await bare.done("config", "check")
        #expect(first.output.contains("is valid."))
        for words in ["not a loopback address", "gateways: there are none", "wallets: there are none"] {
            #expect(first.errors.contains(words), "\(first.errors)")
        }
        let place = try StateForTests(
            configuration: """
                wallets:
                  main: { keystore: k, passphrase-credential: p, pay: ["eip155:42161/USDT", "eip155:99/TST"] }
                assets:
                  - { network: eip155:99, address: 0x00000000000000000000000000000000000000aa, symbol: TST, decimals: 18, transfer: permit2, usd: 1 }
                """)
        let remarks = try await place.done("config", "check", "--json").json["remarks"]?.elements
        #expect(remarks?.compactMap(\.string).filter { $0.contains(".pay[") }.count == 1)
        let last = remarks?.last?.string
        #expect(last?.hasPrefix("wallets.main.pay[1]: `eip155:99/TST` moves within an allowance") == true)
    }

    @Test("an address that is taken and a trust file that is not there are named")
    func startFailures() async throws {
        let port = try #require(TakenPort())
        let place = try StateForTests(configuration: "listen: 127.0.0.1:\(port.number)\n")
        let taken = "purser: cannot listen on 127.0.0.1:\(port.number): address already in use\n"
        #expect(await place.run("serve").errors.hasSuffix(taken))
        let simulator = await CommandRun.run(["simulate", "--listen", "127.0.0.1:\(port.number)"])
        #expect(simulator.errors == taken)
        try place.state.writeConfiguration("listen: 127.0.0.1:0\ntrust-file: ca.pem\n")
        let missing = "purser: trust-file: there is no \(place.state.path("ca.pem"))\n"
        #expect(await place.run("serve").errors.hasSuffix(missing))
    }

    @Test("the version is output")
    func version() async {
        let run = await CommandRun.run(["--version"])
        #expect(run.status == .done)
        #expect(run.output == "0.1.0\n")
    }

    @Test("init and wallets take the passphrase from a credential of systemd")
    func credentials() async throws {
        await #expect(processExitsWith: .success) {
            let place = try StateForTests(configuration: nil)
            let folder = try TemporaryFolder()
            try folder.write("it is a secret\n".utf8, to: "it's", mode: 0o400)
            #expect(unsafe setenv("CREDENTIALS_DIRECTORY", folder.path, 1) == 0)
            await place.done("init", "--light", "--passphrase-credential", "it's")
            #expect(try place.state.loadConfiguration().wallets.first?.passphrase == .credential("it's"))
            #expect(try !place.folder.entries().contains("main.pass"))
            await place.done("wallet", "create", "other", "--light", "--passphrase-credential", "it's")
            let none = await place.run("wallet", "create", "third", "--light", "--passphrase-credential", "none")
            #expect(none.errors.contains("\(folder.path)/none cannot be read"))
        }
        let both = await CommandRun.run(["init", "--passphrase-file", "f", "--passphrase-credential", "c"])
        #expect(both.status == .usage)
    }

    @Test("status works without a daemon and with one")
    func status() async throws {
        let place = try StateForTests()
        await place.done("agent", "add", "scout", "--cap", "day=5")
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        _ = try await ledger.reserve(.sample(1, value: .cents(30)), at: SystemClock().now())
        try ledger.close()

        let stopped = try await place.done("status", "--json").json
        #expect(stopped["daemon"]?["running"]?.bool == false)
        #expect(stopped["listen"]?.string == "127.0.0.1:4020")
        #expect(stopped["gateways"]?.elements?.first?["url"]?.string == "http://127.0.0.1:8402")
        #expect(stopped["wallets"]?.elements?.first?["problem"]?.string?.contains("cannot be read") == true)
        let cap = stopped["agents"]?.elements?.first?["caps"]?.elements?.first
        #expect(cap?["used_usd"]?.string == "0.30")
        #expect(stopped["open"]?["count"]?.integer == 1)
        #expect(stopped["open"]?["value_usd"]?.string == "0.30")
        let totals = stopped["totals"]?.elements?.first
        #expect(totals?["network"]?.string == "eip155:42161")
        #expect(totals?["exposed"]?.string == "300000")
        #expect(stopped["last_checkpoint"] == nil)
        #expect(stopped["caps_not_proven_for"]?.elements?.isEmpty == true)

        let lock = try StateLock(path: place.state.lockFile)
        let running = try await place.done("status", "--json").json
        #expect(running["daemon"]?["running"]?.bool == true)
        #expect(running["daemon"]?["pid"]?.integer == Int64(getpid()))
        let text = await place.done("status").output
        #expect(text.contains("daemon           running (process \(getpid()))"))
        withExtendedLifetime(lock) {}
    }

    @Test("status shows what is paused after rejections: a route, an agent, a gateway")
    func pauses() async throws {
        let place = try StateForTests()
        for name in ["ada", "bob"] { await place.done("agent", "add", name, "--cap", "day=500") }
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        let now = SystemClock().now()
        var number: UInt64 = 0
        func reject(_ agent: String, _ path: String) async throws {
            number += 1
            let intent = PaymentIntent.sample(number, agent: agent, path: path)
            _ = try await ledger.reserve(intent, at: now)
            _ = try await ledger.book(
                .rejected, of: intent.id, evidence: PaymentEvidence(reason: "insufficient_funds"), at: now)
        }
        for _ in 0..<3 { try await reject("ada", "/v1/a") }
        #expect(await place.done("status").output.contains("PAUSED           agent ada on POST /v1/a (3 rejections"))
        let route = try await place.done("status", "--json").json["paused"]?.elements?.first
        #expect(route?["scope"]?.string == "route" && route?["rejections"]?.integer == 3)
        #expect(route?["route"]?.string == "POST /v1/a" && route?["reason"]?.string == "insufficient_funds")
        #expect(route?["next_probe"]?.string == now.adding(seconds: 60).description)
        for path in ["/v1/b", "/v1/c"] { try await reject("ada", path) }
        for path in ["/v1/a", "/v1/b", "/v1/c"] { try await reject("bob", path) }
        try ledger.close()
        let all = try await place.done("status", "--json").json["paused"]?.elements ?? []
        #expect(all.map { $0["scope"]?.string } == ["gateway", "agent", "route", "agent"])
        #expect(all.map { $0["agent"]?.string } == [nil, "ada", "ada", "bob"])
        #expect(all.dropFirst().first?["cause"]?.string == "routes")
    }

    @Test("status shows a paused wallet: its account and token, since when and why, and what ends it")
    func pausedWallets() async throws {
        let place = try StateForTests()
        await place.done("agent", "add", "scout", "--cap", "day=500")
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        let (now, terms) = (SystemClock().now(), PaymentIntent.sample(1).terms)
        _ = try await ledger.doubtFunds(of: terms, .claim(host: "one.example"), at: now)
        #expect(try await place.done("status", "--json").json["paused_wallets"]?.elements?.isEmpty == true)
        _ = try await ledger.doubtFunds(of: terms, .claim(host: "two.example"), at: now)
        _ = try await ledger.doubtFunds(
            of: PaymentIntent.sample(2, asset: "0xBB").terms, .balance(UInt256(9_000)), at: now)
        try ledger.close()
        let found = try await place.done("status", "--json").json["paused_wallets"]?.elements ?? []
        #expect(found.count == 2)
        let sellers = try #require(found.last)
        #expect(sellers["wallet"]?.string == "main" && sellers["account"]?.string == terms.payer)
        #expect(sellers["network"]?.string == "eip155:42161" && sellers["asset"]?.string == terms.assetName)
        #expect(sellers["symbol"]?.string == "USDT" && sellers["since"]?.string == now.description)
        #expect(sellers["cause"]?.string == "sellers" && sellers["balance"] == nil)
        #expect(sellers["hosts"]?.elements?.compactMap(\.string) == ["one.example", "two.example"])
        #expect(sellers["next_probe"]?.string == now.adding(seconds: 60).description)
        #expect(sellers["ends"]?.string?.contains("accepts") == true)
        #expect(found.first?["cause"]?.string == "chain" && found.first?["balance"]?.string == "0.009")
        let text = await place.done("status").output
        #expect(
            text.contains(
                "PAUSED           payments of 0.01 USDT and more of wallet main (\(terms.payer)) on eip155:42161 since")
        )
        #expect(
            text.contains(
                "one.example and two.example say that it has too little; each agent may try one a minute from"))
        #expect(text.contains("payments above 0.009 USDT of wallet main"))
        #expect(text.contains("a chain reading that shows enough, ends it"))
    }

    @Test("status and config show tell gateways' trust, chains and where caps are not proven, and no key of a URL")
    func trust() async throws {
        let place = try StateForTests(
            configuration: """
                gateways:
                  lab: { url: "http://127.0.0.1:1", unproven: release-at-expiry, max-validity: 30s, stop-after-rejections: 0 }
                  paid: { url: "https://paid.example", billing: prepaid, credential: { file: k } }
                chains:
                  "eip155:42161": { rpc: ["https://one.example/sekrit-key", "https://two.example?k=sekrit"], finality: 64 }
                """)
        for command in ["status", "config"] {
            let words = command == "config" ? ["config", "show"] : ["status"]
            let json = await CommandRun.run(words + ["--json", "--state", place.folder.path])
            #expect(json.status == .done)
            let lab = try json.json["gateways"]?.elements?.first
            #expect(lab?["unproven"]?.string == "release-at-expiry")
            #expect(lab?["max_validity"]?.integer == 30)
            #expect(lab?["stop_after_rejections"]?.integer == 0)
            #expect(try json.json["gateways"]?.elements?.last?["billing"]?.string == "prepaid")
            let chain = try json.json["chains"]?.elements?.first
            #expect(chain?["rpc"]?.elements?.compactMap(\.string) == ["one.example", "two.example"])
            #expect(chain?["finality"]?.string == "64")
            #expect(chain?["agree"]?.string == "all" && chain?["endpoints_needed"]?.integer == 2)
            #expect(chain?["survives_lying"]?.integer == 1 && chain?["survives_down"]?.integer == 0)
            let text = await CommandRun.run(words + ["--state", place.folder.path])
            #expect(text.output.contains("release-at-expiry"))
            #expect(text.output.contains("all 2: survives 1 lying, none down"))
            #expect(!(json.output + text.output + text.errors).contains("sekrit"))
        }
        #expect(try await place.done("status", "--json").json["caps_not_proven_for"]?.elements?.first?.string == "lab")
        let told = await place.done("status").errors
        #expect(told.contains("caps are not proven for lab"))
        #expect(await place.done("config", "check").errors.contains("gateways.lab.unproven: caps are not proven"))
    }

    @Test("config show tells the digest of a signer's document, and the one it has to have")
    func signerDocument() async throws {
        let place = try StateForTests(
            configuration: """
                gateways:
                  lab: { url: "https://lab.example", signers: [{ did: "did:web:keys.example", document: keys.json }, "did:web:a.example"] }
                """)
        let document = """
            {"id":"did:web:keys.example","assertionMethod":[{"id":"#1","controller":"did:web:keys.example",\
            "publicKeyMultibase":"zQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4m"}]}
            """
        func shown() async throws -> JSONValue? {
            try await place.done("config", "show", "--json").json["gateways"]?.elements?.first
        }
        #expect(try await shown()?["signer_documents"]?.elements?.first?["sha256"]?.isNull ?? true)
        try place.folder.write(document.utf8, to: "keys.json")
        let digest = try await shown()?["signer_documents"]?.elements?.first?["sha256"]?.string
        #expect(digest?.count == 64)
        let unchecked = try await shown()?["signers_not_verifiable"]?.elements
        #expect(unchecked?.compactMap(\.string) == ["did:web:a.example"])
    }

    @Test("status shows how the daemon's last reading of a chain went")
    func chainStanding() async throws {
        let place = try StateForTests(
            configuration: "chains:\n  \"eip155:42161\": { rpc: [\"https://one.example\", \"https://two.example\"] }\n")
        let before = try await place.done("status", "--json").json["chains"]?.elements?.first
        #expect(before?["read_at"] == nil && before?["agree"]?.string == "all")
        // Also where there is no gateway.
        #expect(await place.done("status").output.contains("all 2: survives 1 lying, none down"))
        try place.folder.write(
            """
            {"process":\(getpid()),"chains":[
            {"network":"eip155:42161","read_at":"2026-11-30T21:00:00.000Z","problem":"one against two",
            "disagreement":true,"left_out":[],"block":"77","block_time":"2026-11-30T20:41:07.000Z",
            "agreed_at":"2026-11-30T20:59:30.000Z"},{"network":"eip155:1","read_at":"2026-11-30T21:00:00.000Z"}]}
            """.utf8, to: "chains.json")
        // Of a daemon that is gone nothing is shown.
        func readAt() async throws -> JSONValue? {
            try await place.done("status", "--json").json["chains"]?.elements?.first?["read_at"]
        }
        #expect(try await readAt() == nil)
        #expect(await !place.done("status").output.contains("one against two"))
        let lock = try StateLock(path: place.state.lockFile)
        let after = try await place.done("status", "--json").json["chains"]?.elements?.first
        #expect(after?["problem"]?.string == "one against two" && after?["disagreement"]?.bool == true)
        #expect(after?["final_block"]?.string == "77")
        let text = await place.done("status").output
        #expect(
            text.contains(
                "eip155:42161: nothing is proven since 2026-11-30T20:59:30.000Z: one against two Last final block 77"))
        // Nor of a chain that is not configured, or by another process.
        #expect(!text.contains("eip155:1:"))
        try place.folder.write(
            #"{"process":1,"chains":[{"network":"eip155:42161","read_at":"x"}]}"#.utf8, to: "chains.json")
        #expect(try await readAt() == nil)
        withExtendedLifetime(lock) {}
    }

    @Test("status shows what it can beside a wrong configuration")
    func statusWithoutConfiguration() async throws {
        let place = try StateForTests(configuration: "listen: nowhere\n")
        let run = await place.run("status", "--json")
        #expect(run.status == .configuration)
        #expect(try run.json["open"]?["count"]?.integer == 0)
    }

    @Test("a second daemon is refused")
    func secondDaemon() async throws {
        let place = try StateForTests()
        let lock = try StateLock(path: place.state.lockFile)
        let run = await place.run("serve")
        #expect(run.status == .running)
        #expect(run.errors.contains("another daemon (process \(getpid()))"))
        withExtendedLifetime(lock) {}
    }

    @Test(
        "a missing state directory is told, not made",
        arguments: [
            ["agent", "list"], ["status"], ["payment", "list"], ["serve"], ["config", "check"], ["wallet", "list"],
            ["cap", "list"], ["freeze", "--all"], ["ledger", "verify"], ["ledger", "events"], ["config", "show"],
        ])
    func missingState(_ command: [String]) async throws {
        let folder = try TemporaryFolder()
        let run = await CommandRun.run(command + ["--state", folder.path("none")])
        #expect(run.status == .missing)
        #expect(run.errors.contains("purser init --state"))
        #expect(try folder.entries().isEmpty)
    }

    @Test("a state directory that others can write to is refused")
    func openState() async throws {
        let place = try StateForTests()
        #expect(unsafe chmod(place.folder.path, 0o777) == 0)
        let run = await place.run("agent", "list")
        #expect(run.status == .failed)
        #expect(run.errors.contains("chmod go-w"))
    }

    @Test("a state directory that cannot be written to is told, with what to do")
    func readOnly() async throws {
        let place = try StateForTests()
        await place.done("agent", "add", "scout")
        #expect(unsafe chmod(place.folder.path, 0o555) == 0)
        for command in [["payment", "list"], ["ledger", "verify"], ["ledger", "report"]] {
            let arguments = command + ["--state", place.folder.path]
            await #expect(processExitsWith: .success) { [arguments = arguments as [String]] in
                // Nothing is read-only to root.
                #expect(geteuid() != 0 || setuid(65_534) == 0)
                let run = await CommandRun.run(arguments)
                #expect(run.status == .failed)
                #expect(run.errors.contains("copy the folder"), "\(run.errors)")
            }
        }
        #expect(unsafe chmod(place.folder.path, 0o755) == 0)
    }

    @Test("a demonstration leaves a foreign state directory alone")
    func foreignDemonstration() async throws {
        let place = try StateForTests()
        let run = await place.run("demo")
        #expect(run.status == .failed)
        #expect(run.errors.contains("was not made by `purser demo`"))
    }

    @Test("help is output, and every exit code stands in it")
    func help() async {
        let run = await CommandRun.run(["--help"])
        #expect(run.status == .done)
        #expect(run.errors.isEmpty)
        for status in CommandStatus.allCases { #expect(run.output.contains("\n  \(status.rawValue) ")) }
        for command in [
            "init", "serve", "demo", "simulate", "status", "wallet", "agent", "cap", "payment", "config", "freeze",
            "unfreeze", "ledger",
        ] {
            #expect(await CommandRun.run([command, "--help"]).status == .done)
        }
        #expect(await CommandRun.run(["nonsense"]).status == .usage)
    }
}
