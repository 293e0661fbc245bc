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

struct FreezeCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
    }

    /// Two agents with open payments that live for an hour, one whose window has passed, and a settled one.
    private func fill() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        for (number, name) in [(1, "scout"), (2, "clerk")] as [(UInt64, String)] {
            try await ledger.add(.sample(name, number: number, caps: [CapLimit(.lifetime, .cents(500))]))
        }
        let hour = SystemClock().now().seconds - Timestamp.vectors.seconds + 3600
        let intents: [PaymentIntent] = [
            .sample(1, validFor: hour), .sample(2, agent: "clerk", gateway: "other", validFor: hour + 1),
            .sample(3, validFor: hour - 7200), .sample(4, validFor: hour),
        ]
        for intent in intents { try await ledger.reserve(intent, at: .vectors) }
        for intent in intents[1...2] {
            _ = try await ledger.book(.lostSight, of: intent.id, evidence: PaymentEvidence(), at: .vectors)
        }
        _ = try await ledger.book(.settled, of: intents[3].id, evidence: PaymentEvidence(), at: .vectors)
        try ledger.close()
    }

    private func live(_ run: CommandRun) throws -> [String] {
        try run.json["live"]?.elements?.compactMap { $0["id"]?.string } ?? []
    }

    @Test("a freeze tells which authorizations are still live, those that live longest last")
    func live() async throws {
        try await fill()
        let (first, second) = (PaymentIntent.sample(1).id.description, PaymentIntent.sample(2).id.description)
        let all = await place.done("freeze", "--all", "--reason", "incident", "--json")
        #expect(try live(all) == [first, second])
        #expect(try all.json["frozen"]?.string == "everything")
        #expect(try all.json["changed"]?.bool == true)
        #expect(try all.json["by"]?.string == Operator.name)
        #expect(try live(await place.done("freeze", "--agent", "clerk", "--json")) == [second])
        #expect(try live(await place.done("freeze", "--gateway", "lab", "--json")) == [first])

        let wallet = await place.done("freeze", "--wallet", "main", "--json")
        #expect(try live(wallet) == [first, second] && wallet.json["frozen"]?.string == "wallet:main")
        #expect(try live(await place.done("freeze", "--wallet", "spare", "--json")) == [])

        let text = await place.done("freeze", "--agent", "scout").output
        #expect(text.contains("agent:scout is frozen now."))
        for words in [first, "0.01 USDT", "scout", "lab", "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(!text.contains(second))
    }

    @Test("without a daemon a freeze says that no tunnel was open, and with one how many it ended")
    func tunnels() async throws {
        #expect(await place.done("freeze", "--all").output.contains("No daemon is running, so no tunnel was open."))
        #expect(try await place.done("freeze", "--all", "--json").json["tunnels_ended"] == nil)
        #expect(try await place.done("status", "--json").json["tunnels"] == nil)
        await #expect(processExitsWith: .success) {
            let place = try StateForTests(configuration: "listen: [127.0.0.1:0, unix:agents.sock]\n")
            let serving = Task { await place.run("serve") }
            for _ in 0..<1_000 {
                if try place.folder.entries().contains("tunnels.json") { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(
                await place.done("freeze", "--all").output.contains(
                    "Tunnels and switched connections ended under it: 0."))
            #expect(try await place.done("freeze", "--all", "--json").json["tunnels_ended"]?.integer == 0)
            let tunnels = try await place.done("status", "--json").json["tunnels"]
            #expect(tunnels?["open"]?.elements?.isEmpty == true)
            #expect(kill(getpid(), SIGTERM) == 0)
            #expect(await serving.value.status == .done)
        }
    }

    @Test("what was served without a receipt is live until its window has passed")
    func presumed() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample("scout", number: 1, caps: [CapLimit(.lifetime, .cents(500))]))
        let now = SystemClock().now()
        let intents = [60, -60].enumerated().map { index, window in
            PaymentIntent.sample(UInt64(index + 1), validFor: now.seconds - Timestamp.vectors.seconds + window)
        }
        for intent in intents { try await ledger.reserve(intent, at: now.adding(seconds: -600)) }
        for intent in intents {
            _ = try await ledger.book(.servedUnproven, of: intent.id, evidence: PaymentEvidence(), at: now)
        }
        try ledger.close()
        let run = await place.done("freeze", "--all", "--json")
        #expect(try live(run) == [intents[0].id.description])
    }

    @Test("frozen twice stays frozen since the first time")
    func twice() async throws {
        await place.done("agent", "add", "scout")
        let first = try await place.done("freeze", "--agent", "scout", "--reason", "one", "--json").json
        let second = try await place.done("freeze", "--agent", "scout", "--reason", "two", "--json").json
        #expect(second["changed"]?.bool == false)
        #expect(second["since"]?.string == first["since"]?.string)
        #expect(second["reason"]?.string == "one")
        #expect(await place.done("freeze", "--agent", "scout").output.contains("is frozen already, since"))
    }

    @Test("status and lists show what is frozen, and unfreeze what is left")
    func shown() async throws {
        await place.done("agent", "add", "scout")
        await place.done("freeze", "--agent", "scout", "--reason", "odd\u{1b}[31m")
        await place.done("freeze", "--all")
        let status = try await place.done("status", "--json").json
        #expect(
            Set(status["freezes"]?.elements?.compactMap { $0["frozen"]?.string } ?? []) == [
                "agent:scout", "everything",
            ])
        let text = await place.done("status").output
        #expect(text.contains("FROZEN           agent:scout since "))
        #expect(!text.contains("\u{1b}"))
        #expect(try await place.done("agent", "show", "scout", "--json").json["frozen"]?.bool == true)
        let lifted = try await place.done("unfreeze", "--all", "--json").json
        #expect(lifted["still_frozen"]?.elements?.compactMap(\.string) == ["agent:scout"])
        await place.done("unfreeze", "--agent", "scout")
        #expect(await place.run("unfreeze", "--agent", "scout").status == .missing)
    }

    @Test("a gateway that is not configured is frozen, and told")
    func unknownGateway() async throws {
        let run = await place.done("freeze", "--gateway", "lap")
        #expect(run.errors.contains("the configuration has no gateway `lap`; there are lab"))
        #expect(await place.done("freeze", "--gateway", "lab").errors.isEmpty)
    }

    @Test("exactly one thing is frozen at a time", arguments: [[], ["--all", "--agent", "a"]] as [[String]])
    func scopes(_ options: [String]) async throws {
        for command in ["freeze", "unfreeze"] {
            let run = await CommandRun.run([command, "--state", place.folder.path] + options)
            #expect(run.status == .usage)
            #expect(run.errors.contains("Say one of --all"))
        }
        #expect(await place.run("freeze", "--agent", "ghost").status == .missing)
    }
}
