import Audit
import Daemon
import Ledger
import Primitives

/// What is out, and where money stands, for people and for programs.
enum ExposureOutput {
    /// Adds exposure and totals by agent and token to an object, in atomic units.
    static func write(_ exposure: [Exposure], _ totals: Totals, to text: inout JSONText) {
        text.objects("exposure", exposure) { text, line in
            text.field("agent", line.agent)
            text.field("asset", line.asset)
            text.field("count", Int64(line.count))
            text.field("amount", line.units.description)
            text.field("value_usd", line.value.description)
            text.field("until", Timestamp(seconds: line.until).description)
        }
        text.objects("totals", totals.rows) { text, row in
            text.field("agent", row.agent)
            text.field("asset", row.asset)
            text.field("settled", row.settled.description)
            text.field("exposed", row.exposed.description)
            text.field("presumed", row.presumed.description)
            text.field("released", row.released.description)
        }
    }

    /// Prints exposure by agent and token.
    static func show(_ exposure: [Exposure], tokens: TokenNames) {
        guard !exposure.isEmpty else { return }
        Console.print("")
        var table = Table([
            ("EXPOSED", .left), ("TOKEN", .left), ("OPEN", .right), ("AMOUNT", .right), ("VALUE", .right),
            ("UNTIL", .left),
        ])
        for line in exposure {
            table.add([
                line.agent, tokens.label(of: line.asset), "\(line.count)", tokens.text(of: line.units, in: line.asset),
                "$\(line.value)", Timestamp(seconds: line.until).description,
            ])
        }
        table.show()
    }

    /// Prints where money stands by agent and token.
    static func show(_ totals: Totals, tokens: TokenNames) {
        guard !totals.rows.isEmpty else { return }
        Console.print("")
        var table = Table([
            ("TOTAL", .left), ("TOKEN", .left), ("SETTLED", .right), ("EXPOSED", .right), ("PRESUMED", .right),
            ("RELEASED", .right),
        ])
        for row in totals.rows {
            table.add(
                [row.agent, tokens.label(of: row.asset)]
                    + [row.settled, row.exposed, row.presumed, row.released].map { tokens.text(of: $0, in: row.asset) })
        }
        table.show()
    }

    /// Prints where money stands by token.
    static func show(_ totals: [TokenTotals], tokens: TokenNames) {
        guard !totals.isEmpty else { return }
        Console.print("")
        var table = Table([
            ("TOKEN", .left), ("SETTLED", .right), ("EXPOSED", .right), ("PRESUMED", .right), ("RELEASED", .right),
        ])
        for row in totals {
            table.add(
                [tokens.label(of: row.asset)]
                    + [row.settled, row.exposed, row.presumed, row.released].map { tokens.text(of: $0, in: row.asset) })
        }
        table.show()
    }
}
