import FaultPoints
import GRDB
import Ledger
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Lets steps that arrive together share one durable commit.
///
/// The first step that finds the writer idle wakes it; steps that come while a commit is being flushed wait and form
/// the next batch. Each step runs in its own savepoint, so that one that fails does not undo its neighbours, and each
/// caller goes on only after the commit. Everything runs on the writing connection's own serial queue, never on an
/// event loop or in the cooperative pool.
final class GroupCommit: Sendable {
    /// The most steps of one commit: larger batches cost waiting time and gain nothing.
    static let batchLimit = 64
    /// How long a batch waits for company when the one before it had some, in microseconds: far less than a payment
    /// takes, and it saves the disk every other flush.
    private static let gatheringTime: UInt32 = 400

    /// A step that waits: it runs inside the transaction and gives back how its caller is told of the commit.
    private typealias Step = @Sendable (BookKeeper) throws(Fault) -> Completion
    /// Tells the caller; nil when the commit held.
    private typealias Completion = @Sendable (LedgerError?) -> Void

    private struct Waiting: Sendable {
        let step: Step
        /// Tells the caller that nothing was booked.
        let fail: @Sendable (LedgerError) -> Void
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var isDraining = false
        var isClosed = false
    }

    /// The keeper of the transaction before; touched on the writing connection's queue alone.
    private final class Kept: @unchecked Sendable {
        var value: BookKeeper?
    }

    private let queue = Mutex(Queue())
    private let kept = Kept()
    private let pool: DatabasePool
    private let generation: RegistryGeneration

    init(pool: DatabasePool, generation: RegistryGeneration) {
        self.pool = pool
        self.generation = generation
    }

    /// Runs a step in the next batch and returns its value once the batch is on the disk.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (BookKeeper) throws(Fault) -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, LedgerError> = await withCheckedContinuation { caller in
            let step: Step = { (keeper) throws(Fault) -> Completion in
                let value = try body(keeper)
                return { failure in caller.resume(returning: failure.map(Result.failure) ?? .success(value)) }
            }
            enqueue(Waiting(step: step) { caller.resume(returning: .failure($0)) })
        }
        return try result.get()
    }

    /// Refuses further steps; those that wait are still done.
    func close() {
        queue.withLock { $0.isClosed = true }
    }

    private func enqueue(_ step: Waiting) {
        let (isRefused, wakes) = queue.withLock { queue in
            guard !queue.isClosed else { return (true, false) }
            queue.waiting.append(step)
            defer { queue.isDraining = true }
            return (false, !queue.isDraining)
        }
        if isRefused { return step.fail(.storage(StorageFailure.closed)) }
        if wakes { pool.asyncWriteWithoutTransaction { self.drain($0) } }
    }

    private func drain(_ database: Database) {
        while let batch = nextBatch() {
            commit(batch, in: database)
            if batch.count > 1 { usleep(Self.gatheringTime) }
        }
    }

    private func nextBatch() -> [Waiting]? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else {
                queue.isDraining = false
                return nil
            }
            let batch = Array(queue.waiting.prefix(Self.batchLimit))
            queue.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: [Waiting], in database: Database) {
        var completions: [Completion] = []
        completions.reserveCapacity(batch.count)
        do throws(Fault) {
            try database.run("BEGIN IMMEDIATE")
            FaultPoint.reach(.ledgerBegun)
            let keeper = try keeper(database)
            for member in batch {
                completions.append(try attempt(member, alone: batch.count == 1, keeper))
                FaultPoint.reach(.ledgerStepped)
            }
            try keeper.known.flush(to: database)
            FaultPoint.reach(.ledgerFlushed)
            try database.run("COMMIT")
            FaultPoint.reach(.ledgerCommitted)
        } catch {
            if database.isInsideTransaction { try? database.run("ROLLBACK") }
            kept.value = nil
            let failure = error.ledgerError
            for completion in completions { completion(failure) }
            for member in batch.dropFirst(completions.count) { member.fail(failure) }
            return
        }
        for completion in completions { completion(nil) }
    }

    /// What is known of the books from the transaction before, unless somebody else has written since.
    private func keeper(_ database: Database) throws(Fault) -> BookKeeper {
        if let known = kept.value, try known.isCurrent() { return known }
        let fresh = try BookKeeper(database: database, generation: generation)
        kept.value = fresh
        return fresh
    }

    /// Runs a step in its savepoint; a lone step needs none, for the transaction is its own.
    private func attempt(_ member: Waiting, alone: Bool, _ keeper: BookKeeper) throws(Fault) -> Completion {
        let database = keeper.database
        if !alone { try database.run("SAVEPOINT step") }
        let head = keeper.known.head
        do throws(Fault) {
            let completion = try member.step(keeper)
            if !alone { try database.run("RELEASE step") }
            return completion
        } catch {
            guard case .step(let reason) = error else { throw error }
            // Some failures make SQLite roll the whole transaction back by itself; and what is known of the books must
            // not be ahead of them.
            guard database.isInsideTransaction, keeper.known.head == head else { throw .batch(reason) }
            if alone { throw .batch(reason) }
            try database.run("ROLLBACK TO step")
            try database.run("RELEASE step")
            return { failure in member.fail(failure ?? reason) }
        }
    }
}

extension Database {
    /// Runs a cached statement without parameters.
    func run(_ sql: String) throws(Fault) {
        var statement = try Prepared(sql, in: self)
        try statement.run()
    }
}
