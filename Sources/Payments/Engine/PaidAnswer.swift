package import Ledger
package import X402

/// What came back for a request that carried a payment.
package enum PaidAnswer: Sendable, Equatable {
    /// A response head arrived; `report` is the decoded PAYMENT-RESPONSE, when there was a readable one.
    case response(status: Int, report: SettlementReport?)
    /// The header went out and no response head came back; the text says why.
    case silence(reason: String)
    /// No byte of the header was handed to a socket.
    case neverSent(reason: String)

    /// What the books make of it.
    ///
    /// The seller may say that it took the money, never that it did not.
    package var event: PaymentEvent {
        switch self {
        case .neverSent: return .neverSent
        case .silence: return .lostSight
        case .response(let status, let report):
            if let report {
                if report.success { return .settled }
                return report.isPending ? .lostSight : .rejected
            }
            switch status {
            case 200..<300: return .servedUnproven
            case 402, 412: return .rejected
            default: return .lostSight
            }
        }
    }

    func evidence(signature: [UInt8]) -> PaymentEvidence {
        switch self {
        case .neverSent(let reason):
            PaymentEvidence(reason: reason)
        case .silence(let reason):
            PaymentEvidence(signature: signature, reason: reason)
        case .response(let status, let report):
            PaymentEvidence(
                status: status, signature: signature, settlement: report?.raw, transaction: report?.transaction,
                reason: report?.errorReason)
        }
    }
}
