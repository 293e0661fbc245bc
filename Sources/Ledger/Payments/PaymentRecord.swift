package import Primitives

/// What an outcome left behind as proof.
package struct PaymentEvidence: Sendable, Equatable {
    /// The HTTP status of the answer to the paid request, when there was one.
    package var status: Int?
    /// The 65 signature bytes that were sent.
    package var signature: [UInt8]?
    /// The seller's settlement report, decoded JSON text, at most 8 KiB.
    package var settlement: [UInt8]?
    /// The transaction the seller named.
    package var transaction: String?
    /// The seller's reason code, or what went wrong; at most 256 printable characters.
    package var reason: String?

    /// Makes evidence; everything that is unknown stays nil.
    package init(
        status: Int? = nil, signature: [UInt8]? = nil, settlement: [UInt8]? = nil, transaction: String? = nil,
        reason: String? = nil
    ) {
        self.status = status
        self.signature = signature
        self.settlement = settlement
        self.transaction = transaction
        self.reason = reason
    }

    /// This evidence with what is newly known written over it; fields that are nil there stay.
    package func merging(_ newer: PaymentEvidence) -> PaymentEvidence {
        PaymentEvidence(
            status: newer.status ?? status, signature: newer.signature ?? signature,
            settlement: newer.settlement ?? settlement, transaction: newer.transaction ?? transaction,
            reason: newer.reason ?? reason)
    }
}

/// One payment as the books hold it.
package struct PaymentRecord: Sendable, Equatable {
    /// The payment's name.
    package let id: PaymentID
    /// Who pays and what for.
    package let purpose: PaymentIntent.Purpose
    /// What is paid; nil for a refusal whose challenge could not be read that far.
    package let terms: PaymentIntent.Terms?
    /// The seller's JSON that is echoed; nil for refusals.
    package let echo: PaymentIntent.Echo?
    /// Where it stands.
    package let state: PaymentState
    /// Ledger time of the reservation or refusal; decides the cap window.
    package let reservedAt: Timestamp
    /// Ledger time of the last change.
    package let changedAt: Timestamp
    /// What the outcome left behind.
    package let evidence: PaymentEvidence

    /// Makes a record.
    package init(
        id: PaymentID, purpose: PaymentIntent.Purpose, terms: PaymentIntent.Terms?, echo: PaymentIntent.Echo?,
        state: PaymentState, reservedAt: Timestamp, changedAt: Timestamp, evidence: PaymentEvidence
    ) {
        self.id = id
        self.purpose = purpose
        self.terms = terms
        self.echo = echo
        self.state = state
        self.reservedAt = reservedAt
        self.changedAt = changedAt
        self.evidence = evidence
    }

    /// The same payment in its next state.
    package func after(_ state: PaymentState, at time: Timestamp, evidence: PaymentEvidence) -> PaymentRecord {
        PaymentRecord(
            id: id, purpose: purpose, terms: terms, echo: echo, state: state, reservedAt: reservedAt,
            changedAt: time, evidence: evidence)
    }
}

/// One line of a payment's history; lines are only ever added.
package struct PaymentTransition: Sendable, Equatable {
    /// The line's number over the whole ledger, from 1.
    package let sequence: Int64
    /// The payment.
    package let payment: PaymentID
    /// Ledger time.
    package let at: Timestamp
    /// The state after the line.
    package let state: PaymentState
    /// Why: the event's name, or the code of a refusal.
    package let cause: String

    /// Makes a line.
    package init(sequence: Int64, payment: PaymentID, at: Timestamp, state: PaymentState, cause: String) {
        self.sequence = sequence
        self.payment = payment
        self.at = at
        self.state = state
        self.cause = cause
    }
}

/// A challenge that was not paid, kept so that an operator can see what agents were asked for.
package struct RefusedPayment: Sendable, Equatable {
    /// The refusal's name in the books.
    package let id: PaymentID
    /// Who asked and what for.
    package let purpose: PaymentIntent.Purpose
    /// The refusal's stable code.
    package let code: String
    /// The terms of the entry that was refused, when one could be read that far.
    package let terms: PaymentIntent.Terms?

    /// Makes a refusal.
    package init(id: PaymentID, purpose: PaymentIntent.Purpose, code: String, terms: PaymentIntent.Terms?) {
        self.id = id
        self.purpose = purpose
        self.code = code
        self.terms = terms
    }
}
