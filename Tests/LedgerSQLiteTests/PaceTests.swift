import GRDB
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

    private func ledger(leisure: Int, busyTimeout: Duration = .seconds(10)) async throws -> SQLiteLedger {
        let ledger = try SQLiteLedger(
            path: folder.path("ledger.sqlite"),
            settings: .init(
                busyTimeout: busyTimeout, leisure: leisure,
                onCommit: { [commits] _, steps in commits.sizes.withLock { $0.append(steps) } }))
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        try await ledger.reserve(.sample(1))
        commits.sizes.withLock { $0 = [] }
        return ledger
    }

    private func settle(in ledger: SQLiteLedger, onPlaced: () -> Void = {}) async throws -> PaymentState {
        try await ledger.book(
            .settled, of: PaymentIntent.sample(1).id, evidence: PaymentEvidence(), delivery: nil, at: .vectors,
            pace: .unhurried, onPlaced: onPlaced
        ).state
    }

    @Test("a step without hurry comes to the disk by itself")
    func alone() async throws {
        let ledger = try await ledger(leisure: 1)
        #expect(try await settle(in: ledger) == .settled)
        #expect(commits.sizes.withLock { $0 } == [1])
    }

    @Test("a step without hurry waits for one that has it, and shares its commit")
    func company() async throws {
        let ledger = try await ledger(leisure: 60_000)
        async let state = settle(in: ledger)
        // Long enough for it to wait there, and for a commit of its own.
        try await Task.sleep(for: .milliseconds(100))
        #expect(commits.sizes.withLock { $0 }.isEmpty)
        _ = try await ledger.reserve(.sample(2))
        #expect(try await state == .settled)
        #expect(commits.sizes.withLock { $0 } == [2])
    }

    @Test("a step that is submitted when another has its place runs after it, in the same commit")
    func place() async throws {
        let ledger = try await ledger(leisure: 60_000)
        let (places, placed) = AsyncStream.makeStream(of: Void.self)
        async let state = settle(in: ledger) { placed.yield() }
        _ = await places.first { true }
        _ = try await ledger.reserve(.sample(2))
        #expect(try await state == .settled)
        #expect(commits.sizes.withLock { $0 } == [2])
        let entries = try await ledger.read { (books) throws(LedgerError) in try books.entries(from: 1, limit: 100) }
        #expect(entries.suffix(2).map(\.line.cause) == ["settled", "reserved"])
    }

    @Test("when a shared commit fails, the step without hurry and the prompt one both fail")
    func failure() async throws {
        let ledger = try await ledger(leisure: 60_000, busyTimeout: .milliseconds(20))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.path("ledger.sqlite"), configuration: configuration)
        try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let (places, placed) = AsyncStream.makeStream(of: Void.self)
        let settling = Task { try await settle(in: ledger) { placed.yield() } }
        _ = await places.first { true }
        await #expect(throws: LedgerError.self) { try await ledger.reserve(.sample(2)) }
        await #expect(throws: LedgerError.self) { try await settling.value }
        try await other.writeWithoutTransaction { try $0.rollback() }
        #expect(try await ledger.payments(PaymentFilter()).map(\.state) == [.reserved])
    }

    @Test("what waits without hurry is on the disk before the books are closed")
    func closing() async throws {
        let ledger = try await ledger(leisure: 60_000)
        async let state = settle(in: ledger)
        // Long enough for it to wait there: nobody is told of what does.
        try await Task.sleep(for: .milliseconds(100))
        try ledger.close()
        #expect(try await state == .settled)
        let again = try SQLiteLedger(path: folder.path("ledger.sqlite"))
        #expect(try await again.payment(PaymentIntent.sample(1).id)?.state == .settled)
    }
}
