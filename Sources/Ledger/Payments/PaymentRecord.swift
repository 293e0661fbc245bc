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
    /// The seller's reason code, at most 256 printable characters, or what went wrong; and where a redirect that was refused
    /// leads to, at most 2,304 more.
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

    /// This evidence without the texts that others wrote.
    package var erased: PaymentEvidence {
        PaymentEvidence(status: status, signature: signature, transaction: transaction)
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
    /// The seller's JSON that is echoed; nil for refusals, and once it is erased.
    package let echo: PaymentIntent.Echo?
    /// What salts the hash of its erasable parts; nil once they are erased.
    package let salt: Bytes32?
    /// Where it stands.
    package let state: PaymentState
    /// Ledger time of the reservation or refusal; decides the cap window.
    package let reservedAt: Timestamp
    /// Ledger time of the last change.
    package let changedAt: Timestamp
    /// What the outcome left behind.
    package let evidence: PaymentEvidence
    /// What was really moved, once that is shown of a payment whose signed amount is a maximum; at most the signed amount.
    package let moved: UInt256?
    /// What became of its answer on the way to the agent, where that was not at once and well.
    package var delivery: Delivery?

    /// Makes a record.
    package init(
        id: PaymentID, purpose: PaymentIntent.Purpose, terms: PaymentIntent.Terms?, echo: PaymentIntent.Echo?,
        salt: Bytes32?, state: PaymentState, reservedAt: Timestamp, changedAt: Timestamp, evidence: PaymentEvidence,
        moved: UInt256? = nil, delivery: Delivery? = nil
    ) {
        self.delivery = delivery
        self.id = id
        self.purpose = purpose
        self.terms = terms
        self.echo = echo
        self.salt = salt
        self.state = state
        self.reservedAt = reservedAt
        self.changedAt = changedAt
        self.evidence = evidence
        self.moved = moved
    }

    /// The same payment in its next state; nothing new is known of its answer's delivery.
    package func after(_ state: PaymentState, at time: Timestamp, evidence: PaymentEvidence) -> PaymentRecord {
        after(state, at: time, evidence: evidence, delivery: delivery)
    }

    /// The same payment in its next state, with what is known of its answer's delivery by then.
    package func after(
        _ state: PaymentState, at time: Timestamp, evidence: PaymentEvidence, delivery: Delivery?
    ) -> PaymentRecord {
        PaymentRecord(
            id: id, purpose: purpose, terms: terms, echo: echo, salt: salt, state: state, reservedAt: reservedAt,
            changedAt: time, evidence: evidence, moved: moved, delivery: delivery)
    }

    /// The same payment once it is shown what it moved.
    package func showing(_ moved: UInt256, at time: Timestamp, evidence: PaymentEvidence) -> PaymentRecord {
        PaymentRecord(
            id: id, purpose: purpose, terms: terms, echo: echo, salt: salt, state: state, reservedAt: reservedAt,
            changedAt: time, evidence: evidence, moved: moved, delivery: delivery)
    }

    /// Why an amount cannot be what the payment moved; nil when it can.
    package func obstacle(toShowing moved: UInt256) -> LedgerError? {
        guard let terms, terms.isMaximum, self.moved == nil, state.after(.amountShown) != nil else {
            return .impossible(state: state, event: .amountShown)
        }
        guard !moved.isZero, moved <= terms.amount else {
            return .unsound("payment \(id) cannot have moved \(moved) of \(terms.amount)")
        }
        return nil
    }

    /// A payment that was just set aside.
    package init(reserving intent: PaymentIntent, at time: Timestamp) {
        self.init(
            id: intent.id, purpose: intent.purpose, terms: intent.terms, echo: intent.echo, salt: intent.salt,
            state: .reserved, reservedAt: time, changedAt: time, evidence: PaymentEvidence())
    }

    /// A challenge that was just refused.
    package init(refusing refusal: RefusedPayment, at time: Timestamp) {
        self.init(
            id: refusal.id, purpose: refusal.purpose, terms: refusal.terms, echo: nil, salt: refusal.salt,
            state: .refused, reservedAt: time, changedAt: time, evidence: PaymentEvidence(reason: refusal.code))
    }

    /// The same payment without what can be erased.
    package var erased: PaymentRecord {
        let bare = PaymentIntent.Purpose(
            agent: purpose.agent, team: purpose.team, gateway: purpose.gateway, host: purpose.host, request: nil,
            policy: purpose.policy)
        return PaymentRecord(
            id: id, purpose: bare, terms: terms, echo: nil, salt: nil, state: state, reservedAt: reservedAt,
            changedAt: changedAt, evidence: evidence.erased, moved: moved, delivery: delivery)
    }

    /// The payment as caps see it; nil for a refusal that was not read so far.
    package var spend: Spend? { terms.map { purpose.spend($0, moved: moved) } }

    /// What its rejection is counted by; nil once its request is erased.
    package var rejectedRoute: RejectedRoute? {
        guard let terms, let request = purpose.request else { return nil }
        return RejectedRoute(asset: terms.assetName, request: request)
    }

    /// Until when somebody may settle the authorization, in Unix seconds, exclusive on chain.
    package var liveUntil: Int64? { terms?.validBefore }
}
