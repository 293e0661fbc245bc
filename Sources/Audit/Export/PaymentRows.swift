import Ledger
import Primitives

/// One column of the payments' export, in CSV and JSON alike.
struct PaymentColumn: Sendable {
    /// What a cell holds.
    enum Cell {
        /// A whole number.
        case number(Int64)
        /// Text of our own, or an operator's.
        case text(String)
        /// Text that an agent or a seller had a hand in.
        case foreign(String)
    }

    /// The name in the header line and in the JSON object.
    let name: String
    /// The cell of a payment; nil when it has none.
    let cell: @Sendable (PaymentRecord) -> Cell?

    /// A column of texts of our own.
    private static func text(_ name: String, _ value: @escaping @Sendable (PaymentRecord) -> String?) -> Self {
        Self(name: name) { value($0).map(Cell.text) }
    }

    /// A column of texts that others had a hand in.
    private static func foreign(_ name: String, _ value: @escaping @Sendable (PaymentRecord) -> String?) -> Self {
        Self(name: name) { value($0).map(Cell.foreign) }
    }

    /// A column of whole numbers.
    private static func number(_ name: String, _ value: @escaping @Sendable (PaymentRecord) -> Int64?) -> Self {
        Self(name: name) { value($0).map(Cell.number) }
    }

    /// All columns in their order; a new one goes to the end, since programs may read a CSV file by position.
    static let all: [Self] = [
        text("id") { $0.id.description },
        text("agent") { $0.purpose.agent },
        text("team") { $0.purpose.team },
        text("gateway") { $0.purpose.gateway },
        foreign("host") { $0.purpose.host },
        foreign("method") { $0.purpose.request?.method },
        foreign("url") { $0.purpose.request?.url },
        foreign("model") { $0.purpose.request?.model.shown },
        text("state") { $0.state.rawValue },
        text("policy") { $0.purpose.policy?.description },
        foreign("scheme") { $0.terms?.scheme },
        foreign("payment_method") { $0.terms?.method },
        foreign("network") { $0.terms?.network },
        foreign("asset") { $0.terms?.asset },
        foreign("symbol") { $0.terms?.symbol },
        number("decimals") { ($0.terms?.decimals).map(Int64.init) },
        text("amount") { $0.terms?.amount.description },
        text("amount_decimal") { record in
            record.terms.map { TokenAmount.decimalText(of: $0.amount, decimals: $0.decimals) }
        },
        text("moved") { $0.moved?.description },
        text("value_usd") { $0.terms?.value.description },
        text("wallet") { $0.terms?.wallet },
        text("payer") { $0.terms?.payer },
        foreign("pay_to") { $0.terms?.payTo },
        text("nonce") { $0.terms?.nonce.description },
        number("valid_after") { $0.terms?.validAfter },
        number("valid_before") { $0.terms?.validBefore },
        text("reserved_at") { $0.reservedAt.exactText },
        text("changed_at") { $0.changedAt.exactText },
        foreign("transaction") { $0.evidence.transaction },
        number("status") { $0.evidence.status.map(Int64.init) },
        foreign("reason") { $0.evidence.reason },
        text("model_fact") { $0.purpose.request?.model.word },
        text("delivery") { $0.delivery?.fate.rawValue },
    ]
}

/// Payments as rows of text.
enum PaymentRows {
    /// Writes a header line and one line per payment.
    static func writeCSV(
        _ snapshot: any LedgerSnapshot, of period: Period, to sink: ([UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        try sink(Array(CSVText.line(PaymentColumn.all.map(\.name)).utf8))
        try period.forEachPayment(in: snapshot) { (record) throws(LedgerError) in
            let cells = PaymentColumn.all.map { column in
                switch column.cell(record) {
                case nil: ""
                case .number(let value): String(value)
                case .text(let value): value
                case .foreign(let value): CSVText.withoutFormula(value)
                }
            }
            try sink(Array(CSVText.line(cells).utf8))
        }
    }

    /// Writes one JSON object per payment; what a payment does not have is left out.
    static func writeJSONLines(
        _ snapshot: any LedgerSnapshot, of period: Period, to sink: ([UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        try period.forEachPayment(in: snapshot) { (record) throws(LedgerError) in
            var text = JSONText()
            text.object { text in
                for column in PaymentColumn.all {
                    switch column.cell(record) {
                    case nil: continue
                    case .number(let value): text.field(column.name, value)
                    case .text(let value), .foreign(let value): text.field(column.name, value)
                    }
                }
            }
            try sink(text.bytes + [UInt8(ascii: "\n")])
        }
    }
}

extension Timestamp {
    /// RFC 3339 in UTC with milliseconds, `2026-11-22T00:00:00.123Z`: all that the books know.
    var exactText: String {
        let rest = String(milliseconds - seconds * 1000)
        return description.dropLast() + "." + String(repeating: "0", count: 3 - rest.utf8.count) + rest + "Z"
    }
}
