/// Where a payment stands.
///
/// Raw values are the ledger's stored text and the JSON of the command line.
package enum PaymentState: String, Sendable, CaseIterable {
    /// A challenge that was not paid; no money was set aside.
    case refused
    /// Money is set aside; a signature may exist and may have left the process. The agent waits for the outcome.
    case reserved
    /// An unresolved attempt that a later identical request took over; its bytes are sent again and the agent waits.
    case resumed
    /// The seller reported settlement; booked at the full signed amount.
    case settled
    /// Counted as spent without proof: the answer was good but carried no usable report, or the window passed.
    case presumed
    /// The seller refused the payment; the authorization stays exposed until proof.
    case rejected
    /// Nobody knows: time-out, lost connection, server error, an agent that went away, or a restart.
    case inDoubt = "in-doubt"
    /// The process knows that no byte of the authorization reached a socket.
    case voided
    /// The chain shows that the nonce was used.
    case confirmed
    /// The chain shows that the nonce was not used and never can be.
    case released
    /// The window passed, and the gateway's operator chose not to wait for proof. Not counted, and not proven.
    case lapsed

    /// Whether an authorization may still be settled by somebody: the payment is exposure.
    package var isOpen: Bool {
        switch self {
        case .reserved, .resumed, .rejected, .inDoubt: true
        case .refused, .settled, .presumed, .voided, .confirmed, .released, .lapsed: false
        }
    }

    /// Whether the amount counts against caps.
    package var isCounted: Bool {
        switch self {
        case .reserved, .resumed, .settled, .presumed, .rejected, .inDoubt, .confirmed: true
        case .refused, .voided, .released, .lapsed: false
        }
    }

    /// Whether an agent is connected and waits for the outcome.
    package var isAttended: Bool { self == .reserved || self == .resumed }

    /// Whether the chain can still teach something: the fate of the authorization is not proven.
    package var isUnproven: Bool {
        switch self {
        case .rejected, .inDoubt, .presumed, .lapsed: true
        case .refused, .reserved, .resumed, .settled, .voided, .confirmed, .released: false
        }
    }
}

/// What happened to a reserved payment.
package enum PaymentEvent: String, Sendable, CaseIterable {
    /// The seller answered 2xx and reported success.
    case settled
    /// The seller answered 2xx without a usable report.
    case servedUnproven = "served-unproven"
    /// The seller answered 402 or reported failure.
    case rejected
    /// The seller rejected it after its agent had left. Booked only while no agent waits for the payment.
    case rejectedLate = "rejected-late"
    /// The outcome is unknown, or nobody waits for it any more.
    case lostSight = "lost-sight"
    /// No byte of the payment header was handed to a socket.
    case neverSent = "never-sent"
    /// The same bytes, sent again, met a seller that has seen them: 409, or the nonce is used.
    case alreadyUsed = "already-used"
    /// A later identical request of the agent took the attempt over.
    case adopted
    /// The signed window has passed and nobody could say whether the money moved.
    case windowPassed = "window-passed"
    /// The signed window has passed, and the gateway is set to release unproven payments then.
    case lapsed
    /// A final block shows the nonce used.
    case provenUsed = "proven-used"
    /// A final block at or past the end of the window shows the nonce unused.
    case provenUnused = "proven-unused"
    /// It is shown what a payment moved whose signed amount is a maximum; what it did not move is freed.
    case amountShown = "amount-shown"
    /// It is known what became of the answer on its way to the agent.
    case answered
    /// The same bytes are sent again for a payment that is settled or presumed, whose answer did not arrive or was a failure.
    case repeated
}

extension PaymentEvent {
    /// Whether the seller refused the payment.
    package var isRejection: Bool { self == .rejected || self == .rejectedLate }

    /// Whether the event can only come from somebody who says that the money moved.
    package var saysMoneyMoved: Bool {
        switch self {
        case .settled, .servedUnproven, .alreadyUsed, .provenUsed: true
        case .rejected, .rejectedLate, .lostSight, .neverSent, .adopted, .windowPassed, .lapsed, .provenUnused,
            .amountShown,
            .answered,
            .repeated:
            false
        }
    }
}

extension PaymentState {
    /// The state after an event, or nil when the event cannot happen in this state.
    ///
    /// The one transition table of the books. Money leaves exposure through `settled`, `servedUnproven`, `alreadyUsed`,
    /// `neverSent`, `windowPassed`, `lapsed` and the chain; never because a seller says that it did not take it. Late
    /// outcomes of a payment that is closed leave it as it is and their evidence with it. What was sent once can never
    /// become `voided`: an adopter that sent nothing has lost sight of what was sent before.
    package func after(_ event: PaymentEvent) -> PaymentState? {
        switch self {
        case .refused, .voided: nil
        case .reserved: event == .neverSent ? .voided : attended(event)
        case .resumed: attended(event)
        case .rejected, .inDoubt: unattended(event)
        case .presumed:
            switch event {
            case .settled: .settled
            case .provenUsed: .confirmed
            case .provenUnused: .released
            case .servedUnproven, .rejected, .rejectedLate, .lostSight, .alreadyUsed, .answered, .repeated: .presumed
            case .neverSent, .adopted, .windowPassed, .lapsed, .amountShown: nil
            }
        case .lapsed:
            switch event {
            case .settled: .settled
            case .servedUnproven, .alreadyUsed: .presumed
            case .provenUsed: .confirmed
            case .provenUnused: .released
            case .rejected, .rejectedLate, .lostSight, .answered: .lapsed
            case .neverSent, .adopted, .windowPassed, .lapsed, .amountShown, .repeated: nil
            }
        case .settled, .confirmed, .released:
            switch event {
            case .settled, .servedUnproven, .rejected, .rejectedLate, .lostSight, .alreadyUsed, .answered: self
            case .amountShown, .repeated: self == .released ? nil : self
            case .neverSent, .adopted, .windowPassed, .lapsed, .provenUsed, .provenUnused: nil
            }
        }
    }

    private func attended(_ event: PaymentEvent) -> PaymentState? {
        switch event {
        case .settled: .settled
        case .servedUnproven, .alreadyUsed: .presumed
        case .rejected: .rejected
        case .lostSight: .inDoubt
        case .neverSent, .rejectedLate, .adopted, .windowPassed, .lapsed, .provenUsed, .provenUnused, .amountShown,
            .answered, .repeated:
            nil
        }
    }

    private func unattended(_ event: PaymentEvent) -> PaymentState? {
        switch event {
        case .settled: .settled
        case .servedUnproven, .alreadyUsed: .presumed
        case .rejected, .rejectedLate: .rejected
        case .lostSight, .answered: self
        case .adopted: .resumed
        case .windowPassed: .presumed
        case .lapsed: .lapsed
        case .provenUsed: .confirmed
        case .provenUnused: .released
        case .neverSent, .amountShown, .repeated: nil
        }
    }
}
