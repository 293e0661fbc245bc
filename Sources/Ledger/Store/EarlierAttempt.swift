package import Primitives

/// What an earlier attempt, or a known idempotency key, means for a new request of the same fingerprint.
///
/// The table in Specs/lifecycle/README.md says it in words, and a test holds it against this.
package enum EarlierAttempt: Sendable, Equatable {
    /// Its bytes are sent again.
    case adopt
    /// It has no say any more.
    case ignore
    /// Nothing may be signed because of it.
    case refuse(ReservationRefusal)

    /// An attempt with the same fingerprint that is unresolved, at a moment of ledger time.
    ///
    /// One whose agent is connected is left alone: parallel identical requests are separate payments. One that is
    /// unresolved stands in the way until it is closed, by proof or by the housekeeping after its window; the clock alone
    /// closes nothing, since the chain's may be behind.
    package static func unresolved(
        _ record: PaymentRecord, for request: ReservationRequest, at now: Timestamp
    ) -> EarlierAttempt {
        guard record.state == .rejected || record.state == .inDoubt else { return .ignore }
        let end = max(now, end(of: record, at: now))
        guard isOfUse(record, at: now) else { return .refuse(.unresolved(record.id, until: end)) }
        guard record.state == .inDoubt || record.fits(request.intent) else {
            return .refuse(.unfit(record.id, until: end))
        }
        return .adopt
    }

    /// An attempt with the same fingerprint whose money is gone, and whose answer may not have been what was paid for.
    ///
    /// Asked where the agent does not want a new purchase: the same bytes may still bring the answer.
    package static func answered(
        _ record: PaymentRecord, for request: ReservationRequest, at now: Timestamp
    ) -> EarlierAttempt {
        guard let end = record.heldUntil(by: request.rules), now < end else { return .ignore }
        guard isOfUse(record, at: now) else { return .refuse(.notServed(record.id, until: end)) }
        if let turn = record.nextTurn, now < turn { return .refuse(.notServed(record.id, until: min(turn, end))) }
        return .adopt
    }

    /// The payment that an idempotency key is bound to, when a request comes with that key again.
    package static func sameKey(
        _ record: PaymentRecord, boundTo known: Bytes32, for request: ReservationRequest, at now: Timestamp
    ) -> EarlierAttempt {
        guard known == request.intent.purpose.request?.fingerprint else { return .refuse(.keyReused(record.id)) }
        switch record.state {
        case .reserved, .resumed: return .refuse(.keyInUse(record.id))
        case .refused, .voided, .released: return .ignore
        case .rejected, .inDoubt:
            let attempt = unresolved(record, for: request, at: now)
            if case .refuse(.unresolved) = attempt { return .refuse(.keySpent(record.id)) }
            return attempt
        case .settled, .presumed, .confirmed, .lapsed:
            if record.delivery?.fate == .underWay { return .refuse(.keyInUse(record.id)) }
            // Once the window has passed the bytes are of no use, and the key forbids others.
            guard isOfUse(record, at: now) else { return .refuse(.keySpent(record.id)) }
            if case .refuse(let refusal) = answered(record, for: request, at: now) { return .refuse(refusal) }
            return .adopt
        }
    }

    /// Whether the bytes can be rebuilt and a seller can still do something with them.
    private static func isOfUse(_ record: PaymentRecord, at now: Timestamp) -> Bool {
        guard record.echo != nil, let end = record.liveUntil else { return false }
        return now.seconds + ReservationRequest.shortestResend <= end
    }

    /// When an authorization is dead by every clock.
    private static func end(of record: PaymentRecord, at now: Timestamp) -> Timestamp {
        Timestamp(seconds: record.liveUntil ?? now.seconds).adding(seconds: ReservationRequest.liveMargin)
    }
}

extension PaymentRecord {
    /// Before when the bytes of a payment whose answer was a failure are not sent again; nil for any time.
    fileprivate var nextTurn: Timestamp? {
        guard let delivery, delivery.fate == .failed else { return nil }
        return max(reservedAt, delivery.repeatedAt ?? reservedAt).adding(seconds: ReservationRequest.repeatPause)
    }
}
