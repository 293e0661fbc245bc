import Ledger
import Primitives
import Synchronization

/// What happened to one payment, ready for the books.
struct Outcome: Sendable, Equatable {
    let payment: PaymentID
    let event: PaymentEvent
    let evidence: PaymentEvidence
    /// The request it is an outcome of, where an exchange announced it to ``OutcomesUnderWay``.
    var fingerprint: Bytes32?
    /// What it tells of the answer's way to the agent.
    var delivery: Delivery.Fate?
}

/// Outcomes that the books could not take, kept in memory until they can.
///
/// An outcome holds at most some 11 KiB of evidence, so the limit bounds the memory. What is taken out for another try
/// counts against it until the try has ended.
final class UnbookedOutcomes: Sendable {
    private struct State {
        var waiting: [Outcome] = []
        var taken = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// Makes an empty list of at most `limit` outcomes.
    init(limit: Int = 10_000) {
        self.limit = limit
    }

    /// Keeps an outcome; false when the limit is reached and it is lost.
    func add(_ outcome: Outcome) -> Bool {
        state.withLock { state in
            guard state.waiting.count + state.taken < limit else { return false }
            // Two that fail with one commit come here in any order, and what became of an answer goes after its outcome.
            let answered = state.waiting.firstIndex { $0.payment == outcome.payment && $0.event == .answered }
            if let answered, outcome.event != .answered {
                state.waiting.insert(outcome, at: answered)
            } else {
                state.waiting.append(outcome)
            }
            return true
        }
    }

    /// Whether anything of a payment waits, or may: what comes later has to go after it.
    func mayHold(_ payment: PaymentID) -> Bool {
        state.withLock { $0.taken > 0 || $0.waiting.contains { $0.payment == payment } }
    }

    /// Takes everything out for another try, oldest first; ``end(_:remaining:)`` must follow.
    func begin() -> [Outcome] {
        state.withLock { state in
            let outcomes = state.waiting
            state.waiting = []
            state.taken += outcomes.count
            return outcomes
        }
    }

    /// Ends a try of `count` outcomes; those that remain go before what came meanwhile.
    ///
    /// Returns how many wait now.
    func end(_ count: Int, remaining: [Outcome]) -> Int {
        state.withLock { state in
            state.taken -= count
            state.waiting.insert(contentsOf: remaining, at: 0)
            return state.waiting.count
        }
    }
}

extension LedgerError {
    /// Whether the same booking may succeed later.
    var isPassing: Bool {
        switch self {
        case .impossible, .unknownPayment, .unsound, .damaged: false
        case .storage, .unknownAgent, .agentExists, .duplicate, .newerSchema: true
        }
    }

    /// Whether a row that the booking needs does not say what it must: no repetition mends that.
    var isOfDamage: Bool {
        if case .damaged = self { true } else { false }
    }

    /// Whether every other booking would fail alike.
    var isOfStorage: Bool {
        if case .storage = self { true } else { false }
    }
}
