package import Ledger
package import X402

/// What came back for a request that carried a payment.
package enum PaidAnswer: Sendable, Equatable {
    /// A response head arrived; `report` is the decoded PAYMENT-RESPONSE, when there was a readable one, and `reason`
    /// what a new challenge gives as its reason.
    case response(status: Int, report: SettlementReport?, reason: String? = nil)
    /// The header went out and no response head came back; the text says why.
    case silence(reason: String)
    /// No byte of the header was handed to a socket.
    case neverSent(reason: String)

    /// What the books make of it, where `wasSentBefore` says whether the same bytes had been handed to a socket already.
    ///
    /// The seller may say that it took the money, never that it did not. That it has seen the payment before is an
    /// answer to what was sent before, and means that the money is gone.
    package func event(wasSentBefore: Bool) -> PaymentEvent {
        switch self {
        case .neverSent: return wasSentBefore ? .lostSight : .neverSent
        case .silence: return .lostSight
        case .response(let status, let report, let reason):
            // A success with no transaction to show is a claim that nobody can look up.
            if report?.success == true, report?.transaction != nil { return .settled }
            if report?.isPending == true { return .lostSight }
            if wasSentBefore, Self.saysUsed(status: status, reason: report?.errorReason ?? reason) {
                return .alreadyUsed
            }
            if report?.success == false { return .rejected }
            switch status {
            // Switching protocols is serving what was asked for.
            case 101, 200..<300: return .servedUnproven
            case 402 where report == nil, 412 where report == nil: return .rejected
            default: return .lostSight
            }
        }
    }

    /// Sellers that keep identifiers answer 409; facilitators look at the nonce, and name it with or without their
    /// scheme in front.
    private static func saysUsed(status: Int, reason: String?) -> Bool {
        if status == 409 { return true }
        guard let reason else { return false }
        return reason == "duplicate_settlement" || reason.hasSuffix("nonce_already_used")
    }

    /// Whether the seller refused because the payer's allowance to Permit2 is too small.
    var saysAllowanceMissing: Bool {
        guard case .response(let status, let report, let reason) = self, status == 402 || status == 412 else {
            return false
        }
        return (report?.errorReason ?? reason)?.hasSuffix("allowance_required") ?? (status == 412)
    }

    /// Whether the seller gives as its reason that the wallet has too little of the token.
    package var saysUnfunded: Bool { RejectionReason.saysUnfunded(rejectionReason) }

    /// The reason that the seller gives in its report, or else in a new challenge.
    package var rejectionReason: String? {
        guard case .response(_, let report, let reason) = self else { return nil }
        return report?.errorReason ?? reason
    }

    /// What the books keep of it, with a note where there is one.
    func evidence(signature: [UInt8], note: String? = nil) -> PaymentEvidence {
        switch self {
        case .neverSent(let reason):
            PaymentEvidence(reason: reason)
        case .silence(let reason):
            PaymentEvidence(signature: signature, reason: reason)
        case .response(let status, let report, let reason):
            PaymentEvidence(
                status: status, signature: signature, settlement: report?.raw, transaction: report?.transaction,
                reason: Self.joined(report?.errorReason ?? reason, note))
        }
    }

    private static func joined(_ reason: String?, _ note: String?) -> String? {
        guard let reason, let note else { return reason ?? note }
        return "\(reason); \(note)"
    }
}

extension AuthorizedPayment {
    /// What an answer says of the price that was paid: good when the seller took what was signed, served the request, and
    /// says so.
    func verdict(of answer: PaidAnswer, event: PaymentEvent) -> LearnedPrices.Verdict {
        guard case .response(let status, let report, _) = answer else { return .none }
        guard !terms.isMaximum, event == .settled, (200..<300).contains(status) else { return .bad }
        return (report?.amount ?? terms.amount) == terms.amount ? .good : .bad
    }
}
