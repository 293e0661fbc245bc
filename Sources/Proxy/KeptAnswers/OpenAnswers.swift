import Ledger
import NIOCore
import Payments
import Primitives
import Synchronization

/// The answers that are outstanding or kept for requests whose agents have left, on all event loops together.
final class OpenAnswers: Sendable {
    /// One of them.
    final class Entry: Sendable {
        /// What a repetition must have in common with its request.
        let identity: RepetitionIdentity
        /// What was paid for it.
        let payment: AuthorizedPayment
        /// From when on a repetition is a new purchase, though the answer is still kept; nil for never.
        let end: Timestamp?
        /// The exchange that reads it, on its own loop.
        let exchange: NIOLoopBound<Exchange>
        let loop: any EventLoop
        /// Whether the gateway has sent all of it, so that nothing more of it is to be waited for.
        fileprivate let isComplete = Atomic(false)

        fileprivate var isWhole: Bool { isComplete.load(ordering: .relaxed) }

        init(identity: RepetitionIdentity, payment: AuthorizedPayment, end: Timestamp? = nil, exchange: Exchange) {
            self.end = end
            self.identity = identity
            self.payment = payment
            self.exchange = NIOLoopBound(exchange, eventLoop: exchange.shared.loop)
            loop = exchange.shared.loop
        }
    }

    private struct Request {
        var entries: [Entry] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private struct State {
        var requests: [Bytes32: Request] = [:]

        /// Takes an entry out; returns who waits for that.
        mutating func remove(_ entry: Entry) -> [CheckedContinuation<Void, Never>] {
            let fingerprint = entry.payment.fingerprint
            guard var request = requests[fingerprint],
                let index = request.entries.firstIndex(where: { $0 === entry })
            else { return [] }
            request.entries.remove(at: index)
            let waiting = request.waiting
            request.waiting = []
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
        for waiter in waiting { waiter.resume() }
    }

    /// An answer is complete: it stays open to a request that may have it, and no other one waits for it.
    func complete(_ entry: Entry) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            entry.isComplete.store(true, ordering: .relaxed)
            let waiting = state.requests[entry.payment.fingerprint]?.waiting ?? []
            state.requests[entry.payment.fingerprint]?.waiting = []
            return waiting
        }
        for waiter in waiting { waiter.resume() }
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
    ///
    /// A request with an Idempotency-Key of its own asks for a purchase of its own, and others' answers do not hold it up.
    func find(_ fingerprint: Bytes32, for identity: RepetitionIdentity, at now: Timestamp) -> Find {
        let (find, waiting) = state.withLock { state -> (Find, [CheckedContinuation<Void, Never>]) in
            let entries = (state.requests[fingerprint]?.entries ?? [])
                .filter { identity.key == nil || identity.key == $0.identity.key }
                .filter { entry in entry.end.map { now < $0 } ?? true }
            guard !entries.isEmpty else { return (.nothing, []) }
            guard let entry = entries.first(where: { $0.identity == identity }) else {
                return (entries.allSatisfy(\.isWhole) ? .nothing : .others, [])
            }
            // It has an agent again, which leaves it alone for those that wait.
            return (.answer(entry), state.remove(entry))
        }
        for waiter in waiting { waiter.resume() }
        return find
    }

    /// Waits until one of the answers to requests with this fingerprint has ended, or has an agent again.
    func changed(_ fingerprint: Bytes32) async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard let request = state.requests[fingerprint], !request.entries.allSatisfy(\.isWhole) else {
                    return true
                }
                state.requests[fingerprint]?.waiting.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
    }
}
