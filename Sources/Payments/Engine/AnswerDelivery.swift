package import Ledger
package import Primitives

/// What became of the answer to a payment on its way to the agent.
///
/// An exchange says it once it knows: with the outcome where the answer's end came together with its head, else later. What
/// is kept of an answer and handed to a repetition of the request says it in the same way.
package enum AnswerDelivery: Sendable, Equatable {
    /// The head came, the rest is to come, and the agent is connected.
    case underWay
    /// The agent has the seller's whole answer, of that status.
    case whole(status: Int)
    /// The seller, or this process, broke the answer off, or the agent was given another one instead.
    case cut
    /// The agent left while it received an answer of that status.
    case left(status: Int)
}

extension AuthorizedPayment {
    /// What the books are told of an answer whose head meant `event` for the payment; nil when it says nothing about what a
    /// repetition of the request should get.
    ///
    /// A failure of a payment that was closed before counts as one that was delivered only where the seller says in the same
    /// answer that it took the money: else the good answer is still owed.
    func fate(of delivery: AnswerDelivery?, after event: PaymentEvent, isOrphan: Bool = false) -> Delivery.Fate? {
        if event == .alreadyUsed { return .undelivered }
        switch delivery {
        // Without an agent nobody has it.
        case nil: return isOrphan ? .undelivered : nil
        case .underWay: return .underWay
        case .cut: return .undelivered
        case .left(let status): return event == .settled && (200..<300).contains(status) ? .left : .undelivered
        case .whole(let status):
            switch status {
            case ..<400: return .delivered
            // A seller that asks for money again has neither failed nor served.
            case 402:
                guard state.isOpen else { return .undelivered }
                return state.after(event)?.isOpen == false ? .delivered : nil
            default: return state.isOpen || event == .settled ? .failed : .undelivered
            }
        }
    }

    /// The moment from which the same request is a new purchase, where the seller says that these bytes are used.
    package var newPurchaseAt: Timestamp? { heldUntil ?? (state.isOpen ? deadAt : nil) }

    /// When the authorization is dead by every clock.
    private var deadAt: Timestamp {
        Timestamp(seconds: terms.validBefore).adding(seconds: ReservationRequest.liveMargin)
    }

    /// Whether it is sent again for a request whose money is gone, because its answer did not arrive or was a failure.
    package var isHeldRepetition: Bool { heldUntil != nil }

    /// Whether a repetition of the request that begins so many seconds after `now` would get the same bytes again, where
    /// `event` is what the answer meant: nothing else would be signed, and a seller could still take them.
    package func isRepeatedSafely(after event: PaymentEvent, at now: Timestamp, in seconds: Int64) -> Bool {
        guard let next = state.after(event), next.isOpen else { return false }
        let left = terms.validBefore - now.seconds - ReservationRequest.shortestResend
        return seconds >= 0 && seconds <= left
    }
}
