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
    /// Whether the agent says that it wants another purchase of what it bought before.
    package let buysAgain: Bool
    /// The approval that would be signed with it, which gets an entry of its own when the money is set aside.
    package let approval: ApprovalNote?

    /// Makes a request.
    package init(
        _ intent: PaymentIntent, idempotencyKey: Bytes32? = nil, rules: ReservationRules = ReservationRules(),
        lesson: Lesson? = nil, approval: ApprovalNote? = nil, buysAgain: Bool = false
    ) {
        self.buysAgain = buysAgain
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
    /// How many seconds have to pass between two sendings of a payment whose answer was a failure.
    package static let repeatPause: Int64 = 1

    /// Whether a payment whose answer did not arrive, or was a failure, stands in its way; a new key asks for a new purchase.
    package var mayBeHeld: Bool { !buysAgain && idempotencyKey == nil }
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
