import Ledger
import LedgerSQLite
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("Steps without hurry")
struct PaceTests {
    private let folder: TemporaryFolder
    /// The steps of each commit so far.
    private let commits = Commits()

    private final class Commits: Sendable {
        let sizes = Mutex<[Int]>([])
    }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func ledger() async throws -> SQLiteLedger {
        let ledger = try SQLiteLedger(
            path: folder.path("ledger.sqlite"),
            settings: .init(onCommit: { [commits] _, steps in commits.sizes.withLock { $0.append(steps) } }))
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        try await ledger.reserve(.sample(1))
        return ledger
    }

    private func settle(in ledger: SQLiteLedger) async throws -> PaymentRecord {
        try await ledger.book(
            .settled, of: PaymentIntent.sample(1).id, evidence: PaymentEvidence(), at: .vectors, pace: .unhurried)
    }

    @Test("a step without hurry comes to the disk by itself")
    func alone() async throws {
        let ledger = try await ledger()
        #expect(try await settle(in: ledger).state == .settled)
        #expect(commits.sizes.withLock { $0 } == [1, 1, 1])
    }

    @Test("steps without hurry share the commits of those that have it")
    func company() async throws {
        let ledger = try await ledger()
        let before = commits.sizes.withLock { $0.count }
        for number: UInt64 in 2...31 {
            async let settled = ledger.book(
                .settled, of: PaymentIntent.sample(number - 1).id, evidence: PaymentEvidence(), at: .vectors,
                pace: .unhurried)
            for _ in 0..<3 { await Task.yield() }
            _ = try await ledger.reserve(.sample(number))
            #expect(try await settled.state == .settled)
        }
        let sizes = commits.sizes.withLock { $0.dropFirst(before) }
        #expect(sizes.reduce(0, +) == 60)
        // Each alone they would make sixty.
        #expect(sizes.count <= 45)
    }

    @Test("what waits without hurry is on the disk before the books are closed")
    func closing() async throws {
        let ledger = try await ledger()
        async let record = settle(in: ledger)
        for _ in 0..<100 { await Task.yield() }
        try ledger.close()
        #expect(try await record.state == .settled)
        let again = try SQLiteLedger(path: folder.path("ledger.sqlite"))
        #expect(try await again.payment(PaymentIntent.sample(1).id)?.state == .settled)
    }
}
