import Ledger
import LedgerSQLite
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Payments

@Suite("Repetitions and their commits", .timeLimit(.minutes(1)))
struct SharedCommitTests {
    /// How many steps each commit so far had.
    private final class Commits: Sendable {
        let sizes = Mutex<[Int]>([])
    }

    @Test("a repetition and the outcome before it share one commit, in their order")
    func sharing() async throws {
        let folder = try TemporaryFolder()
        let commits = Commits()
        // By itself an outcome would wait for a minute.
        let ledger = try SQLiteLedger(
            path: folder.path("ledger.sqlite"),
            settings: .init(leisure: 60_000, onCommit: { _, steps in commits.sizes.withLock { $0.append(steps) } }))
        let desk = try await Desk(store: ledger)
        try await ledger.add(desk.agent, limits: [CapLimit(.day, .cents(100))], by: "tester")
        let first = try await desk.paid()
        commits.sizes.withLock { $0 = [] }
        desk.engine.announceOutcome(of: first)
        async let outcome: Void = desk.engine.book(.silence(reason: "no answer in time"), of: first)
        let second = try await desk.paid()
        await outcome
        #expect(second.isAdopted && second.id == first.id)
        #expect(commits.sizes.withLock { $0 } == [2])
        let entries = try await ledger.history(of: first.id)
        #expect(entries.map(\.line.cause) == ["reserved", "lost-sight", "adopted"])
    }
}
