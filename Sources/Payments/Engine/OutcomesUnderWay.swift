import Primitives
import Synchronization

/// Which requests are being decided, or have an outcome or the departure of their agent on its way into the books.
///
/// An agent may repeat its request as soon as it has its answer, or has gone. The repetition must find the books as that
/// answer left them: else the attempt would seem to have an agent that waits, and be paid beside instead of taken over.
/// So whoever wants to set money aside for a request asks the ledger for that after everything known of the request, and
/// signs once that is booked. ``RequestOrder`` has the rules.
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
        requests.withLock { $0[fingerprint, default: Order()].announce() }
    }

    /// The outcome has its place among the ledger's steps: what is asked of the ledger from now on comes after it.
    ///
    /// Returns what names it to ``end(_:place:isKept:)``.
    func place(_ fingerprint: Bytes32) -> Int {
        let (number, answers) = requests.withLock { $0[fingerprint, default: Order()].place() }
        tell(answers)
        return number
    }

    /// Its booking has run; `place` is nil when it never came to have one, `isKept` says that the books could not take it.
    func end(_ fingerprint: Bytes32, place: Int? = nil, isKept: Bool) {
        change(fingerprint) { $0.end(place, isKept: isKept) }
    }

    /// An outcome that was kept is booked, or given up.
    func release(_ fingerprint: Bytes32) {
        change(fingerprint) { order in
            order.release()
            return []
        }
    }

    /// Waits for a turn and begins a decision; nil when an outcome is kept that the books could not take.
    ///
    /// `hasLeft` says whether the agent has left; it is asked under a lock, for as long as the decision runs.
    func beginDecision(_ fingerprint: Bytes32, hasLeft: @escaping @Sendable () -> Bool) async -> Decision? {
        let number = await withCheckedContinuation { waiter in
            change(fingerprint) { $0.ask(waiter, hasLeft: hasLeft) }
        }
        return number.map { Decision(fingerprint: fingerprint, number: $0) }
    }

    /// What a decision asks of the ledger has its place there: the next one may ask.
    func endTurn(of decision: Decision) {
        change(decision.fingerprint) { $0.endTurn(decision.number) }
    }

    /// Waits until the outcomes before a decision's turn are booked; false when the books could not take one.
    func confirm(_ decision: Decision) async -> Bool {
        await withCheckedContinuation { waiter in
            change(decision.fingerprint) { $0.confirm(decision.number, for: waiter) }
        } != nil
    }

    /// A decision is over, and what it made of the attempt is announced.
    func end(_ decision: Decision) {
        change(decision.fingerprint) { $0.endDecision(decision.number) }
    }

    /// Changes the order of a request, which is forgotten once nothing is under way, and tells those who go on.
    private func change(_ fingerprint: Bytes32, _ body: (inout Order) -> [Order.Answer]) {
        let answers = requests.withLock { requests in
            let answers = body(&requests[fingerprint, default: Order()])
            if requests[fingerprint]?.isIdle == true { requests[fingerprint] = nil }
            return answers
        }
        tell(answers)
    }

    private func tell(_ answers: [Order.Answer]) {
        for (waiter, number) in answers { waiter.resume(returning: number) }
    }
}
