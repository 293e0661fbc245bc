package import Ledger

/// What becomes of a payment's agent and of the answer on its way to it.
extension PaymentEngine {
    /// Books that the agent of a payment has left before its outcome was known, once that was announced like an outcome.
    ///
    /// The outcome may still come, so the payment counts as outstanding at the gateway and keeps its approval's turn until
    /// ``book(_:of:isRepeat:isOrphan:delivery:note:)`` is called for it as an orphan's.
    package func loseSight(of payment: AuthorizedPayment) async {
        _ = await booking.book(
            Outcome(
                payment: payment.id, event: .lostSight,
                evidence: PaidAnswer.silence(reason: "the agent went away").evidence(signature: payment.signature),
                fingerprint: payment.fingerprint))
    }

    /// Books what became of the answer to a payment after its head, which meant `event`, once that was announced like an
    /// outcome; for an answer whose outcome was booked as ``AnswerDelivery/underWay``, or that was kept for a repetition.
    package func book(
        _ delivery: AnswerDelivery, of payment: AuthorizedPayment, after event: PaymentEvent
    ) async {
        guard let fate = payment.fate(of: delivery, after: event) else {
            return underWay.end(payment.fingerprint, isKept: false)
        }
        _ = await booking.book(
            Outcome(
                payment: payment.id, event: .answered, evidence: PaymentEvidence(), fingerprint: payment.fingerprint,
                delivery: fate))
    }
}
