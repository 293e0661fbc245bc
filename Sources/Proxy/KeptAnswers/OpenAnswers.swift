import Ledger
import NIOCore
import Payments
import Primitives
import Synchronization

/// The answers that are outstanding or kept for requests whose agents have left, on all event loops together.
final class OpenAnswers: Sendable {
    /// One of them.
    final class Entry: Sendable {
        /// What a repetition must have in common with its request; nil where no repetition may have the answer.
        let identity: RepetitionIdentity?
        /// SHA-256 of the Idempotency-Key of its request, when it had one.
        let key: Bytes32?
        /// What was paid for it.
        let payment: AuthorizedPayment
        /// From when on a repetition is a new purchase, though the answer is still kept; nil for never.
        let end: Timestamp?
        /// The exchange that reads it, on its own loop.
        let exchange: NIOLoopBound<Exchange>
        let loop: any EventLoop
        /// Whether the gateway has sent all of it, so that nothing more of it is to be waited for.
        fileprivate let isComplete = Atomic(false)
        /// Whether it is known that the money moved, so that another purchase does not send the same bytes.
        fileprivate let isPaid = Atomic(false)

        fileprivate var isWhole: Bool { isComplete.load(ordering: .relaxed) }
        /// Whether the seller may still be asked for the payment's outcome by a second sending of its bytes.
        fileprivate var isUndecided: Bool { !isWhole && !isPaid.load(ordering: .relaxed) }

        init(
            identity: RepetitionIdentity?, key: Bytes32?, payment: AuthorizedPayment, end: Timestamp? = nil,
            exchange: Exchange
        ) {
            self.end = end
            self.identity = identity
            self.key = key
            self.payment = payment
            self.exchange = NIOLoopBound(exchange, eventLoop: exchange.shared.loop)
            loop = exchange.shared.loop
        }
    }

    /// A request that repeats an earlier one.
    struct Repetition: Sendable {
        /// What it must have in common with the earlier request to have its answer.
        let identity: RepetitionIdentity
        /// Whether its agent says that it wants another purchase.
        let buysAgain: Bool
        /// Whether it can have the answer to another request at all.
        let mayJoin: Bool

        /// Whether it asks for a purchase of its own beside an open answer: with a key of its own, or without one by saying
        /// so.
        fileprivate func isPurchase(beside entry: Entry) -> Bool {
            identity.key.map { $0 != entry.key } ?? buysAgain
        }
    }

    private struct Request {
        var entries: [Entry] = []
        /// Who waits for a change, by number.
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private struct State {
        var requests: [Bytes32: Request] = [:]
        var lastWaiter: UInt64 = 0

        /// What is open to a request.
        ///
        /// One that asks for a purchase of its own waits only while it would get the bytes of an open one: two exchanges
        /// never send the same bytes at once.
        func look(_ fingerprint: Bytes32, for repetition: Repetition, at now: Timestamp) -> Find {
            var mustWait = false
            for entry in requests[fingerprint]?.entries ?? [] where entry.end.map({ now < $0 }) ?? true {
                if repetition.isPurchase(beside: entry) {
                    if entry.isUndecided { mustWait = true }
                } else if repetition.mayJoin, entry.identity == repetition.identity {
                    return .answer(entry)
                } else if !entry.isWhole {
                    mustWait = true
                }
            }
            return mustWait ? .others : .nothing
        }

        /// Takes an entry out; returns who waits for that.
        mutating func remove(_ entry: Entry) -> [UInt64: CheckedContinuation<Void, Never>] {
            let fingerprint = entry.payment.fingerprint
            guard var request = requests[fingerprint],
                let index = request.entries.firstIndex(where: { $0 === entry })
            else { return [:] }
            request.entries.remove(at: index)
            let waiting = request.waiting
            request.waiting = [:]
            requests[fingerprint] = request.entries.isEmpty ? nil : request
            return waiting
        }
    }

    private let state = Mutex(State())

    /// How many are open.
    var count: Int { state.withLock { $0.requests.values.reduce(0) { $0 + $1.entries.count } } }

    /// Whether any is open for requests with this fingerprint.
    func isOpen(_ fingerprint: Bytes32) -> Bool { state.withLock { $0.requests[fingerprint] != nil } }

    /// An agent has left, and a repetition of its request may have the answer.
    func open(_ entry: Entry) {
        state.withLock { $0.requests[entry.payment.fingerprint, default: Request()].entries.append(entry) }
    }

    /// The answer has ended, or nobody can have it any more; called as often as one likes.
    func close(_ entry: Entry) {
        let waiting = state.withLock { $0.remove(entry) }
        for waiter in waiting.values { waiter.resume() }
    }

    /// An answer is complete: it stays open to a request that may have it, and no other one waits for it.
    func complete(_ entry: Entry) { wake(entry) { entry.isComplete.store(true, ordering: .relaxed) } }

    /// It is on its way into the books that the money of an open answer moved: no other purchase waits for it.
    func paid(_ entry: Entry) { wake(entry) { entry.isPaid.store(true, ordering: .relaxed) } }

    /// Changes what is known of an answer, and lets those go on that wait for it.
    private func wake(_ entry: Entry, _ change: () -> Void) {
        let waiting = state.withLock { state -> [UInt64: CheckedContinuation<Void, Never>] in
            change()
            let waiting = state.requests[entry.payment.fingerprint]?.waiting ?? [:]
            state.requests[entry.payment.fingerprint]?.waiting = [:]
            return waiting
        }
        for waiter in waiting.values { waiter.resume() }
    }

    /// What an identical request may have.
    enum Find {
        case nothing
        /// This answer, which is open for nobody else any more.
        case answer(Entry)
        /// None: those that are open are not for it.
        case others
    }

    /// Looks for the answer to a request, the oldest first.
    func find(_ fingerprint: Bytes32, for repetition: Repetition, at now: Timestamp) -> Find {
        let (find, waiting) = state.withLock { state -> (Find, [UInt64: CheckedContinuation<Void, Never>]) in
            let find = state.look(fingerprint, for: repetition, at: now)
            // It has an agent again, which leaves it alone for those that wait.
            if case .answer(let entry) = find { return (find, state.remove(entry)) }
            return (find, [:])
        }
        for waiter in waiting.values { waiter.resume() }
        return find
    }

    /// Waits until something has changed of the answers that a request waits for, or the request is withdrawn.
    func changed(
        _ fingerprint: Bytes32, for repetition: Repetition, at now: Timestamp, withdrawal: Withdrawal
    ) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        // Before it waits: afterwards its task may already be in another wait.
        withdrawal.whenWithdrawn { self.leave(fingerprint, number) }
        defer { withdrawal.whenWithdrawn(nil) }
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard case .others = state.look(fingerprint, for: repetition, at: now) else { return true }
                state.requests[fingerprint]?.waiting[number] = waiter
                return false
            }
            if isOver { return waiter.resume() }
            if withdrawal.isWithdrawn { leave(fingerprint, number) }
        }
    }

    private func leave(_ fingerprint: Bytes32, _ number: UInt64) {
        state.withLock { $0.requests[fingerprint]?.waiting.removeValue(forKey: number) }?.resume()
    }

    /// How many wait.
    var waiting: Int { state.withLock { $0.requests.values.reduce(0) { $0 + $1.waiting.count } } }
}
