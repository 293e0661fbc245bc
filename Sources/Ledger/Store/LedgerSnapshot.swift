package import Primitives

/// A payment with its place in the books.
package struct NumberedPayment: Sendable, Equatable {
    /// 1, 2, 3, … in the order of reservation, without gaps.
    package let number: Int64
    /// The payment.
    package let record: PaymentRecord

    /// Makes a pair.
    package init(number: Int64, record: PaymentRecord) {
        self.number = number
        self.record = record
    }
}

/// A call of a prepaid gateway with its place in the books.
package struct NumberedCall: Sendable, Equatable {
    /// 1, 2, 3, … in the order of the calls, without gaps.
    package let number: Int64
    /// The call.
    package let call: MeteredCall
    /// Ledger time.
    package let at: Timestamp

    /// Makes a call as the books keep it.
    package init(number: Int64, call: MeteredCall, at: Timestamp) {
        self.number = number
        self.call = call
        self.at = at
    }
}

/// One consistent state of the books, read page by page.
package protocol LedgerSnapshot {
    /// Entries in order, from a number on, at most `limit`.
    func entries(from number: Int64, limit: Int) throws(LedgerError) -> [JournalEntry]

    /// The newest entries of a kind that is neither `payment` nor `metered`, newest first, at most `limit`.
    func newestEntries(of kind: JournalLine.Kind, limit: Int) throws(LedgerError) -> [JournalEntry]

    /// What the entries in a range left as evidence, by their numbers; not what was erased.
    func evidence(ofEntries range: ClosedRange<Int64>) throws(LedgerError) -> [Int64: PaymentEvidence]

    /// Payments in order, from a number on, at most `limit`.
    func payments(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedPayment]

    /// Calls of prepaid gateways in order, from a number on, at most `limit`.
    func calls(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedCall]

    /// The number of the first entry at or after a time; one more than the last number when there is none.
    func firstEntry(since time: Timestamp) throws(LedgerError) -> Int64

    /// The number of the first payment reserved at or after a time; one more than the last number when there is none.
    func firstPayment(since time: Timestamp) throws(LedgerError) -> Int64

    /// What was ever moved into and out of each account, by account and asset.
    func balances() throws(LedgerError) -> [AccountBalance]

    /// Agents, caps and freezes.
    func rules() throws(LedgerError) -> Rulebook

    /// What gateways rejected and what is paused because of it, by gateway; gateways without rejections are not listed.
    func rejections() throws(LedgerError) -> [String: GatewayRejections]

    /// The number of the first entry that ``rejections()`` counts: 1, or in books of earlier versions the first one after their
    /// upgrade.
    func firstCountedRejection() throws(LedgerError) -> Int64

    /// The wallets that have too little of a token, by what sellers claim and chains show.
    func unfundedWallets() throws(LedgerError) -> UnfundedWallets

    /// What the books keep for a cap; nil when they keep nothing.
    func counter(of key: Cap.Key) throws(LedgerError) -> CapCounter?

    /// What a cap counts, worked out from the payments themselves.
    func recounted(_ cap: Cap, at now: Timestamp) throws(LedgerError) -> CapCounter
}

extension LedgerSnapshot {
    /// The newest entries of a kind by a walk through all of them, for books without an index.
    package func newestEntries(of kind: JournalLine.Kind, limit: Int) throws(LedgerError) -> [JournalEntry] {
        var found: [JournalEntry] = []
        try forEachEntry { (entry) throws(LedgerError) in
            if entry.line.kind == kind { found.append(entry) }
        }
        return Array(found.suffix(limit).reversed())
    }

    /// Walks through all entries of a range of numbers, page by page.
    package func forEachEntry(
        from first: Int64 = .min, to last: Int64 = .max, _ body: (JournalEntry) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        var next = first
        while next <= last {
            let page = try entries(from: next, limit: 1000)
            guard let end = page.last?.number else { return }
            for entry in page where entry.number <= last { try body(entry) }
            next = end + 1
        }
    }

    /// Walks through all payments of a range of numbers, page by page.
    package func forEachPayment(
        from first: Int64 = .min, to last: Int64 = .max, _ body: (NumberedPayment) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        var next = first
        while next <= last {
            let page = try payments(from: next, limit: 1000)
            guard let end = page.last?.number else { return }
            for payment in page where payment.number <= last { try body(payment) }
            next = end + 1
        }
    }
}
