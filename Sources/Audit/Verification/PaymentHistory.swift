import Ledger
import Primitives

/// A payment that has begun at the walk's place in the journal, as far as its entries tell so far.
struct PaymentHistory {
    /// Its row as the books hold it now.
    let row: NumberedPayment
    /// Where its entries have brought it.
    private(set) var state: PaymentState
    /// When they did.
    private(set) var changedAt: Timestamp
    /// The number of the last of them.
    private(set) var lastEntry: Int64
    /// What they left together.
    private(set) var evidence: PaymentEvidence
    /// What it moved, once an entry has shown that.
    private(set) var moved: UInt256?
    /// What became of its answer.
    private(set) var delivery: Delivery?

    /// Begins with a payment's first entry.
    init(_ row: NumberedPayment, first entry: JournalEntry) {
        self.row = row
        state = entry.line.state ?? .refused
        changedAt = entry.at
        lastEntry = entry.number
        // A refusal's code is its reason.
        let reason = entry.line.state == .refused ? entry.line.cause : nil
        evidence = Self.readable(PaymentEvidence(reason: reason), of: row.record)
    }

    /// Takes a step.
    mutating func follow(_ entry: JournalEntry, leaving newer: PaymentEvidence?) {
        state = entry.line.state ?? state
        changedAt = entry.at
        lastEntry = entry.number
        if entry.line.cause == PaymentEvent.amountShown.rawValue, let amount = row.record.terms?.amount {
            moved = amount.subtracting(entry.line.transfer?.amount ?? .zero)
        }
        if let fate = Delivery.fate(inDetail: entry.line.detail) {
            delivery = Delivery(fate, at: entry.at, repeatedAt: delivery?.repeatedAt)
        }
        if entry.line.cause == PaymentEvent.repeated.rawValue { delivery?.repeatedAt = entry.at }
        if let newer { evidence = evidence.merging(Self.readable(newer, of: row.record)) }
    }

    /// Whether the row says what the entries say so far: none needs to follow.
    var isComplete: Bool {
        row.record.state == state && row.record.changedAt == changedAt && row.record.moved == moved
            && row.record.delivery == delivery
    }

    private static func readable(_ evidence: PaymentEvidence, of record: PaymentRecord) -> PaymentEvidence {
        record.salt == nil ? evidence.erased : evidence
    }
}

/// The payments in the order of their reservation, one at a time.
struct PaymentCursor {
    private let snapshot: any LedgerSnapshot
    private var page: ArraySlice<NumberedPayment> = []
    private var number = Int64.min
    private let pageSize = 1000

    /// Begins before the first payment.
    init(_ snapshot: any LedgerSnapshot) { self.snapshot = snapshot }

    /// The payment whose turn it is; nil behind the last one.
    mutating func next() throws(LedgerError) -> NumberedPayment? {
        if page.isEmpty { page = try snapshot.payments(from: number, limit: pageSize)[...] }
        return page.first
    }

    /// Goes on to the one behind.
    mutating func advance() {
        guard let passed = page.popFirst() else { return }
        number = passed.number + 1
    }
}

/// The evidence of entries in the order of their numbers.
struct EvidenceCursor {
    private let snapshot: any LedgerSnapshot
    private var page: [Int64: PaymentEvidence] = [:]
    private var range: ClosedRange<Int64>?
    private let pageSize: Int64 = 1000

    /// Begins before the first entry.
    init(_ snapshot: any LedgerSnapshot) { self.snapshot = snapshot }

    /// What an entry left.
    mutating func evidence(of number: Int64) throws(LedgerError) -> PaymentEvidence? {
        if range.map({ !$0.contains(number) }) ?? true {
            let next = number...(number + pageSize - 1)
            page = try snapshot.evidence(ofEntries: next)
            range = next
        }
        return page[number]
    }
}
