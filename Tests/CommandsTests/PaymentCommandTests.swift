import Commands
import Daemon
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

struct PaymentCommandTests {
    let place: StateForTests

    init() throws {
        place = try StateForTests()
    }

    /// Books a settled payment, a rejected one of another agent, and a refusal without terms.
    private func fill() async throws -> [PaymentID] {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        for (number, name) in [(1, "scout"), (2, "clerk")] as [(UInt64, String)] {
            try await ledger.add(.sample(name, number: number, caps: [CapLimit(.day, .cents(500))]))
        }
        let paid = PaymentIntent.sample(1, value: .cents(30))
        let rejected = PaymentIntent.sample(2, agent: "clerk", value: .cents(5))
        for intent in [paid, rejected] { _ = try await ledger.reserve(intent, at: .vectors) }
        let evidence = PaymentEvidence(
            status: 200, signature: [UInt8](repeating: 0xab, count: 65), settlement: Array("{}".utf8),
            transaction: "0xfeed")
        _ = try await ledger.book(.settled, of: paid.id, evidence: evidence, at: .vectors)
        _ = try await ledger.book(
            .rejected, of: rejected.id, evidence: PaymentEvidence(status: 402, reason: "\u{1b}[31mno"), at: .vectors)
        let refused = PaymentIntent.sample(3)
        try await ledger.record(
            RefusedPayment(
                id: refused.id, purpose: refused.purpose, code: "no-entry", terms: nil, salt: refused.salt),
            at: .vectors)
        try ledger.close()
        return [paid.id, rejected.id, refused.id]
    }

    @Test("empty books are an empty list")
    func empty() async {
        #expect(await place.done("payment", "list", "--json").output == "[]\n")
        #expect(await place.done("payment", "list").output == "no payments\n")
    }

    @Test("a row says everything but the signature")
    func row() async throws {
        let ids = try await fill()
        let rows = try #require(try await place.done("payment", "list", "--json").json.elements)
        #expect(rows.compactMap { $0["id"]?.string } == ids.reversed().map(\.description))
        let row = rows[2]
        let texts = [
            "agent": "scout", "gateway": "lab", "method": "POST", "state": "settled", "amount": "300000",
            "url": "http://127.0.0.1:8402/v1/chat/completions", "symbol": "USDT", "network": "eip155:42161",
            "asset": "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "value_usd": "0.30", "wallet": "main",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "transaction": "0xfeed",
            "payer": "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23", "nonce": Bytes32.numbered(1).description,
            "reserved_at": "2026-11-22T00:00:00Z", "changed_at": "2026-11-22T00:00:00Z",
        ]
        for (key, text) in texts { #expect(row[key]?.string == text, "\(key)") }
        let numbers = [
            "decimals": 6, "status": 200, "valid_after": Timestamp.vectors.seconds - 600,
            "valid_before": Timestamp.vectors.seconds + 300,
        ]
        for (key, number) in numbers { #expect(row[key]?.integer == number, "\(key)") }
        #expect(row["reason"] == nil)
        #expect(rows[1]["reason"]?.string == "\u{1b}[31mno")
        #expect(rows[0]["state"]?.string == "refused")
        #expect(rows[0]["reason"]?.string == "no-entry")
        #expect(rows[0]["amount"] == nil)
    }

    @Test("refusals that were counted are in the events and the report, and the list says how many it leaves out")
    func counted() async throws {
        let ledger = try SQLiteLedger(path: place.state.ledgerFile)
        let sample = PaymentIntent.sample(1)
        for number: UInt64 in 1...12 {
            try await ledger.record(
                RefusedPayment(
                    id: PaymentIntent.sample(number).id, purpose: sample.purpose, code: "policy-refused", terms: nil,
                    salt: .numbered(number)),
                at: .vectors)
        }
        try await ledger.noteRefusals(all: true, at: .vectors)
        try ledger.close()
        let list = await place.done("payment", "list")
        #expect(list.output.split(separator: "\n").count == 6)
        #expect(list.errors.contains("7 more refusals were counted"))
        #expect(await place.done("payment", "list", "--agent", "clerk").errors.isEmpty)
        #expect(await place.done("payment", "list", "--in-state", "settled").errors.isEmpty)
        let events = try #require(try await place.done("ledger", "events", "--json").json.elements)
        let event = try #require(events.last)
        #expect(event["kind"]?.string == "refusals" && event["subject"]?.string == "scout")
        #expect(event["detail"]?.string?.contains(#""policy-refused":7"#) == true)
        let report = try await place.done("ledger", "report", "--json").json
        #expect(report["total"]?["refused"]?.integer == 12 && report["refused_in_no_row"]?.integer == 0)
        let gateways = try await place.done("ledger", "report", "--by", "gateway", "--json").json
        #expect(gateways["total"]?["refused"]?.integer == 12 && gateways["refused_in_no_row"]?.integer == 7)
        #expect(await place.run("ledger", "verify").status == .done)
        #expect(await place.done("ledger", "export", "--format", "entries").output.contains(#""kind":"refusals""#))
    }

    @Test("filters narrow the list")
    func filters() async throws {
        let ids = try await fill().map(\.description)
        func list(_ options: String...) async throws -> [String] {
            let arguments = ["payment", "list", "--json", "--state", place.folder.path] + options
            let json = try await CommandRun.run(arguments).json
            return (json.elements ?? json["payments"]?.elements ?? []).compactMap { $0["id"]?.string }
        }
        #expect(try await list("--agent", "scout") == [ids[2], ids[0]])
        #expect(try await list("--open") == [ids[1]])
        #expect(try await list("--limit", "1") == [ids[2]])
        #expect(
            try await list("--gateway", "lab", "--in-state", "settled", "--in-state", "refused") == [ids[2], ids[0]])
        #expect(try await list("--gateway", "other") == [])
        #expect(await place.run("payment", "list", "--in-state", "gone").status == .usage)
        #expect(await place.run("payment", "list", "--in-state", "settled", "--open").status == .usage)
        #expect(try await list("--agent", "nobody") == [])
        #expect(await place.run("payment", "list", "--limit", "0").status == .usage)
    }

    @Test("the table shows amounts as people write them")
    func table() async throws {
        let ids = try await fill()
        let lines = await place.done("payment", "list").output.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[1].hasSuffix("refused (no-entry)"))
        #expect(lines[3] == "2026-11-22T00:00:00Z  \(ids[0])  scout  lab       0.3 USDT  settled")
    }

    @Test("what is open comes with each agent's exposure, until when, and where its money stands")
    func exposure() async throws {
        _ = try await fill()
        let open = try await place.done("payment", "list", "--open", "--json").json
        let exposure = try #require(open["exposure"]?.elements)
        #expect(exposure.count == 1)
        let until = Timestamp.vectors.adding(seconds: 300).description
        for (key, text) in ["agent": "clerk", "amount": "50000", "value_usd": "0.05", "until": until] {
            #expect(exposure[0][key]?.string == text, "\(key)")
        }
        let totals = try #require(open["totals"]?.elements)
        #expect(totals.compactMap { $0["agent"]?.string } == ["clerk", "scout"])
        #expect(totals.compactMap { $0["settled"]?.string } == ["0", "300000"])
        #expect(totals.compactMap { $0["exposed"]?.string } == ["50000", "0"])
        let text = await place.done("payment", "list", "--open").output
        #expect(text.contains("rejected  \(until)"))
        #expect(text.contains("clerk    eip155:42161/USDT     1  0.05 USDT  $0.05  \(until)"))
        #expect(text.contains("scout  eip155:42161/USDT  0.3 USDT"))
    }

    @Test("one payment comes with its history, and with nothing that could drive a terminal")
    func show() async throws {
        let ids = try await fill()
        let shown = try await place.done("payment", "show", ids[1].description, "--json").json
        #expect(shown["id"]?.string == ids[1].description)
        let history = try #require(shown["history"]?.elements)
        #expect(history.compactMap { $0["state"]?.string } == ["reserved", "rejected"])
        #expect(history.compactMap { $0["number"]?.integer } == [6, 8])
        #expect(history.first?["debit"]?.string == "exposed:clerk")
        #expect(history.compactMap { $0["at"]?.string }.allSatisfy { $0 == "2026-11-22T00:00:00Z" })

        let text = await place.done("payment", "show", ids[1].description).output
        #expect(text.contains("0.05 USDT ($0.05)"))
        #expect(text.contains("?[31mno"))
        #expect(!text.contains("\u{1b}"))
        for id in ids {
            let both =
                await place.done("payment", "show", id.description).output
                + place.done("payment", "show", id.description, "--json").output
            #expect(!both.contains("abababab"))
        }
    }

    @Test("unknown and malformed identifiers are told apart")
    func unknown() async {
        let unknown = PaymentID(at: .vectors, random: .zero).description
        #expect(await place.run("payment", "show", unknown).status == .missing)
        #expect(await place.run("payment", "show", "pay_1").status == .usage)
    }
}
