import Ledger
import Policy
import Primitives
import TestSupport
import Testing

@testable import Audit

/// The part of JSON Schema that the export's schema uses, read strictly: an unknown keyword is a failure.
private struct Schema {
    let root: JSONValue

    func faults(in value: JSONValue) throws -> [String] {
        let properties = root["properties"]?.members ?? []
        var faults = (root["required"]?.elements ?? []).compactMap(\.string).filter { value[$0] == nil }.map {
            "\($0) is missing"
        }
        for member in value.members ?? [] {
            guard let rule = properties.first(where: { $0.key == member.key })?.value else {
                faults.append("\(member.key) is not in the schema")
                continue
            }
            for keyword in rule.members ?? [] where try !holds(keyword, for: member.value) {
                faults.append("\(member.key): \(keyword.key)")
            }
        }
        return faults
    }

    private func holds(_ keyword: JSONMember, for value: JSONValue) throws -> Bool {
        switch keyword.key {
        case "description": true
        case "type": keyword.value.string == "integer" ? value.integer != nil : value.string != nil
        case "enum": keyword.value.elements?.contains { $0.string == value.string } ?? false
        case "pattern": try value.string?.contains(Regex(keyword.value.string ?? "")) ?? false
        case "minimum": (value.integer ?? .min) >= (keyword.value.integer ?? .max)
        case "maximum": (value.integer ?? .max) <= (keyword.value.integer ?? .min)
        default: false
        }
    }
}

/// Reads RFC 4180.
private func records(_ text: String) -> [[String]] {
    var records: [[String]] = []
    var record: [String] = []
    var cell = ""
    var isQuoted = false
    var scalars = text.unicodeScalars.makeIterator()
    var pending = scalars.next()
    while let scalar = pending {
        pending = scalars.next()
        switch (scalar, isQuoted) {
        case ("\"", true) where pending == "\"":
            cell.unicodeScalars.append("\"")
            pending = scalars.next()
        case ("\"", _): isQuoted.toggle()
        case (",", false):
            record.append(cell)
            cell = ""
        case ("\r", false): break
        case ("\n", false):
            records.append(record + [cell])
            record = []
            cell = ""
        default: cell.unicodeScalars.append(scalar)
        }
    }
    return records
}

@Suite("Payment exports")
struct PaymentExportTests {
    @Test("every line of the JSON export satisfies the schema")
    func schema() async throws {
        let schema = Schema(root: try Vectors.document("Specs/export.schema.json"))
        let workload = try await Workload.seeded()
        let lines = try await workload.export(.jsonl).split(separator: "\n")
        #expect(lines.count > 130)
        for line in lines { #expect(try schema.faults(in: JSONReader.read(Array(line.utf8))) == []) }
        let columns = schema.root["properties"]?.members?.map(\.key)
        #expect(columns == PaymentColumn.all.map(\.name))
        let wrong = try JSONReader.read(Array(#"{"id":"pay_1","state":"lost","extra":1}"#.utf8))
        #expect(try schema.faults(in: wrong).count == 8)
    }

    @Test("a payment's line says what the books say, and nothing of signatures or sellers' JSON")
    func line() async throws {
        let workload = try await Workload.seeded()
        let text = try await workload.export(.jsonl)
        #expect(!text.contains("signature") && !text.contains("success") && !text.contains("accepted"))
        let targets = try await Targets(workload)
        let line = try #require(text.split(separator: "\n").first { $0.contains(targets.payment.id.description) })
        let value = try JSONReader.read(Array(line.utf8))
        let terms = try #require(targets.payment.terms)
        #expect(value["amount"]?.string == terms.amount.description)
        #expect(value["amount_decimal"]?.string == TokenAmount.decimalText(of: terms.amount, decimals: 6))
        #expect(value["value_usd"]?.string == terms.value.description)
        #expect(value["nonce"]?.string == terms.nonce.description)
        #expect(value["state"]?.string == "settled")
        #expect(value["status"]?.integer == 200)
    }

    @Test("the CSV export has the same cells, and no foreign text is a formula")
    func csv() async throws {
        let workload = try await Workload.seeded()
        let rows = records(try await workload.export(.csv))
        let lines = try await workload.export(.jsonl).split(separator: "\n")
        #expect(rows.count == lines.count + 1)
        #expect(rows.first == PaymentColumn.all.map(\.name))
        for (row, line) in zip(rows.dropFirst(), lines) {
            let value = try JSONReader.read(Array(line.utf8))
            let cells = PaymentColumn.all.map { value[$0.name]?.string ?? value[$0.name]?.numberText ?? "" }
            #expect(row == cells.map { $0.hasPrefix("=") ? "'" + $0 : $0 })
        }
        let reason = try #require(PaymentColumn.all.firstIndex { $0.name == "reason" })
        #expect(rows.contains { $0[reason] == "'=cmd|' /C calc'!A0, \"x\"" })
        #expect(PaymentColumn.all.last?.name == "delivery", "programs may read by position")
    }

    @Test(
        "cells are quoted as RFC 4180 asks and guarded where a spreadsheet would calculate",
        arguments: [
            ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"),
            ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "\"'\t=1\""), ("a\r\nb", "\"a\r\nb\""),
            ("1-1", "1-1"), ("", ""),
        ])
    func cells(text: String, expected: String) {
        #expect(CSVText.line([CSVText.withoutFormula(text)]) == expected + "\r\n")
    }

    @Test("a period has the payments that were reserved in it")
    func period() async throws {
        let workload = try await Workload.seeded()
        let all = try await workload.export(.jsonl)
        var joined = ""
        let bounds: [(String?, String?)] = [
            (nil, "2026-11-23"), ("2026-11-23", "2026-11-24"), ("2026-11-24", nil),
        ]
        for (from, to) in bounds {
            let period = try #require(Period(from: from, to: to))
            let part = try await workload.export(.jsonl, of: period)
            #expect(!part.isEmpty)
            joined += part
        }
        #expect(joined == all)
        let empty = try #require(Period(from: "2020-01-01", to: "2021-01-01"))
        for format in ExportFormat.allCases where format != .csv && format != .beancount && format != .hledger {
            #expect(try await workload.export(format, of: empty).isEmpty)
        }
    }

    @Test(
        "reject-period",
        arguments: [("2026-13-01", nil), (nil, "22.11.2026"), ("2026-11-23", "2026-11-23")] as [(String?, String?)])
    func badPeriod(from: String?, to: String?) {
        #expect(Period(from: from, to: to) == nil)
    }

    @Test("what the sink throws ends an export", arguments: ExportFormat.allCases)
    func fullDisk(_ format: ExportFormat) async throws {
        let workload = try await Workload.seeded()
        let export = Export(format, assets: workload.assets)
        await #expect(throws: LedgerError.storage("full")) {
            try await workload.ledger.read { (snapshot) throws(LedgerError) in
                var room = 3
                try export.write(snapshot) { (_) throws(LedgerError) in
                    room -= 1
                    if room < 0 { throw .storage("full") }
                }
            }
        }
    }

    @Test("times are written to the millisecond")
    func exactTime() {
        #expect(Timestamp.vectors.adding(milliseconds: 7).exactText == "2026-11-22T00:00:00.007Z")
        #expect(Timestamp.vectors.exactText == "2026-11-22T00:00:00.000Z")
    }

    @Test("the entries' export has every field that the hash covers, and gives the hashes again")
    func entries() async throws {
        let workload = try await Workload.seeded()
        let lines = try await workload.export(.entries).split(separator: "\n")
        var previous = JournalEntry.origin
        for line in lines {
            let value = try JSONReader.read(Array(line.utf8))
            func hash(_ key: String) -> Bytes32? {
                value[key]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) }
            }
            var transfer: Transfer?
            if let debit = value["debit"]?.string.flatMap({ Account($0) }),
                let credit = value["credit"]?.string.flatMap({ Account($0) }), let asset = value["asset"]?.string,
                let amount = value["amount"]?.string
            {
                transfer = Transfer(debit: debit, credit: credit, asset: asset, amount: try UInt256(decimal: amount))
            }
            let read = JournalLine(
                try #require(value["kind"]?.string.flatMap(JournalLine.Kind.init(rawValue:))),
                subject: try #require(value["subject"]?.string), cause: try #require(value["cause"]?.string),
                state: value["state"]?.string.flatMap(PaymentState.init(rawValue:)), transfer: transfer,
                actor: value["actor"]?.string, detail: value["detail"]?.string, terms: hash("terms"),
                metadata: hash("metadata"))
            let number = try #require(value["number"]?.integer)
            let at = Timestamp(milliseconds: try #require(value["at_ms"]?.integer))
            let expected = JournalEntry.hash(of: read, number: number, at: at, behind: previous)
            #expect(hash("hash") == expected)
            previous = expected
        }
        #expect(lines.count > 300)
    }
}
