import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct AgentCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
    }

    @Test("adding an agent prints its token once and stores only the hash")
    func add() async throws {
        let run = await place.done(
            "agent", "add", "scout", "--cap", "request=0.10", "--cap", "day=5", "--cap", "lifetime=100", "--json")
        let members = try #require(try run.json.members)
        #expect(members.map(\.key) == ["agent", "token"])
        #expect(members[0].value.string == "scout")
        let token = try #require(members[1].value.string)
        #expect(token.hasPrefix("psr_"))
        #expect(run.errors.isEmpty)

        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        let rulebook = try await ledger.rulebook()
        #expect(Array(rulebook.agents.keys) == ["scout"])
        let limits = ["request=0.10", "day=5", "lifetime=100"].compactMap { CapLimit($0) }
        #expect(rulebook.allCaps == limits.map { Cap(agent: "scout", $0) })
        try ledger.close()
        for command in [["agent", "list"], ["agent", "show", "scout"], ["status"]] {
            let shown = await CommandRun.run(command + ["--json", "--state", place.folder.path])
            #expect(shown.status == .done)
            #expect(!shown.output.contains(token))
        }
    }

    @Test("listing shows each agent with its caps")
    func list() async throws {
        #expect(await place.done("agent", "list", "--json").output == "[]\n")
        #expect(await place.done("agent", "list").output == "no agents\n")
        await place.done("agent", "add", "scout", "--cap", "day=5", "--wallet", "main")
        await place.done("agent", "add", "clerk")
        let agents = try #require(try await place.done("agent", "list", "--json").json.elements)
        #expect(agents.compactMap { $0["agent"]?.string } == ["clerk", "scout"])
        #expect(agents[0]["wallet"] == nil)
        #expect(agents[0]["caps"]?.elements?.isEmpty == true)
        #expect(agents[1]["wallet"]?.string == "main")
        let cap = try #require(agents[1]["caps"]?.elements?.first)
        #expect(cap["window"]?.string == "day")
        #expect(cap["limit_usd"]?.string == "5.00")
        #expect(cap["used_usd"]?.string == "0.00")
        #expect(cap["left_usd"]?.string == "5.00")
        #expect(cap["resets_at"]?.string?.hasSuffix("T00:00:00Z") == true)

        let lines = await place.done("agent", "list").output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[2].contains("$0.00 of $5.00"))
    }

    @Test("a new token replaces the old one while the books are open elsewhere")
    func token() async throws {
        let first = try await place.done("agent", "add", "scout", "--json").json["token"]?.string
        let daemon = try SQLiteLedger(path: place.state.ledgerFile)
        let before = try await daemon.registry()
        let second = try await place.done("agent", "token", "scout", "--json").json["token"]?.string
        #expect(first != second)
        #expect(daemon.currentGeneration != before.generation)
        let after = try await daemon.registry()
        #expect(after.generation == daemon.currentGeneration)
        try daemon.close()
    }

    @Test("removing an agent leaves none of it")
    func remove() async throws {
        await place.done("agent", "add", "scout")
        let removed = try await place.done("agent", "remove", "scout", "--json").json
        #expect(removed["removed"]?.bool == true)
        #expect(await place.done("agent", "list", "--json").output == "[]\n")
    }

    @Test("an agent is put into a team, and the team's caps count it")
    func team() async throws {
        await place.done("agent", "add", "scout", "--team", "crew", "--cap", "day=5")
        await place.done("cap", "set", "team:crew", "day=7")
        let shown = try await place.done("agent", "show", "scout", "--json").json
        #expect(shown["team"]?.string == "crew")
        #expect(shown["caps"]?.elements?.compactMap { $0["holder"]?.string } == ["agent:scout", "team:crew"])
        let lines = await place.done("agent", "list").output.split(separator: "\n")
        #expect(lines.last?.contains("crew") == true)
        #expect(lines.last?.contains("$7.00") == false)
        let moved = try await place.done("agent", "team", "scout", "--none", "--json").json
        #expect(moved["agent"]?.string == "scout" && moved["team"] == nil)
        let alone = try await place.done("agent", "show", "scout", "--json").json
        #expect(alone["caps"]?.elements?.count == 1)
        await place.done("agent", "team", "scout", "crew")
        #expect(try await place.done("agent", "show", "scout", "--json").json["team"]?.string == "crew")
    }

    @Test("whoever changes something stands in the journal")
    func actor() async throws {
        await place.done("agent", "add", "scout", "--cap", "day=5")
        await place.done("agent", "token", "scout")
        await place.done("agent", "team", "scout", "crew")
        await place.done("cap", "set", "house", "month=100")
        await place.done("agent", "freeze", "scout", "--reason", "odd calls")
        await place.done("agent", "unfreeze", "scout")
        await place.done("cap", "remove", "house", "month")
        await place.done("agent", "remove", "scout")
        let events = try #require(try await place.done("ledger", "events", "--json").json.elements)
        #expect(
            events.compactMap { $0["cause"]?.string } == [
                "added", "set", "token", "team", "set", "frozen", "unfrozen", "removed", "removed", "removed",
            ])
        #expect(events.allSatisfy { $0["by"]?.string == Operator.name })
        #expect(events[5]["detail"]?.string == "odd calls")
    }

    @Test(
        "what cannot be done is told with its own status",
        arguments: [
            FailingCommand(["agent", "add", "taken"], .exists, "an agent named \"taken\" exists already"),
            FailingCommand(["agent", "show", "ghost"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["agent", "token", "ghost"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["agent", "remove", "ghost"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["cap", "set", "ghost", "day=1"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["cap", "list", "ghost"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(
                ["agent", "add", "a", "--wallet", "other"], .missing, "the configuration has no wallet `other`"),
            FailingCommand(["agent", "add", "Upper"], .usage, "`Upper` cannot name an agent"),
            FailingCommand(["agent", "add", "../a"], .usage, "`../a` cannot name an agent"),
            FailingCommand(["agent", "add", "a", "--cap", "year=1"], .usage, "`year=1` is not WINDOW=DOLLARS"),
            FailingCommand(["agent", "add", "a", "--cap", "day=5units"], .usage, "a cap in units needs a scope"),
            FailingCommand(["agent", "add", "a", "--team", "A Team"], .usage, "`A Team` cannot name a team"),
            FailingCommand(["agent", "team", "taken"], .usage, "Name a team, or say --none."),
            FailingCommand(["agent", "team", "taken", "crew", "--none"], .usage, "Name a team, or say --none."),
            FailingCommand(["agent", "team", "ghost", "crew"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["agent", "freeze", "ghost"], .missing, "there is no agent named \"ghost\""),
            FailingCommand(["agent", "unfreeze", "taken"], .missing, "agent:taken is not frozen"),
            FailingCommand(["agent", "add", "a", "--cap", "day=-1"], .usage, "`day=-1` is not WINDOW=DOLLARS"),
            FailingCommand(
                ["agent", "add", "a", "--cap", "day=1", "--cap", "day=2"], .usage,
                "A window can have one cap of each measure only."),
            FailingCommand(["cap", "set", "taken", "day=1e3"], .usage, "`day=1e3` is not WINDOW=DOLLARS"),
            FailingCommand(["cap", "remove", "taken", "year"], .usage, "`year` is not one of request, hour, day"),
            FailingCommand(["cap", "remove", "taken", "week"], .missing, "agent:taken has no cap for the window week"),
            FailingCommand(["cap", "set", "taken"], .usage, "Missing expected argument"),
        ])
    func failures(_ command: FailingCommand) async throws {
        await place.done("agent", "add", "taken")
        let run = await CommandRun.run(command.arguments + ["--state", place.folder.path])
        #expect(run.status == command.status)
        #expect(run.errors.hasPrefix("purser: "))
        #expect(run.errors.contains(command.words), "\(run.errors)")
        #expect(run.output.isEmpty)
    }
}
