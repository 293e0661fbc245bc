import ArgumentParser
import Audit
import Daemon
import Ledger
import Primitives

struct LedgerReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "What was spent, by agent, payee, gateway, model or day.",
        discussion: "Payments belong to the UTC day of their reservation and count with the state they have now.")

    @Option(
        help: ArgumentHelp(
            SpendReport.Dimension.allCases.map(\.rawValue).joined(separator: ", ") + ".", valueName: "what"),
        transform: Self.dimension)
    var by = SpendReport.Dimension.agent

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: StateOptions

    @Sendable private static func dimension(_ text: String) throws -> SpendReport.Dimension {
        guard let dimension = SpendReport.Dimension(rawValue: text) else {
            let known = SpendReport.Dimension.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("`\(text)` is not one of \(known).")
        }
        return dimension
    }

    func run() async throws {
        let period = try period.period
        let report = try await options.withLedger { [by] ledger in
            try await ledger.read { (snapshot) throws(LedgerError) in
                try SpendReport(by: by, of: period, in: snapshot)
            }
        }
        if options.json {
            JSONOutput.object { text in
                text.field("by", report.dimension.rawValue)
                text.objects("rows", report.rows) { Self.write($1, to: &$0) }
                text.object("total") { Self.write(report.total, to: &$0) }
                text.field("refused_in_no_row", report.unplaced)
            }
        } else {
            try Self.show(report, tokens: options.tokens())
        }
    }

    private static func write(_ row: SpendReport.Row, to text: inout JSONText) {
        text.field("key", optional: row.key.shown)
        text.field("key_fact", row.key.word)
        text.field("payments", row.count)
        text.field("failures", row.failures)
        text.field("failure_rate", row.failureRate)
        text.field("refused", row.refused)
        text.field("spent_usd", TokenAmount.decimalText(of: row.spentNanodollars, decimals: 9))
        text.objects("tokens", row.sumsInOrder) { text, line in
            text.field("asset", line.token.asset)
            text.field("symbol", line.token.symbol)
            text.field("decimals", Int64(line.token.decimals))
            for (name, amount) in columns(line.sums) {
                text.field(name, amount.units.description)
                text.field(name + "_usd", amount.dollars)
            }
        }
    }

    private static func columns(_ sums: SpendReport.Sums) -> [(name: String, amount: SpendReport.Amount)] {
        [
            ("settled", sums.spent), ("presumed", sums.presumed), ("exposed", sums.exposed),
            ("released", sums.released),
        ]
    }

    private static func show(_ report: SpendReport, tokens: TokenNames) {
        guard !report.rows.isEmpty || report.unplaced > 0 else {
            Console.print("no payments")
            return
        }
        var table = Table([
            (report.dimension.rawValue.uppercased(), .left), ("PAYMENTS", .right), ("FAILED", .right),
            ("REFUSED", .right), ("TOKEN", .left), ("SETTLED", .right), ("PRESUMED", .right), ("EXPOSED", .right),
            ("RELEASED", .right), ("SPENT", .right),
        ])
        for (row, name) in report.rows.map({ ($0, $0.key.value ?? "(\($0.key.word))") }) + [(report.total, "total")] {
            add(row, name: Printable.text(name), to: &table, tokens)
        }
        table.show()
        if report.unplaced > 0 {
            Console.print(
                "\(report.unplaced) of the refusals were counted and not booked one by one, so their "
                    + "\(report.dimension.rawValue) is not known.")
        }
    }

    /// A line for each token; what is not about one token stands in the first.
    private static func add(_ row: SpendReport.Row, name: String, to table: inout Table, _ tokens: TokenNames) {
        let lead = [name, "\(row.count)", "\(row.failures) (\(row.failureRate))", "\(row.refused)"]
        let dollars = "$" + TokenAmount.decimalText(of: row.spentNanodollars, decimals: 9)
        guard let first = row.sumsInOrder.first else { return table.add(lead + ["", "", "", "", "", dollars]) }
        func cells(_ line: (token: SpendReport.Token, sums: SpendReport.Sums)) -> [String] {
            [tokens.label(of: line.token.asset)]
                + columns(line.sums).map {
                    TokenAmount.decimalText(of: $0.amount.units, decimals: line.token.decimals)
                }
        }
        table.add(lead + cells(first) + [dollars])
        for line in row.sumsInOrder.dropFirst() { table.add([name, "", "", ""] + cells(line) + [""]) }
    }
}
