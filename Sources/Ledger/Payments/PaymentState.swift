/// Where a payment stands.
///
/// Raw values are the ledger's stored text and the JSON of the command line.
package enum PaymentState: String, Sendable, CaseIterable {
    /// A challenge that was not paid; no money was set aside.
    case refused
    /// Money is set aside; a signature may exist and may have left the process.
    case reserved
    /// The seller reported settlement; booked at the full signed amount.
    case settled
    /// Counted as spent without proof: the answer was good but carried no usable report, or the window passed.
    /// Only a report of settlement changes it; any other late outcome adds its evidence.
    case presumed
    /// The seller refused the payment; the authorization stays exposed until proof.
    case rejected
    /// Nobody knows: time-out, lost connection, server error, or a restart.
    case inDoubt = "in-doubt"
    /// The process knows that no byte of the authorization reached a socket.
    case voided

    /// Whether an authorization may still be settled by somebody: the payment is exposure.
    package var isOpen: Bool {
        switch self {
        case .reserved, .rejected, .inDoubt: true
        case .refused, .settled, .presumed, .voided: false
        }
    }

    /// Whether the amount counts against caps.
    package var isCounted: Bool {
        switch self {
        case .reserved, .settled, .presumed, .rejected, .inDoubt: true
        case .refused, .voided: false
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
    /// The outcome is unknown.
    case lostSight = "lost-sight"
    /// No byte of the payment header was handed to a socket.
    case neverSent = "never-sent"
    /// The signed window of a refused or lost payment has passed and nobody could say whether the money moved.
    case windowPassed = "window-passed"
}

extension PaymentState {
    /// The state after an event, or nil when the event cannot happen in this state.
    ///
    /// The one transition table of the books: money leaves exposure only through `settled`, `servedUnproven`,
    /// `neverSent` and `windowPassed`; never because a seller says that it did not take it. A reserved payment has
    /// somebody who waits for its answer, so its window passes only once that answer is booked or lost. Outcomes that
    /// come after the presumption leave it as it is and their evidence with it.
    package func after(_ event: PaymentEvent) -> PaymentState? {
        switch (self, event) {
        case (.reserved, .settled), (.rejected, .settled), (.inDoubt, .settled), (.presumed, .settled): .settled
        case (.reserved, .servedUnproven), (.inDoubt, .servedUnproven), (.rejected, .servedUnproven): .presumed
        case (.reserved, .rejected), (.inDoubt, .rejected): .rejected
        case (.reserved, .lostSight): .inDoubt
        case (.reserved, .neverSent): .voided
        case (.rejected, .windowPassed), (.inDoubt, .windowPassed): .presumed
        case (.presumed, .servedUnproven), (.presumed, .rejected), (.presumed, .lostSight): .presumed
        default: nil
        }
    }
}
