package import Ledger
package import Policy

/// What the books can be written out as.
///
/// Raw values are typed by operators.
package enum ExportFormat: String, Sendable, CaseIterable {
    /// One line per payment, RFC 4180, with a header line.
    case csv
    /// One JSON object per payment, as in Specs/export.schema.json.
    case jsonl
    /// Every transfer as a transaction for Beancount.
    case beancount
    /// Every transfer as a transaction for hledger.
    case hledger
    /// One JSON object per entry of the journal, with everything that its hash covers: Specs/journal.md.
    case entries
}

/// Writes the books of a period out for other programs, page by page.
///
/// Payments belong to the period they were reserved in, with the state they have now; entries to the period they were
/// written in. Payments' signatures and sellers' JSON are never written.
package struct Export: Sendable {
    private let format: ExportFormat
    private let period: Period
    private let assets: AssetTable

    /// Makes an export; the table gives the symbols and decimals of tokens.
    package init(_ format: ExportFormat, of period: Period = .all, assets: AssetTable) {
        self.format = format
        self.period = period
        self.assets = assets
    }

    /// Writes the whole export in pieces of UTF-8 text; what `sink` throws ends it.
    package func write(
        _ snapshot: any LedgerSnapshot, to sink: ([UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        switch format {
        case .csv: try PaymentRows.writeCSV(snapshot, of: period, to: sink)
        case .jsonl: try PaymentRows.writeJSONLines(snapshot, of: period, to: sink)
        case .entries: try EntryRows.write(snapshot, of: period, to: sink)
        case .beancount:
            try AccountingExport(BeancountSyntax(), assets: assets).write(snapshot, of: period, to: sink)
        case .hledger: try AccountingExport(HledgerSyntax(), assets: assets).write(snapshot, of: period, to: sink)
        }
    }
}
