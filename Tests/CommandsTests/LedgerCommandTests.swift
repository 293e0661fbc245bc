import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct LedgerCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
    }

    /// One payment of today's, settled, one of yesterday's that is open, and a refusal.
    private func fill() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        try await ledger.reserve(.sample(1, value: .cents(30), validFor: 900_000), at: .vectors)
        let next = Timestamp.vectors.adding(seconds: 90_000)
        try await ledger.reserve(.sample(2, gateway: "other", value: .cents(5)), at: next)
        let evidence = PaymentEvidence(status: 200, transaction: "=HYPERLINK(1)")
        _ = try await ledger.book(.settled, of: PaymentIntent.sample(2).id, evidence: evidence, at: next)
        try await ledger.reserve(.sample(3, value: .cents(1000)), at: next)
        try ledger.close()
    }

    @Test(
        "every format is written out",
        arguments: [
            ("csv", 4, "id,agent,team,gateway"), ("jsonl", 3, "{\"id\":\"pay_"), ("beancount", 20, "option \"title\""),
            ("hledger", 20, "; Purser ledger"), ("entries", 6, "{\"number\":1,"),
        ])
    func formats(_ format: String, _ lines: Int, _ opening: String) async throws {
        try await fill()
        let run = await place.done("ledger", "export", "--format", format)
        #expect(run.output.hasPrefix(opening), "\(run.output.prefix(80))")
        let count = run.output.split { $0.isNewline }.count
        #expect(lines == 20 ? count > 10 : count == lines, "\(count)")
        #expect(!run.output.contains(",=HYPERLINK"))
    }

    @Test("an export belongs to the days it is asked for")
    func period() async throws {
        try await fill()
        func ids(_ options: String...) async -> Int {
            let arguments = ["ledger", "export", "--format", "jsonl", "--state", place.folder.path] + options
            return await CommandRun.run(arguments).output.split(separator: "\n").count
        }
        #expect(await ids("--from", "2026-11-23") == 2)
        #expect(await ids("--to", "2026-11-23") == 1)
        #expect(await ids("--from", "2026-11-24") == 0)
        for wrong in [
            ["--from", "yesterday"], ["--from", "2026-11-23", "--to", "2026-11-23"], ["--to", "2026-11-31"],
        ] {
            let run = await CommandRun.run(
                ["ledger", "export", "--format", "csv", "--state", place.folder.path] + wrong)
            #expect(run.status == .usage)
        }
    }

    @Test("an export to a file is private, whole, and replaces nothing unasked")
    func file() async throws {
        try await fill()
        let file = place.folder.path("out.csv")
        let json = try await place.done("ledger", "export", "--format", "csv", "--output", file, "--json").json
        #expect(json["file"]?.string == file)
        #expect(try place.folder.mode(of: "out.csv") == 0o600)
        let written = bytes(of: file)
        #expect(written == Array(await place.done("ledger", "export", "--format", "csv").output.utf8))
        let again = await place.run("ledger", "export", "--format", "jsonl", "-o", file)
        #expect(again.status == .exists)
        #expect(again.errors.contains("replace it with --force"))
        #expect(bytes(of: file) == written)
        await place.done("ledger", "export", "--format", "jsonl", "-o", file, "--force")
        #expect(bytes(of: file).first == UInt8(ascii: "{"))
        let nowhere = await place.run("ledger", "export", "--format", "csv", "-o", place.folder.path("none/out.csv"))
        #expect(nowhere.status == .failed)
        #expect(try !place.folder.entries().contains { $0.hasPrefix("out.csv.") })
        #expect(await place.run("ledger", "export", "--format", "xml").status == .usage)
        #expect(await place.run("ledger", "export", "--format", "csv", "--json").status == .usage)
    }

    @Test("a report adds up by what is asked for")
    func report() async throws {
        try await fill()
        let report = try await place.done("ledger", "report", "--by", "gateway", "--json").json
        let rows = try #require(report["rows"]?.elements)
        #expect(rows.compactMap { $0["key"]?.string } == ["lab", "other"])
        #expect(rows.compactMap { $0["refused"]?.integer } == [1, 0])
        #expect(rows[0]["tokens"]?.elements?.first?["exposed"]?.string == "300000")
        #expect(rows[1]["tokens"]?.elements?.first?["settled_usd"]?.string == "0.05")
        #expect(report["total"]?["payments"]?.integer == 2)
        #expect(report["total"]?["spent_usd"]?.string == "0.05")
        for dimension in ["agent", "payee", "model", "day"] {
            #expect(await place.done("ledger", "report", "--by", dimension).output.contains("total"))
        }
        let later = try await place.done("ledger", "report", "--from", "2026-11-23", "--json").json
        #expect(later["total"]?["payments"]?.integer == 1)
        let text = await place.done("ledger", "report").output
        #expect(text.contains("scout"))
        #expect(text.contains("$0.05"))
        #expect(await place.run("ledger", "report", "--by", "mood").status == .usage)
    }

    @Test("money of a wallet that is no payment is booked in whole units of its token")
    func adjust() async throws {
        await place.done("init", "--light")
        let booked = try await place.done(
            "ledger", "adjust", "opening", "12.5", "--wallet", "main", "--asset", "eip155:42161/USDT", "--json"
        ).json
        #expect(booked["amount"]?.string == "12500000")
        await place.done(
            "ledger", "adjust", "write-off", "0.5USDT", "--wallet", "main", "--asset", "eip155:42161/USDT", "--note",
            "gas")
        let events = try #require(try await place.done("ledger", "events", "--json").json.elements)
        #expect(events.compactMap { $0["cause"]?.string } == ["opening", "write-off"])
        #expect(events.last?["detail"]?.string == "gas")
        let export = await place.done("ledger", "export", "--format", "hledger").output
        #expect(export.contains("12.500000"))
        await place.done("ledger", "verify")
    }

    @Test(
        "an adjustment that cannot be is told",
        arguments: [
            FailingCommand(["opening", "0", "--wallet", "main"], .usage, "`0` is not an amount above zero"),
            FailingCommand(["opening", "0.0000001", "--wallet", "main"], .usage, "at most 6 decimals"),
            FailingCommand(["opening", "1USDC", "--wallet", "main"], .usage, "`1USDC` is not an amount"),
            FailingCommand(["opening", "-1", "--wallet", "main"], .usage, "Missing expected argument"),
            FailingCommand(["gift", "1", "--wallet", "main"], .usage, "`gift` is not one of opening, top-up"),
            FailingCommand(["top-up", "1", "--wallet", "other"], .missing, "there is no wallet `other`"),
        ])
    func wrongAdjustment(_ command: FailingCommand) async throws {
        let run = await CommandRun.run(
            ["ledger", "adjust"] + command.arguments
                + ["--asset", "eip155:42161/USDT", "--state", place.folder.path])
        #expect(run.status == command.status)
        #expect(run.errors.contains(command.words), "\(run.errors)")
    }

    @Test("erasing has to be said twice, leaves sums and hashes, and takes the texts of closed payments")
    func erase() async throws {
        try await fill()
        let asked = await place.run("ledger", "erase", "--before", "2026-12-01")
        #expect(asked.status == .usage)
        #expect(asked.errors.contains("repeat the command with --yes"))
        let erased = try await place.done("ledger", "erase", "--before", "2026-12-01", "--yes", "--json").json
        #expect(erased["erased"]?.integer == 2)
        let shown = await place.done("payment", "show", PaymentIntent.sample(2).id.description)
        #expect(shown.output.contains("request      erased"))
        #expect(!shown.output.contains("/v1/chat"))
        let open = await place.done("payment", "show", PaymentIntent.sample(1).id.description)
        #expect(open.output.contains("/v1/chat"))
        await place.done("ledger", "verify")
        #expect(await place.run("ledger", "erase", "--before", "soon", "--yes").status == .usage)
    }

    @Test("events are what operators did and should hear of, newest last")
    func events() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(10))]))
        try await ledger.reserve(.sample(1, value: .cents(9)), at: .vectors)
        _ = try await ledger.notice("balance-low", about: "gateway:lab", detail: "402", at: .vectors)
        let next = Timestamp.vectors.adding(seconds: 90_000)
        _ = try await ledger.freeze(Freeze(scope: .everything, since: next, actor: "tester", reason: "\u{1b}[2J"))
        try ledger.close()
        let events = try #require(try await place.done("ledger", "events", "--json").json.elements)
        let causes = ["added", "set", "cap-80-percent", "balance-low", "frozen"]
        #expect(events.compactMap { $0["cause"]?.string } == causes)
        func since(_ options: String...) async throws -> [String] {
            let run = await CommandRun.run(["ledger", "events", "--json", "--state", place.folder.path] + options)
            return try run.json.elements?.compactMap { $0["cause"]?.string } ?? []
        }
        #expect(try await since("--since", "2026-11-23") == ["frozen"])
        #expect(try await since("--limit", "2") == ["balance-low", "frozen"])
        let text = await place.done("ledger", "events").output
        #expect(text.contains("?[2J"))
        #expect(!text.contains("\u{1b}"))
    }

    @Test("empty books are empty in every way")
    func empty() async throws {
        #expect(await place.done("ledger", "events").output == "no events\n")
        #expect(await place.done("ledger", "report").output == "no payments\n")
        #expect(await place.done("ledger", "export", "--format", "jsonl").output.isEmpty)
        #expect(await place.done("ledger", "verify").output.contains("entries      none"))
    }
}
