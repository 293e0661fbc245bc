import FaultPoints
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A process that is killed at a durable step, and what its successor finds.
@Suite("Killed at a durable step")
struct KillTests {
    private static let points: [FaultPoint] = [.ledgerBegun, .ledgerStepped, .ledgerFlushed, .ledgerCommitted]

    @Test(
        "what left a killed process is in the books, nothing is counted twice, and the hashes hold",
        arguments: points, [1, 2, 7, 40, 90])
    func kill(point: FaultPoint, count: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let told = folder.path("told")
        let first = try SQLiteLedger(path: path)
        try await first.add(.sample(caps: [CapLimit(.day, .cents(10_000)), CapLimit(.hour, .payments, UInt256(9999))]))
        try first.close()
        let fault = "\(point.rawValue):\(count)"
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, told = told as String, fault = fault as String] in
            unsafe setenv("PURSER_FAULT", fault, 1)
            try await payTogether(path: path, told: told)
        }
        let second = try SQLiteLedger(path: path)
        let records = try await second.payments(PaymentFilter(limit: 10_000))
        let known = Dictionary(uniqueKeysWithValues: records.map { ($0.id.description, $0.state) })
        for line in try folder.lines(of: "told") {
            let words = line.split(separator: " ")
            let state = try #require(known[String(words[0])], "\(line) left the process and is not booked")
            #expect(words[1] == "reserved" ? state != .voided : state.rawValue == words[1], "\(line)")
        }
        _ = try await second.doubtAttended(at: .vectors)
        let counted = records.count { $0.state.isCounted }
        #expect(try await second.used(.day) == .cents(Int64(counted)))
        try await checkBooks(of: second)
    }

    private func checkBooks(of ledger: SQLiteLedger) async throws {
        try await ledger.read { (books) throws(LedgerError) in
            var previous = JournalEntry.origin
            var net: [String: Int64] = [:]
            try books.forEachEntry { (entry) throws(LedgerError) in
                let hash = JournalEntry.hash(of: entry.line, number: entry.number, at: entry.at, behind: previous)
                #expect(entry.hash == hash, "entry \(entry.number)")
                previous = entry.hash
                guard let transfer = entry.line.transfer, let amount = transfer.amount.uint64 else { return }
                net[transfer.debit.description, default: 0] += Int64(amount)
                net[transfer.credit.description, default: 0] -= Int64(amount)
            }
            for balance in try books.balances() {
                let kept = Int64(balance.debits.uint64 ?? 0) - Int64(balance.credits.uint64 ?? 0)
                #expect(kept == net[balance.account.description], "\(balance.account)")
            }
            for cap in try books.rules().allCaps {
                #expect(try books.counter(of: cap.key) == books.recounted(cap, at: .vectors), "\(cap.limit)")
            }
        }
    }
}

/// Eight callers that reserve, tell it, settle, and tell that, until the process dies.
private func payTogether(path: String, told: String) async throws {
    let ledger = try SQLiteLedger(path: path)
    let descriptor = unsafe open(told, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    @Sendable func tell(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
        for caller: UInt64 in 0..<8 {
            group.addTask {
                for round: UInt64 in 0..<100 {
                    let intent = PaymentIntent.sample(caller * 100 + round)
                    guard try await ledger.reserve(intent, at: .vectors).record != nil else { continue }
                    tell("\(intent.id) reserved")
                    let event: PaymentEvent = round.isMultiple(of: 3) ? .rejected : .settled
                    let booked = try await ledger.book(
                        event, of: intent.id, evidence: PaymentEvidence(status: 200, reason: "an answer"), at: .vectors)
                    tell("\(intent.id) \(booked.state.rawValue)")
                }
            }
        }
        try await group.waitForAll()
    }
}
