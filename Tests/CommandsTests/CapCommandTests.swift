import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct CapCommandTests {
    let place: StateForTests
    private static let token = "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"

    init() throws {
        place = try StateForTests()
    }

    private func keys(_ run: CommandRun) throws -> [String] {
        try run.json.elements?.map { cap in
            ["holder", "facet", "window", "measure"].compactMap { cap[$0]?.string }.joined(separator: " ")
        } ?? []
    }

    @Test("caps can be set, listed and removed")
    func caps() async throws {
        await place.done("agent", "add", "scout", "--cap", "day=5")
        await place.done("cap", "set", "scout", "day=7.5", "request=0.25")
        let caps = try #require(try await place.done("cap", "list", "--json").json.elements)
        #expect(caps.compactMap { $0["holder"]?.string } == ["agent:scout", "agent:scout"])
        #expect(caps.compactMap { $0["window"]?.string } == ["request", "day"])
        #expect(caps.compactMap { $0["limit_usd"]?.string } == ["0.25", "7.50"])
        await place.done("cap", "remove", "scout", "day")
        #expect(await place.run("cap", "remove", "scout", "day").status == .missing)
        await place.done("cap", "remove", "scout", "request")
        #expect(await place.done("cap", "list", "scout").output == "no caps: nothing is paid\n")
    }

    @Test("the caps of an agent are its own, its team's and the house's, narrowest first")
    func tree() async throws {
        await place.done("agent", "add", "scout", "--team", "crew", "--cap", "day=5")
        await place.done("cap", "set", "house", "month=500", "hour=100payments")
        await place.done("cap", "set", "team:crew", "week=50", "15m=1")
        await place.done("cap", "set", "agent:scout", "day=1", "--gateway", "lab")
        let own = [
            "agent:scout gateway:lab day dollars", "agent:scout day dollars", "team:crew 15m dollars",
            "team:crew week dollars", "house hour payments", "house month dollars",
        ]
        #expect(try keys(await place.done("cap", "list", "scout", "--json")) == own)
        #expect(try keys(await place.done("cap", "list", "--json")) == own)
        #expect(try keys(await place.done("cap", "list", "team:crew", "--json")) == Array(own[2...3]))
        #expect(try keys(await place.done("cap", "list", "house", "--json")) == Array(own[4...]))
        let hour = try await place.done("cap", "list", "house", "--json").json.elements?.first
        #expect(hour?["limit"]?.string == "100" && hour?["used"]?.string == "0" && hour?["limit_usd"] == nil)
    }

    @Test("use, rest and the time of the reset are told for each cap")
    func use() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(team: "crew", caps: [CapLimit(.lifetime, .cents(500))]))
        try await ledger.setCap(
            Cap(CapScope(.team("crew")), CapLimit(.lifetime, .payments, UInt256(3))), by: "tester", at: .vectors)
        try await ledger.reserve(.sample(1, team: "crew", value: .cents(30)), at: .vectors)
        try ledger.close()
        let caps = try #require(try await place.done("cap", "list", "scout", "--json").json.elements)
        #expect(caps[0]["used_usd"]?.string == "0.30" && caps[0]["left_usd"]?.string == "4.70")
        #expect(caps[1]["used"]?.string == "1" && caps[1]["left"]?.string == "2")
        let lines = await place.done("cap", "list").output.split(separator: "\n").map(String.init)
        #expect(lines[1] == "agent:scout  lifetime       $5.00      $0.30       $4.70  -")
        #expect(lines[2] == "team:crew    lifetime  3 payments  1 payment  2 payments  -")
    }

    @Test(
        "a limit in a token becomes its atomic units, rounded down",
        arguments: [
            ("day=2.5USDT", "2500000"), ("day=2.5USD₮0", "2500000"), ("day=0.0000019USDT", "1"),
            ("day=1000000units", "1000000"), ("day=00.50USDT", "500000"),
        ])
    func tokens(_ limit: String, _ units: String) async throws {
        let run = await place.done("cap", "set", "house", limit, "--asset", "eip155:42161/USDT", "--json")
        let cap = try run.json.elements?.first
        #expect(cap?["facet"]?.string == "asset:" + Self.token)
        #expect(cap?["measure"]?.string == "units")
        #expect(cap?["limit"]?.string == units)
        let text = await place.done("cap", "list").output
        #expect(text.contains("house asset:eip155:42161/USDT"))
    }

    @Test("facets are checked, and spelled as the books spell them")
    func facets() async throws {
        let payee = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
        let options: [([String], String)] = [
            (["--gateway", "lab"], "gateway:lab"), (["--host", "API.Example"], "host:api.example"),
            (["--payee", payee], "payee:\(payee)"), (["--payee", payee.lowercased()], "payee:\(payee)"),
            (["--network", "eip155:8453"], "network:eip155:8453"),
            (["--asset", Self.token.lowercased()], "asset:" + Self.token),
        ]
        for (option, facet) in options {
            let arguments = ["cap", "set", "house", "day=1", "--json", "--state", place.folder.path] + option
            #expect(try await CommandRun.run(arguments).json.elements?.first?["facet"]?.string == facet)
        }
    }

    @Test("of two caps in one window the one that is meant has to be named")
    func measures() async throws {
        await place.done("cap", "set", "house", "day=5", "day=100payments")
        let unclear = await place.run("cap", "remove", "house", "day")
        #expect(unclear.status == .usage)
        #expect(unclear.errors.contains("say which with --measure"))
        await place.done("cap", "remove", "house", "day", "--measure", "payments")
        #expect(try keys(await place.done("cap", "list", "--json")) == ["house day dollars"])
        await place.done("cap", "remove", "house", "day")
    }

    @Test("a removal that names a cap which is not there removes none")
    func wholeRemoval() async throws {
        await place.done("cap", "set", "house", "day=5")
        #expect(await place.run("cap", "remove", "house", "day", "week").status == .missing)
        #expect(try keys(await place.done("cap", "list", "--json")) == ["house day dollars"])
    }

    @Test("a gateway that is not configured is told")
    func unknownGateway() async throws {
        let run = await place.done("cap", "set", "house", "day=5", "--gateway", "lap")
        #expect(run.errors.contains("the configuration has no gateway `lap`; there are lab"))
    }

    @Test("a team without agents is told")
    func emptyTeam() async throws {
        #expect(await place.done("cap", "set", "team:crew", "day=5").errors.contains("no agent is in team crew"))
        await place.done("agent", "add", "scout", "--team", "crew")
        #expect(await place.done("cap", "set", "team:crew", "day=5").errors.isEmpty)
    }

    @Test(
        "what cannot be a cap is told with what is expected",
        arguments: [
            FailingCommand(["cap", "set", "Team:x", "day=1"], .usage, "`Team:x` is not an agent's name, agent:NAME"),
            FailingCommand(["cap", "set", "house", "day=5units"], .usage, "needs a scope that names the token"),
            FailingCommand(["cap", "set", "house", "day=2.5USDT"], .usage, "`day=2.5USDT` is not WINDOW=DOLLARS"),
            FailingCommand(
                ["cap", "set", "house", "day=2.5USDC", "--asset", "eip155:42161/USDT"], .usage,
                "with --asset in the token, such as day=2.5USDT"),
            FailingCommand(["cap", "set", "house", "request=1payments"], .usage, "is not WINDOW=DOLLARS"),
            FailingCommand(
                ["cap", "set", "house", "day=1", "--asset", "USDT"], .usage, "`USDT` is not network/symbol"),
            FailingCommand(
                ["cap", "set", "house", "day=1", "--asset", "eip155:42161/DOGE"], .usage, "neither in the pinned table"),
            FailingCommand(["cap", "set", "house", "day=1", "--network", "arbitrum"], .usage, "not a CAIP-2 network"),
            FailingCommand(["cap", "set", "house", "day=1", "--host", "a:1"], .usage, "not a host without a port"),
            FailingCommand(["cap", "set", "house", "day=1", "--gateway", "A/b"], .usage, "cannot name a gateway"),
            FailingCommand(["cap", "set", "house", "day=1", "--payee", "0x1"], .usage, "not 0x and 40 hex digits"),
            FailingCommand(
                ["cap", "set", "house", "day=1", "--payee", "0x209693bC6afc0C5328bA36FaF03C514EF312287C"], .usage,
                "wrong checksum"),
            FailingCommand(
                ["cap", "set", "house", "day=1", "--host", "a", "--gateway", "b"], .usage, "Use one of --gateway"),
            FailingCommand(["cap", "remove", "house", "day", "--measure", "euros"], .usage, "`euros` is not one of"),
        ])
    func failures(_ command: FailingCommand) async throws {
        let run = await CommandRun.run(command.arguments + ["--state", place.folder.path])
        #expect(run.status == command.status)
        #expect(run.errors.contains(command.words), "\(run.errors)")
        #expect(await place.done("cap", "list", "--json").output == "[]\n")
    }
}
