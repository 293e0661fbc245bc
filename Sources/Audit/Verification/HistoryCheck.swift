import Ledger
import Primitives

/// Replays every payment from its entries, beside the rows as they are now.
///
/// A payment's first entry is written in the step that makes its row, so rows and first entries come in the same order,
/// and its last entry has the row's time of change. Between the two a payment is kept; behind the last it is forgotten.
struct HistoryCheck {
    private let signatures: SignatureCheck
    private var rows: PaymentCursor
    private var evidence: EvidenceCursor
    private var rejections: RejectionCheck
    private var open: [String: PaymentHistory] = [:]
    // Complete as of `time`; another entry of the same millisecond may still follow.
    private var complete: [String] = []
    private var time = Timestamp(milliseconds: .min)
    private var erasedRows: Int64 = 0
    private var erasedByEntries: Int64 = 0

    init(_ snapshot: any LedgerSnapshot, signatures: SignatureCheck) throws(LedgerError) {
        rejections = try RejectionCheck(snapshot)
        self.signatures = signatures
        rows = PaymentCursor(snapshot)
        evidence = EvidenceCursor(snapshot)
    }

    /// How many payments are kept: those under way.
    var kept: Int { open.count }

    /// Takes the next entry.
    mutating func examine(_ entry: JournalEntry, _ findings: inout Findings) throws(LedgerError) {
        if entry.at > time {
            time = entry.at
            forgetComplete(&findings)
        }
        let left = try evidence.evidence(of: entry.number)
        switch entry.line.kind {
        case .payment: try examine(step: entry, leaving: left, &findings)
        case .erasure: examine(erasure: entry, &findings)
        default: break
        }
        if entry.line.kind != .payment, left != nil {
            findings.examine(
                .evidence, "entry \(entry.number)", holds: false, "is about no payment, and evidence is kept for it")
        }
    }

    private mutating func examine(
        step entry: JournalEntry, leaving left: PaymentEvidence?, _ findings: inout Findings
    ) throws(LedgerError) {
        let name = entry.line.subject
        if let history = open[name] {
            examine(entry, leaving: left, behind: history, &findings)
            rejections.examine(entry, of: history.row.record, from: history.state)
            open[name]?.follow(entry, leaving: left)
        } else if let row = try rows.next(), row.record.id.description == name {
            rows.advance()
            rejections.examine(row.record)
            begin(row, entry, leaving: left, &findings)
            open[name] = PaymentHistory(row, first: entry)
        } else {
            findings.examine(
                .payments, "entry \(entry.number)", holds: false,
                "is of payment \(name), which has no row in its place or was done before by what its row says")
            // A first entry uses up the row that stands where its own should.
            if entry.line.terms != nil { rows.advance() }
            return
        }
        if let history = open[name], history.isComplete { complete.append(name) }
    }

    /// Holds the rest against each other: payments whose last entry never came, rows without entries.
    mutating func finish(_ findings: inout Findings) throws(LedgerError) {
        forgetComplete(&findings)
        for history in open.values.sorted(by: { $0.row.number < $1.row.number }) { examine(whole: history, &findings) }
        open = [:]
        while let row = try rows.next() {
            findings.examine(.payments, "payment \(row.record.id)", holds: false, "has a row and no entry")
            rows.advance()
        }
        if erasedRows > 0 || erasedByEntries > 0 {
            findings.examine(
                .erasures, "the payments table", holds: erasedRows == erasedByEntries,
                "has \(erasedRows) erased payments, and the journal tells of \(erasedByEntries)")
        }
        rejections.finish(&findings)
    }

    private mutating func forgetComplete(_ findings: inout Findings) {
        for name in complete {
            guard let history = open[name], history.isComplete else { continue }
            examine(whole: history, &findings)
            open[name] = nil
        }
        complete = []
    }
}

/// What is asked of single entries and of whole histories.
extension HistoryCheck {
    private mutating func begin(
        _ row: NumberedPayment, _ entry: JournalEntry, leaving left: PaymentEvidence?, _ findings: inout Findings
    ) {
        let record = row.record
        let name = "payment \(record.id)"
        findings.examine(
            .terms, name, holds: entry.line.terms == record.termsHash && entry.at == record.reservedAt,
            "does not have the terms any more that entry \(entry.number) fixed")
        if record.salt != nil {
            findings.examine(
                .requests, name, holds: entry.line.metadata == record.requestHash,
                "does not have the request or echo any more that entry \(entry.number) fixed")
        } else if record.purpose.request == nil, record.echo == nil {
            findings.skip(.requests)
            findings.examine(.erasures, name, holds: !record.state.isOpen, "is erased, though it is still open")
            erasedRows += 1
        } else {
            findings.examine(.requests, name, holds: false, "has lost its salt but not its texts")
        }
        let isBeginning =
            switch entry.line.state {
            case .reserved: entry.line.cause == PaymentState.reserved.rawValue
            case .refused: true
            default: false
            }
        findings.examine(
            .states, "entry \(entry.number)", holds: isBeginning,
            "begins payment \(record.id) as \(entry.line.state?.rawValue ?? "nothing")")
        let transfer = entry.line.state.flatMap { record.terms?.transfer(from: nil, to: $0, for: record.purpose.agent) }
        findings.examine(
            .transfers, "entry \(entry.number)", holds: entry.line.transfer == transfer,
            "does not move what payment \(record.id) sets aside")
        // Nothing has come back yet; of a refusal the code is kept as its reason.
        let expected = PaymentEvidence(reason: entry.line.state == .refused ? entry.line.cause : nil)
        let readable = record.salt == nil ? expected.erased : expected
        findings.examine(
            .evidence, "entry \(entry.number)", holds: left ?? PaymentEvidence() == readable,
            "begins payment \(record.id), and other evidence is kept for it")
        signatures.examine(record, &findings)
    }

    private func examine(
        _ entry: JournalEntry, leaving left: PaymentEvidence?, behind history: PaymentHistory,
        _ findings: inout Findings
    ) {
        let row = "entry \(entry.number)"
        let record = history.row.record
        let event = PaymentEvent(rawValue: entry.line.cause)
        let isShown = event == .amountShown
        let next = event.flatMap { history.state.after($0) }
        findings.examine(
            .states, row,
            holds: next != nil && next == entry.line.state && entry.line.terms == nil
                && (!isShown || history.moved == nil && record.terms?.isMaximum == true),
            "takes payment \(record.id) from \(history.state.rawValue) by \(entry.line.cause) to "
                + "\(entry.line.state?.rawValue ?? "nothing")")
        let transfer = entry.line.state.flatMap { state in
            isShown
                ? record.moved.flatMap { record.terms?.transfer(freeing: $0, in: state, for: record.purpose.agent) }
                : record.terms?.transfer(from: history.state, to: state, for: record.purpose.agent)
        }
        findings.examine(
            .transfers, row, holds: entry.line.transfer == transfer,
            "does not move what payment \(record.id) moves from \(history.state.rawValue)")
        guard let salt = record.salt else {
            if entry.line.metadata != nil || left != nil { findings.skip(.evidence) }
            return
        }
        findings.examine(
            .evidence, row, holds: entry.line.metadata == left?.hash(salt: salt),
            "does not have the evidence any more that it fixed for payment \(record.id)")
    }

    private func examine(whole history: PaymentHistory, _ findings: inout Findings) {
        let record = history.row.record
        let name = "payment \(record.id)"
        findings.examine(
            .payments, name, holds: history.isComplete,
            "is \(record.state.rawValue) since \(record.changedAt) by its row, but its last entry, "
                + "\(history.lastEntry), made it \(history.state.rawValue) at \(history.changedAt), or it moved "
                + "something else, or another became of its answer")
        findings.examine(
            .evidence, name, holds: record.evidence == history.evidence,
            "has other evidence in its row than its entries left")
    }

    private mutating func examine(erasure entry: JournalEntry, _ findings: inout Findings) {
        // No books have more payments than that; a larger count would only overflow the sum.
        let count = entry.line.detail?.split(separator: " ").first.flatMap { Int64($0) }
            .flatMap { (0...(1 << 40)).contains($0) ? $0 : nil }
        findings.examine(
            .erasures, "entry \(entry.number)", holds: count != nil, "does not say how many payments it erased")
        erasedByEntries += count ?? 0
    }
}
