package import Primitives

/// A request to set money aside.
package struct ReservationRequest: Sendable, Equatable {
    /// What would be paid.
    package let intent: PaymentIntent
    /// SHA-256 of the agent's Idempotency-Key, when it sent one.
    package let idempotencyKey: Bytes32?
    /// What the gateway's configuration asks.
    package let rules: ReservationRules
    /// What is new about the seller, to be remembered when the money is set aside.
    package let lesson: Lesson?
    /// The approval that would be signed with it, which gets an entry of its own when the money is set aside.
    package let approval: ApprovalNote?
    /// That the wallet has too little of the token, so that at most an earlier attempt is sent again; nil where that is not
    /// known.
    package let walletPause: WalletPause?

    /// Makes a request.
    package init(
        _ intent: PaymentIntent, idempotencyKey: Bytes32? = nil, rules: ReservationRules = ReservationRules(),
        lesson: Lesson? = nil, approval: ApprovalNote? = nil, walletPause: WalletPause? = nil
    ) {
        self.walletPause = walletPause
        self.approval = approval
        self.intent = intent
        self.idempotencyKey = idempotencyKey
        self.rules = rules
        self.lesson = lesson
    }

    /// How long an idempotency key binds, in seconds.
    package static let keyLifetime: Int64 = 86_400
    /// How many seconds behind the end of its window an authorization is taken to be live, for clocks that differ.
    package static let liveMargin: Int64 = 60
    /// The shortest rest of a window in which an attempt is sent again, in seconds: verifiers want six.
    package static let shortestResend: Int64 = 8
}

/// The answer to a request to set money aside.
package enum ReservationOutcome: Sendable, Equatable {
    /// The money is set aside and the row is on disk.
    case reserved(Reservation)
    /// An earlier attempt of the same request is taken over: its own bytes are sent again, and nothing else is signed.
    case adopted(Reservation)
    /// Nothing was set aside; the refusal is on record under the intent's identifier.
    case refused(ReservationRefusal)
}

/// Money that is set aside.
package struct Reservation: Sendable, Equatable {
    /// The payment; for an adopted one, with everything that rebuilds its bytes.
    package let record: PaymentRecord
    /// What each cap that counts it admits with it counted, narrowest first.
    package let usage: [CapUsage]
    /// The caps it brought near their limits.
    package let warnings: [CapWarning]

    /// Makes a reservation.
    package init(record: PaymentRecord, usage: [CapUsage], warnings: [CapWarning]) {
        self.record = record
        self.usage = usage
        self.warnings = warnings
    }
}

/// What an unresolved attempt or a known idempotency key means for a new request of the same fingerprint.
package enum EarlierAttempt: Sendable, Equatable {
    /// Its bytes are sent again.
    case adopt
    /// It has no say any more.
    case ignore
    /// Nothing may be signed because of it.
    case refuse(ReservationRefusal)

    /// An attempt with the same fingerprint, at a moment of ledger time.
    ///
    /// One whose agent is connected is left alone: parallel identical requests are separate payments. One that is
    /// unresolved stands in the way until it is closed, by proof or by the housekeeping behind its window; the clock alone
    /// closes nothing, since the chain's may be behind.
    package static func sameRequest(_ record: PaymentRecord, at now: Timestamp) -> EarlierAttempt {
        guard record.state == .rejected || record.state == .inDoubt else { return .ignore }
        if isOfUse(record, at: now) { return .adopt }
        let end = Timestamp(seconds: record.liveUntil ?? now.seconds).adding(seconds: ReservationRequest.liveMargin)
        return .refuse(.unresolved(record.id, until: max(now, end)))
    }

    /// The payment that an idempotency key is bound to, when `fingerprint` comes with that key again.
    package static func sameKey(
        _ record: PaymentRecord, boundTo known: Bytes32, fingerprint: Bytes32, at now: Timestamp
    ) -> EarlierAttempt {
        guard known == fingerprint else { return .refuse(.keyReused(record.id)) }
        switch record.state {
        case .reserved, .resumed: return .refuse(.keyInUse(record.id))
        case .refused, .voided, .released: return .ignore
        case .rejected, .inDoubt, .settled, .presumed, .confirmed, .lapsed:
            // Once the window has passed the bytes are of no use, and the key forbids others.
            return isOfUse(record, at: now) ? .adopt : .refuse(.keySpent(record.id))
        }
    }

    /// Whether the bytes can be rebuilt and a seller can still do something with them.
    private static func isOfUse(_ record: PaymentRecord, at now: Timestamp) -> Bool {
        guard record.echo != nil, let end = record.liveUntil else { return false }
        return now.seconds + ReservationRequest.shortestResend <= end
    }
}
