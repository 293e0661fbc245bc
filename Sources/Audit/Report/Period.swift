import Ledger
package import Primitives

/// A span of whole UTC days: the first counts, the last does not.
package struct Period: Sendable, Equatable {
    /// Its first moment; nil for no beginning.
    package let start: Timestamp?
    /// The first moment behind it; nil for no end.
    package let end: Timestamp?

    /// Everything.
    package static let all = Period(start: nil, end: nil)

    private init(start: Timestamp?, end: Timestamp?) {
        self.start = start
        self.end = end
    }

    /// Reads dates such as `2026-11-22`; nil when one is no date or the period would have no day.
    package init?(from: String?, to: String?) {
        let start = from.flatMap { Timestamp(utcDate: $0) }
        let end = to.flatMap { Timestamp(utcDate: $0) }
        guard (from == nil) == (start == nil), (to == nil) == (end == nil) else { return nil }
        if let start, let end, start >= end { return nil }
        self.init(start: start, end: end)
    }

    /// The numbers of the entries written in it: from the first up to, not including, the second.
    func entries(in snapshot: any LedgerSnapshot) throws(LedgerError) -> (first: Int64, behind: Int64) {
        var numbers: (first: Int64, behind: Int64) = (1, .max)
        if let start { numbers.first = try snapshot.firstEntry(since: start) }
        if let end { numbers.behind = try snapshot.firstEntry(since: end) }
        return numbers
    }

    /// Walks through the payments that were reserved or refused in it.
    func forEachPayment(
        in snapshot: any LedgerSnapshot, _ body: (PaymentRecord) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        var first: Int64 = 1
        var last = Int64.max
        if let start { first = try snapshot.firstPayment(since: start) }
        if let end { last = try snapshot.firstPayment(since: end) - 1 }
        try snapshot.forEachPayment(from: first, to: last) { (payment) throws(LedgerError) in
            try body(payment.record)
        }
    }
}
