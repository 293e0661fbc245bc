import Ledger
import Payments
import Primitives
import Synchronization
import Transport

/// The question of one request, asked within its decision, and the answer that it got.
final class JoinQuestion: OpenAttempts {
    private let answers: OpenAnswers
    private let admitted: AdmittedRequest
    private let claim: AgentClaim
    private let clock: any WallClock
    private let mayJoin: Bool
    private let taken = Mutex<OpenAnswers.Entry?>(nil)

    /// Makes the question of a request; one that may not join only asks whether an answer is open.
    init(
        _ admitted: AdmittedRequest, of claim: AgentClaim, among answers: OpenAnswers, clock: any WallClock,
        mayJoin: Bool = true
    ) {
        self.clock = clock
        self.mayJoin = mayJoin
        self.admitted = admitted
        self.claim = claim
        self.answers = answers
    }

    /// The answer that the request has joined.
    var entry: OpenAnswers.Entry? { taken.withLock { $0 } }

    func isOpen(_ fingerprint: Bytes32) -> Bool { answers.isOpen(fingerprint) && !admitted.buysAgain }

    func find(_ fingerprint: Bytes32) -> OpenAttempt {
        guard mayJoin else { return isOpen(fingerprint) ? .elsewhere : .none }
        // Only where something is open is it worth the hash.
        switch answers.find(fingerprint, for: RepetitionIdentity(admitted, of: claim), at: clock.now()) {
        case .nothing: return .none
        case .answer(let entry):
            taken.withLock { $0 = entry }
            return .joined(entry.payment.id)
        case .others:
            let answers = answers
            return .unfinished { await answers.changed(fingerprint) }
        }
    }
}
