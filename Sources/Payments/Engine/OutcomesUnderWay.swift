import Primitives
import Synchronization

/// The requests that are being decided, or that have an outcome or the departure of their agent on its way into the books.
///
/// An agent may repeat its request as soon as it has its answer, or has left. The repetition must find the books as that
/// answer left them: otherwise the attempt seems to have a waiting agent, and the repetition is paid separately instead of
/// adopting it. So a reservation is submitted to the ledger after everything that is known of its request, and signed only
/// when that is booked. ``RequestOrder`` has the rules.
final class OutcomesUnderWay: Sendable {
    /// A decision that runs.
    struct Decision: Sendable, Equatable {
        fileprivate let fingerprint: Bytes32
        fileprivate let number: Int
    }

    private typealias Waiter = CheckedContinuation<Int?, Never>
    private typealias Order = RequestOrder<Waiter>

    private let requests = Mutex<[Bytes32: Order]>([:])

    /// Whether nothing is under way.
    var isEmpty: Bool { requests.withLock { $0.isEmpty } }

    /// An outcome of a request with this fingerprint is known; called before anybody can hear of it.
    func begin(_ fingerprint: Bytes32) {
        change(fingerprint) { $0.announce() }
    }

    /// The outcome has its place among the ledger's steps: every step that is submitted from now on runs after it.
    ///
    /// Returns the number that names it to ``end(_:place:isKept:)``.
    func place(_ fingerprint: Bytes32) -> Int {
        let (number, answers) = change(fingerprint) { $0.place() }
        resume(answers)
        return number
    }

    /// The booking of an outcome has ended; `place` is nil when it never had one, `isKept` says that the books could not take
    /// it.
    func end(_ fingerprint: Bytes32, place: Int? = nil, isKept: Bool) {
        resume(change(fingerprint) { $0.end(place, isKept: isKept) })
    }

    /// An outcome that was kept is booked, or given up.
    func release(_ fingerprint: Bytes32) {
        change(fingerprint) { $0.release() }
    }

    /// Waits for a turn and begins a decision; nil when an outcome is kept that the books could not take.
    ///
    /// `hasLeft` says whether the agent has left; it is called under a lock, for as long as the decision runs.
    func beginDecision(_ fingerprint: Bytes32, hasLeft: @escaping @Sendable () -> Bool) async -> Decision? {
        if let number = change(fingerprint, { $0.begin(hasLeft: hasLeft) }) {
            return Decision(fingerprint: fingerprint, number: number)
        }
        let number = await withCheckedContinuation { waiter in
            resume(change(fingerprint) { $0.ask(waiter, hasLeft: hasLeft) })
        }
        return number.map { Decision(fingerprint: fingerprint, number: $0) }
    }

    /// The step of a decision has its place among the ledger's steps: the next decision may submit its own.
    func endTurn(of decision: Decision) {
        resume(change(decision.fingerprint) { $0.endTurn(decision.number) })
    }

    /// Waits until the outcomes before a decision's turn are booked; false when the books could not take one.
    func confirm(_ decision: Decision) async -> Bool {
        if change(decision.fingerprint, { $0.isConfirmed(decision.number) }) { return true }
        return await withCheckedContinuation { waiter in
            resume(change(decision.fingerprint) { $0.confirm(decision.number, for: waiter) })
        } != nil
    }

    /// Waits until the outcomes that were announced during a decision have their places among the ledger's steps.
    func awaitPlaces(_ decision: Decision) async {
        _ = await withCheckedContinuation { waiter in
            resume(change(decision.fingerprint) { $0.awaitPlaces(decision.number, for: waiter) })
        }
    }

    /// A decision is over, and what it made of the attempt is announced.
    func end(_ decision: Decision) {
        resume(change(decision.fingerprint) { $0.endDecision(decision.number) })
    }

    /// Changes the order of a request, which is forgotten when nothing of it is under way.
    private func change<Value: Sendable>(_ fingerprint: Bytes32, _ body: (inout Order) -> Value) -> Value {
        requests.withLock { requests in
            var isIdle = false
            let value = requests[fingerprint, default: Order()].changed(by: body, isIdle: &isIdle)
            if isIdle { requests[fingerprint] = nil }
            return value
        }
    }

    private func resume(_ answers: [Order.Answer]) {
        for (waiter, number) in answers { waiter.resume(returning: number) }
    }
}

extension RequestOrder {
    /// Changes the order in its place.
    fileprivate mutating func changed<Value>(by body: (inout Self) -> Value, isIdle: inout Bool) -> Value {
        defer { isIdle = self.isIdle }
        return body(&self)
    }
}
