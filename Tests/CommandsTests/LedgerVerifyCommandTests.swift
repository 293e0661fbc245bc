import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct LedgerVerifyCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
    }

    /// Books with every kind of row that needs no key.
    private func fill(_ count: UInt64 = 12) async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(team: "crew", caps: [CapLimit(.lifetime, .cents(500))]))
        for number in 1...count { try await ledger.reserve(.sample(number, team: "crew"), at: .vectors) }
        for number in 1...(count / 2) {
            _ = try await ledger.book(
                .settled, of: PaymentIntent.sample(number).id,
                evidence: PaymentEvidence(status: 200, settlement: Array("{}".utf8), transaction: "0xfeed"),
                at: .vectors)
        }
        try await ledger.reserve(.sample(9999, value: .cents(1000)), at: .vectors)
        try ledger.close()
    }

    @Test("sound books are told with what was examined and where they end")
    func sound() async throws {
        try await fill()
        let run = await place.done("ledger", "verify", "--json")
        let json = try run.json
        #expect(json["sound"]?.bool == true)
        #expect(json["entries"]?.integer == 21)
        #expect(json["damage"]?.elements?.isEmpty == true)
        let checks = try #require(json["checks"]?.elements)
        #expect(checks.count >= 15)
        #expect(checks.allSatisfy { $0["holds"]?.bool == true })
        #expect(checks.first { $0["check"]?.string == "chain" }?["examined"]?.integer == 21)
        #expect(json["checkpoints"]?["uncovered_entries"]?.integer == 21)

        let text = await place.done("ledger", "verify").output
        #expect(text.hasSuffix("The ledger is sound.\n"))
        let hash = try #require(json["last_hash"]?.string)
        #expect(text.contains("anchor       21=\(hash)"))
        await place.done("ledger", "verify", "--anchor", "21=\(hash)")
    }

    @Test("books that were edited are not sound, and the row is named")
    func edited() async throws {
        try await fill()
        var file = bytes(of: place.state.ledgerFile)
        file.replace("http://127.0.0.1:8402/v1/chat", with: "http://127.0.0.1:8402/v1/chad")
        try place.folder.write(file, to: "ledger.sqlite")
        let run = await place.run("ledger", "verify")
        #expect(run.status == .unsound)
        #expect(run.errors.hasPrefix("purser: the ledger is not sound: payment pay_"))
        #expect(run.errors.contains("does not have the request or echo any more"))
        #expect(!run.output.contains("The ledger is sound."))
        let json = try await place.run("ledger", "verify", "--json").json
        #expect(json["sound"]?.bool == false)
        let broken = json["checks"]?.elements?.filter { $0["holds"]?.bool == false }
        #expect(broken?.compactMap { $0["check"]?.string } == ["requests"])
        #expect(broken?.first?["row"]?.string == "payment \(PaymentIntent.sample(1).id)")
    }

    @Test("a falsified row of what a gateway rejected makes the books unsound, and is named")
    func rejections() async throws {
        try await fill()
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        for number in [7, 8] as [UInt64] {
            _ = try await ledger.book(
                .rejected, of: PaymentIntent.sample(number).id, evidence: PaymentEvidence(status: 402), at: .vectors)
        }
        try ledger.close()
        #expect(await place.run("ledger", "verify").status == .done)
        var file = bytes(of: place.state.ledgerFile)
        file.replace("labscout", with: "labscouu")
        try place.folder.write(file, to: "ledger.sqlite")
        let run = await place.run("ledger", "verify")
        #expect(run.status == .unsound)
        #expect(run.errors.contains("rejections of agent scout at gateway lab are kept as $0.00"), "\(run.errors)")
        let json = try await place.run("ledger", "verify", "--json").json
        let broken = json["checks"]?.elements?.filter { $0["holds"]?.bool == false }
        #expect(broken?.compactMap { $0["check"]?.string } == ["rejections"])
    }

    @Test("a damaged page is named with the table it belongs to", arguments: [2, 5, 9, 14, 20])
    func damaged(_ page: Int) async throws {
        try await fill(400)
        var file = bytes(of: place.state.ledgerFile)
        try #require(file.count >= (page + 1) * 4096)
        for index in (page * 4096)..<((page + 1) * 4096) { file[index] = 0xa5 }
        try place.folder.write(file, to: "ledger.sqlite")
        let run = await place.run("ledger", "verify")
        #expect(run.status == .unsound)
        #expect(run.output.contains("damaged\n"))
        #expect(run.output.contains("table ") || run.output.contains("malformed"), "\(run.output)")
        #expect(run.errors.hasPrefix("purser: the ledger is not sound: "))
        let json = try await place.run("ledger", "verify", "--json").json
        #expect(json["sound"]?.bool == false)
        let lines = try #require(json["damage"]?.elements)
        #expect((1...SQLiteLedger.inspectionLimit).contains(lines.count))
    }

    @Test("a file that is no database, an empty one, and none at all are told apart")
    func strangers() async throws {
        try place.folder.write("this is no ledger, whatever its name says".utf8, to: "ledger.sqlite")
        let noise = await place.run("ledger", "verify")
        #expect(noise.status == .unsound)
        #expect(noise.errors.contains("the file is not a ledger"))
        try place.folder.write([], to: "ledger.sqlite")
        let empty = await place.run("ledger", "verify")
        #expect(empty.status == .unsound)
        #expect(empty.errors.contains("the file is empty, or another program's database"))
        #expect(bytes(of: place.state.ledgerFile).isEmpty)
        let none = try StateForTests()
        let run = await none.run("ledger", "verify")
        #expect(run.status == .missing)
        #expect(try !none.folder.entries().contains("ledger.sqlite"))
    }

    @Test("a log that was cut leaves books that hold, and an anchor tells what is missing")
    func cutLog() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        for number: UInt64 in 1...20 { try await ledger.reserve(.sample(number), at: .vectors) }
        let whole = try await place.done("ledger", "verify", "--json").json
        let (last, hash) = try (#require(whole["entries"]?.integer), #require(whole["last_hash"]?.string))
        // What a disk holds that lost the end of the log, while the daemon lived.
        let copy = try StateForTests()
        try copy.folder.write(bytes(of: place.state.ledgerFile), to: "ledger.sqlite")
        let log = bytes(of: place.state.ledgerFile + "-wal")
        try copy.folder.write(log.dropLast(log.count / 3), to: "ledger.sqlite-wal")
        try ledger.close()

        let anchored = await copy.run("ledger", "verify", "--anchor", "\(last)=\(hash)")
        #expect(anchored.status == .unsound)
        #expect(anchored.errors.contains("entry \(last) is missing: the journal ends before it"))
        let short = try await copy.done("ledger", "verify", "--json").json
        #expect(short["entries"]?.integer ?? 0 < last)
    }

    @Test("a log that ends in the middle of a page is told")
    func brokenLog() async throws {
        try await fill()
        let log = [UInt8](repeating: 0, count: 8) + [0, 0, 16, 0] + [UInt8](repeating: 0, count: 1000)
        try place.folder.write(log, to: "ledger.sqlite-wal")
        #expect(await place.done("ledger", "verify").errors.contains("ledger.sqlite-wal ended in the middle of a page"))
    }

    @Test("an entry that has another hash than it had is told")
    func rewritten() async throws {
        try await fill()
        let other = Bytes32.numbered(7)
        let run = await place.run("ledger", "verify", "--anchor", "3=\(other)")
        #expect(run.status == .unsound)
        #expect(run.errors.contains("entry 3 has another hash than \(other)"))
        for anchor in ["3", "0=\(other)", "3=0x12", "x=\(other)"] {
            #expect(await place.run("ledger", "verify", "--anchor", anchor).status == .usage)
        }
        #expect(await place.run("ledger", "verify", "--signer", "0x12").status == .usage)
    }
}
