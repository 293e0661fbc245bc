import Ledger
import Payments
import Primitives
import Synchronization
import Transport

/// The question of one request, asked within its decision, and the answer that it got.
final class JoinQuestion: OpenAttempts {
    /// What a request may do with an answer that is open.
    enum Way {
        /// It may have it.
        case joining
        /// It has its own, and waits while the same bytes are out for another one.
        case waiting
        /// It asks its seller first, and decides then.
        case asking
    }

    private let answers: OpenAnswers
    private let admitted: AdmittedRequest
    private let claim: AgentClaim
    private let withdrawal: Withdrawal
    private let clock: any WallClock
    private let way: Way
    private let taken = Mutex<OpenAnswers.Entry?>(nil)

    /// Makes the question of a request.
    init(
        _ admitted: AdmittedRequest, of claim: AgentClaim, withdrawal: Withdrawal, among answers: OpenAnswers,
        clock: any WallClock, as way: Way
    ) {
        self.withdrawal = withdrawal
        self.clock = clock
        self.way = way
        self.admitted = admitted
        self.claim = claim
        self.answers = answers
    }

    /// The answer that the request has joined.
    var entry: OpenAnswers.Entry? { taken.withLock { $0 } }

    func isOpen(_ fingerprint: Bytes32) -> Bool { answers.isOpen(fingerprint) }

    func find(_ fingerprint: Bytes32) -> OpenAttempt {
        guard way != .asking else { return isOpen(fingerprint) ? .elsewhere : .none }
        // Only where something is open is it worth the hash.
        let repetition = OpenAnswers.Repetition(
            identity: RepetitionIdentity(admitted, of: claim), buysAgain: admitted.buysAgain, mayJoin: way == .joining)
        let (answers, clock, withdrawal) = (answers, clock, withdrawal)
        switch answers.find(fingerprint, for: repetition, at: clock.now()) {
        case .nothing: return .none
        case .answer(let entry):
            taken.withLock { $0 = entry }
            return .joined(entry.payment.id)
        case .others:
            return .unfinished {
                await answers.changed(fingerprint, for: repetition, at: clock.now(), withdrawal: withdrawal)
            }
        }
    }
}
