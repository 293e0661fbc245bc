import Commands
import Daemon
import TestSupport
import Testing

@Suite("wallet approve")
struct ApprovalCommandTests {
    static let failures: [FailingCommand] = [
        FailingCommand(["--amount", "1", "--unlimited"], .usage, "Say either an --amount or --unlimited."),
        FailingCommand([], .usage, "Say either an --amount or --unlimited."),
        FailingCommand(["--amount", "1.5e3"], .usage, "`1.5e3` is no amount of USDT, which has 18 decimals"),
        FailingCommand(["--amount", "1", "--max-cost", "a lot"], .usage, "`a lot` is no amount of the chain's coin"),
        FailingCommand(
            ["--amount", "1", "--spender", "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"], .usage,
            "is neither Permit2 (0x000000000022D473030F116dDEE9F6B43aC78BA3) nor in"),
        FailingCommand(["--amount", "1"], .missing, "wallets/main.json"),
    ]

    @Test("reject- what is no order, before any chain is asked", arguments: failures)
    func rejected(_ command: FailingCommand) async throws {
        let place = try StateForTests()
        let arguments = ["wallet", "approve", "main", "--network", "eip155:56", "--asset", "USDT"] + command.arguments
        let run = await CommandRun.run(arguments + ["--state", place.folder.path])
        #expect(run.status == command.status && run.errors.contains(command.words), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("without an endpoint of the network nothing can be worked out")
    func noChain() async throws {
        let place = try StateForTests()
        let passphrase = try place.folder.write("correct horse\n".utf8, to: "p.pass")
        await place.done("wallet", "create", "main", "--light", "--passphrase-file", passphrase)
        for command in ["approve", "allowance"] {
            var arguments = ["wallet", command, "main", "--network", "bsc", "--asset", "USDT"]
            if command == "approve" { arguments += ["--unlimited"] }
            let run = await CommandRun.run(arguments + ["--state", place.folder.path])
            #expect(run.status == .usage && run.errors.contains("no `chains` entry for eip155:56"), "\(run.errors)")
        }
    }
}
