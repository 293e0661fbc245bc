import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Audit

/// Books that are made up page by page as they are read: nobody ever holds them.
///
/// Payment n is reserved by entry 2n - 1 and settled by entry 2n, except that the settlement comes `lag` payments later.
private final class EndlessBooks: LedgerSnapshot {
    let count: Int64
    let lag: Int64
    private let hash = Mutex(JournalEntry.origin)
    let largestPage = Mutex(0)

    init(payments count: Int64, lag: Int64) {
        self.count = count
        self.lag = lag
    }

    private func note(_ limit: Int) { largestPage.withLock { $0 = max($0, limit) } }

    private func time(_ number: Int64) -> Timestamp { .vectors.adding(seconds: number) }

    private func record(_ number: Int64) -> PaymentRecord {
        let reserved = PaymentRecord(reserving: .sample(UInt64(number)), at: time(number))
        return reserved.after(
            .settled, at: time(min(number + lag, count + lag)), evidence: PaymentEvidence(status: 200))
    }

    /// The steps of one second: first a reservation, then the settlement of the payment `lag` before.
    private func lines(at second: Int64) -> [JournalLine] {
        var lines: [JournalLine] = []
        if second <= count {
            let reserved = PaymentRecord(reserving: .sample(UInt64(second)), at: time(second))
            lines.append(reserved.firstLine(cause: "reserved"))
        }
        if second > lag {
            let reserved = PaymentRecord(reserving: .sample(UInt64(second - lag)), at: time(second - lag))
            lines.append(record(second - lag).line(.settled, from: reserved, leaving: PaymentEvidence(status: 200)))
        }
        return lines
    }

    /// The second and the place in it of an entry: one entry each until the first settlement, then two, then one.
    private func place(_ number: Int64) -> (second: Int64, index: Int) {
        if number <= lag { return (number, 0) }
        let inTwos = number - lag - 1
        if inTwos < (count - lag) * 2 { return (lag + 1 + inTwos / 2, Int(inTwos % 2)) }
        return (count + 1 + inTwos - (count - lag) * 2, 0)
    }

    func entries(from number: Int64, limit: Int) throws(LedgerError) -> [JournalEntry] {
        note(limit)
        let number = max(number, 1)
        var page: [JournalEntry] = []
        for number in number..<min(number + Int64(limit), count * 2 + 1) {
            let (second, index) = place(number)
            let previous = number == 1 ? JournalEntry.origin : hash.withLock { $0 }
            let entry = JournalEntry(lines(at: second)[index], number: number, at: time(second), behind: previous)
            hash.withLock { $0 = entry.hash }
            page.append(entry)
        }
        return page
    }

    func evidence(ofEntries range: ClosedRange<Int64>) throws(LedgerError) -> [Int64: PaymentEvidence] {
        var rows: [Int64: PaymentEvidence] = [:]
        for number in range where number <= count * 2 {
            let (second, index) = place(number)
            if second > count || index == 1 { rows[number] = PaymentEvidence(status: 200) }
        }
        return rows
    }

    func payments(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedPayment] {
        note(limit)
        let number = max(number, 1)
        guard number <= count else { return [] }
        return (number...min(number + Int64(limit) - 1, count)).map {
            NumberedPayment(number: $0, record: record($0))
        }
    }

    func calls(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedCall] { [] }
    func firstEntry(since time: Timestamp) throws(LedgerError) -> Int64 { 1 }
    func firstPayment(since time: Timestamp) throws(LedgerError) -> Int64 { 1 }
    func balances() throws(LedgerError) -> [AccountBalance] { [] }
    func rules() throws(LedgerError) -> Rulebook { Rulebook(generation: 1, agents: [], caps: [], freezes: []) }
    func rejections() throws(LedgerError) -> [String: GatewayRejections] { [:] }
    func firstCountedRejection() throws(LedgerError) -> Int64 { 1 }
    func unfundedWallets() throws(LedgerError) -> UnfundedWallets { UnfundedWallets() }
    func counter(of key: Cap.Key) throws(LedgerError) -> CapCounter? { nil }
    func recounted(_ cap: Cap, at now: Timestamp) throws(LedgerError) -> CapCounter { CapCounter() }
}

@Suite("Large ledgers")
struct LargeLedgerTests {
    @Test("only payments under way are kept, however many there are")
    func kept() throws {
        let books = EndlessBooks(payments: 3000, lag: 20)
        var findings = Findings()
        var histories = try HistoryCheck(
            books, signatures: SignatureCheck(assets: try .pinned(), curve: try Secp256k1Context(seed: .zero)))
        var most = 0
        try books.forEachEntry { (entry) throws(LedgerError) in
            try histories.examine(entry, &findings)
            most = max(most, histories.kept)
        }
        try histories.finish(&findings)
        #expect(findings.all.compactMap(\.failure) == [])
        #expect(findings.all.first { $0.name == .payments }?.examined == 3000)
        #expect(most <= 22)
        #expect(books.largestPage.withLock { $0 } == 1000)
    }

    @Test("a whole verification reads pages alone")
    func pages() throws {
        let count: Int64 = 2000
        let books = EndlessBooks(payments: count, lag: 5)
        let verification = Verification(assets: try .pinned(), curve: try Secp256k1Context(seed: .zero))
        let report = try verification.report(on: books, at: .vectors)
        // There are no balances in these books, and that is told.
        #expect(report.checks.filter { $0.failure != nil }.map(\.name) == [.balances])
        #expect(report[.chain].examined == count * 2)
    }
}
