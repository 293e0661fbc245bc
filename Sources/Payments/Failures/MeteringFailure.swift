package import Ledger

/// Why a call of a gateway that bills a prepaid balance must not be made.
package enum MeteringFailure: Sendable, Equatable {
    /// The books refused to count it.
    case refused(ReservationRefusal)
    /// The books could not be written.
    case notBooked

    /// What the agent is told.
    package var failure: PaymentFailure {
        switch self {
        case .refused(let refusal): .refused(refusal, price: nil, payment: nil)
        case .notBooked: .callNotBooked
        }
    }
}
