import Dispatch
import FaultPoints
import GRDB
import Ledger
import Synchronization

/// Lets steps that arrive together share one durable commit.
///
/// The first step that finds the writer idle wakes it; steps that come while a commit is being flushed wait and form
/// the next batch. A step without hurry wakes nobody: it goes with the next batch, or with one of its own after a while.
/// Steps run one behind the other in one transaction. Few ever fail, and of those that do most have written nothing; only
/// when one fails that has, the batch is undone and run again with a savepoint around each step, so that one that fails
/// does not undo its neighbours. Each caller goes on only after the commit. Everything runs on the writing connection's own
/// serial queue, never on an event loop or in the cooperative pool.
final class GroupCommit: Sendable {
    /// The most steps of one commit: what they share is shared by enough then, and nobody waits for many more.
    static let batchLimit = 256
    /// The shortest and the longest time a batch waits for company, in microseconds.
    private static let patience = 300...2000

    /// A step that waits: it runs inside the transaction and gives back how its caller is told of the commit.
    private typealias Step = @Sendable (BookKeeper) throws(Fault) -> Completion
    /// Tells the caller; nil when the commit held.
    private typealias Completion = @Sendable (LedgerError?) -> Void

    private struct Waiting: Sendable {
        let step: Step
        let pace: CommitPace
        /// Tells the caller that nothing was booked.
        let fail: @Sendable (LedgerError) -> Void
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var isDraining = false
        var isClosed = false
        /// How many of those that wait do so in a hurry.
        var hurried = 0
        /// Whether those without hurry have waited long enough, and whether somebody will say so.
        var isDue = false
        var isAlarmSet = false
        /// How many steps the writer waits for; 0 while it does not wait.
        var wanted = 0
    }

    /// The keeper of the transaction before; touched on the writing connection's queue alone.
    private final class Kept: @unchecked Sendable {
        var value: BookKeeper?
    }

    private let queue = Mutex(Queue())
    /// Signalled once, when as many steps wait as were wanted.
    private let company = DispatchSemaphore(value: 0)
    private let kept = Kept()
    private let pool: DatabasePool
    private let generation: RegistryGeneration
    /// How many milliseconds a step without hurry waits for another one's commit.
    private let leisure: Int
    private let onCommit: @Sendable (_ nanoseconds: Int64, _ steps: Int) -> Void

    init(
        pool: DatabasePool, generation: RegistryGeneration, leisure: Int,
        onCommit: @escaping @Sendable (_ nanoseconds: Int64, _ steps: Int) -> Void = { _, _ in }
    ) {
        self.pool = pool
        self.generation = generation
        self.leisure = leisure
        self.onCommit = onCommit
    }

    /// Runs a step in the next batch and returns its value once the batch is on the disk; `onPlaced` is called when
    /// every step that is submitted from then on runs after it.
    func perform<Value: Sendable>(
        _ pace: CommitPace = .prompt, onPlaced: () -> Void = {},
        _ body: @escaping @Sendable (BookKeeper) throws(Fault) -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, LedgerError> = await withCheckedContinuation { caller in
            let step: Step = { (keeper) throws(Fault) -> Completion in
                let value = try body(keeper)
                return { failure in caller.resume(returning: failure.map(Result.failure) ?? .success(value)) }
            }
            enqueue(Waiting(step: step, pace: pace) { caller.resume(returning: .failure($0)) })
            onPlaced()
        }
        return try result.get()
    }

    /// Refuses further steps; those that wait are still done.
    func close() {
        queue.withLock { $0.isClosed = true }
        leisureIsOver()
    }

    /// What is to be done once a step waits.
    private enum Arrival {
        case refused
        /// The writer is awake, or somebody will wake it.
        case nothing
        case wakeWriter
        case setAlarm
        /// The writer waits for no more company.
        case signal
    }

    private func enqueue(_ step: Waiting) {
        let arrival = queue.withLock { queue -> Arrival in
            guard !queue.isClosed else { return .refused }
            queue.waiting.append(step)
            if step.pace == .prompt { queue.hurried += 1 }
            if queue.wanted > 0, queue.waiting.count >= queue.wanted {
                queue.wanted = 0
                return .signal
            }
            guard !queue.isDraining else { return .nothing }
            if queue.hurried > 0 || queue.waiting.count >= Self.batchLimit {
                queue.isDraining = true
                return .wakeWriter
            }
            guard !queue.isAlarmSet else { return .nothing }
            queue.isAlarmSet = true
            return .setAlarm
        }
        switch arrival {
        case .refused: step.fail(.storage(StorageFailure.closed))
        case .nothing: break
        case .wakeWriter: wakeWriter()
        case .setAlarm: setAlarm()
        case .signal: company.signal()
        }
    }

    private func wakeWriter() {
        pool.asyncWriteWithoutTransaction { self.drain($0) }
    }

    private func setAlarm() {
        DispatchQueue.global(qos: .userInitiated).asyncAfter(deadline: .now() + .milliseconds(leisure)) {
            self.leisureIsOver()
        }
    }

    /// Steps without hurry have waited long enough.
    private func leisureIsOver() {
        let wakes = queue.withLock { queue in
            queue.isAlarmSet = false
            guard !queue.waiting.isEmpty else { return false }
            queue.isDue = true
            defer { queue.isDraining = true }
            return !queue.isDraining
        }
        if wakes { wakeWriter() }
    }

    private func drain(_ database: Database) {
        while let batch = nextBatch() {
            let start = DispatchTime.now()
            let completions = commit(batch, in: database)
            let time = DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds
            onCommit(Int64(clamping: time), batch.count)
            let half = Int(clamping: time / 2000)
            // Whoever was served is often back soon, and whoever waits is there already.
            let regulars = min(batch.count + queue.withLock { $0.waiting.count }, Self.batchLimit)
            for completion in completions { completion() }
            if regulars > 1 {
                gather(regulars, for: min(max(half, Self.patience.lowerBound), Self.patience.upperBound))
            }
        }
    }

    /// Waits until so many steps wait, but no longer than so many microseconds: less than those who would just have
    /// missed the commit would wait for the next one.
    private func gather(_ count: Int, for microseconds: Int) {
        let isAlone = queue.withLock { queue in
            guard queue.waiting.count < count else { return false }
            queue.wanted = count
            return true
        }
        guard isAlone, company.wait(timeout: .now() + .microseconds(microseconds)) == .timedOut else { return }
        let cameMeanwhile = queue.withLock { queue in
            defer { queue.wanted = 0 }
            return queue.wanted == 0
        }
        if cameMeanwhile { company.wait() }
    }

    private func nextBatch() -> [Waiting]? {
        let (batch, setsAlarm) = queue.withLock { queue -> ([Waiting]?, Bool) in
            let isFull = queue.waiting.count >= Self.batchLimit
            guard queue.hurried > 0 || queue.isDue || isFull, !queue.waiting.isEmpty else {
                queue.isDraining = false
                queue.isDue = false
                let someWait = !queue.waiting.isEmpty && !queue.isAlarmSet
                if someWait { queue.isAlarmSet = true }
                return (nil, someWait)
            }
            if queue.waiting.count <= Self.batchLimit {
                let batch = queue.waiting
                queue.waiting = []
                queue.waiting.reserveCapacity(batch.count)
                (queue.hurried, queue.isDue) = (0, false)
                return (batch, false)
            }
            let batch = Array(queue.waiting.prefix(Self.batchLimit))
            queue.waiting.removeFirst(batch.count)
            queue.hurried -= batch.count { $0.pace == .prompt }
            return (batch, false)
        }
        if setsAlarm { setAlarm() }
        return batch
    }

    /// Runs a batch to its commit and returns how its callers are told.
    private func commit(_ batch: [Waiting], in database: Database) -> [@Sendable () -> Void] {
        do throws(Fault) {
            var completions = try run(batch, guarded: false, in: database)
            if completions == nil { completions = try run(batch, guarded: true, in: database) }
            return (completions ?? []).map { completion in { completion(nil) } }
        } catch {
            let failure = error.ledgerError
            return batch.map { member in { member.fail(failure) } }
        }
    }

    /// Runs a batch in a transaction of its own; nil when it was undone because its steps need savepoints.
    private func run(_ batch: [Waiting], guarded: Bool, in database: Database) throws(Fault) -> [Completion]? {
        var completions: [Completion] = []
        completions.reserveCapacity(batch.count)
        do throws(Fault) {
            try database.run("BEGIN IMMEDIATE")
            FaultPoint.reach(.ledgerBegun)
            if let known = kept.value, try !known.isCurrent() { kept.value = nil }
            for member in batch {
                guard let completion = try attempt(member, guarded: guarded, in: database) else {
                    undo(in: database)
                    return nil
                }
                completions.append(completion)
                FaultPoint.reach(.ledgerStepped)
            }
            try kept.value?.known.flush(to: database)
            FaultPoint.reach(.ledgerFlushed)
            try database.run("COMMIT")
            FaultPoint.reach(.ledgerCommitted)
            kept.value?.known.trim()
        } catch {
            undo(in: database)
            throw error
        }
        return completions
    }

    private func undo(in database: Database) {
        if database.isInsideTransaction { try? database.run("ROLLBACK") }
        kept.value = nil
    }

    /// What is known of the books, read anew when nothing is.
    private func keeper(_ database: Database) throws(Fault) -> BookKeeper {
        if let known = kept.value { return known }
        let fresh = try BookKeeper(database: database, generation: generation)
        kept.value = fresh
        return fresh
    }

    /// Runs a step, in a savepoint when it is guarded; nil when it failed without one and had changed something.
    private func attempt(_ member: Waiting, guarded: Bool, in database: Database) throws(Fault) -> Completion? {
        let keeper = try keeper(database)
        if guarded {
            // What is undone with the step is thrown away with the set, so the books must have the rest.
            try keeper.known.flush(to: database)
            try database.run("SAVEPOINT step")
        }
        let before = (keeper.known.changes, database.totalChangesCount)
        do throws(Fault) {
            let completion = try member.step(keeper)
            if guarded { try database.run("RELEASE step") }
            return completion
        } catch {
            guard case .step(let reason) = error else { throw error }
            // Some failures make SQLite roll the whole transaction back by itself.
            guard database.isInsideTransaction else { throw .batch(reason) }
            if guarded {
                try database.run("ROLLBACK TO step")
                try database.run("RELEASE step")
                kept.value = nil
            } else if before != (keeper.known.changes, database.totalChangesCount) {
                return nil
            }
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
