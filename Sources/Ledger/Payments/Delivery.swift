package import Primitives

/// What became of a payment's answer on its way to the agent, as far as a repetition of the request goes by it.
///
/// A payment without one was answered at once and well, or is older than this fact: nothing is held back because of it.
package struct Delivery: Sendable, Equatable {
    /// Where the answer stands.
    ///
    /// Raw values are stored, exported and part of the journal.
    package enum Fate: String, Sendable, CaseIterable {
        /// Its head came, its end is to come, and the agent is connected.
        case underWay = "under-way"
        /// The agent has it whole, and it is not a failure.
        case delivered
        /// The agent does not have it whole.
        case undelivered
        /// The agent left by itself while it received a 2xx to a settled payment.
        case left
        /// The agent has it whole, and it is a 4xx other than 402, or a 5xx.
        case failed

        /// Whether the same request may be held back because of it.
        package var holds: Bool {
            switch self {
            case .underWay, .delivered: false
            case .undelivered, .left, .failed: true
            }
        }
    }

    /// Where the answer stands.
    package let fate: Fate
    /// Since when: ledger time of the entry that says so.
    package let at: Timestamp
    /// When the same bytes were last sent again for the payment, once it was settled or presumed.
    package var repeatedAt: Timestamp?

    /// Makes a delivery.
    package init(_ fate: Fate, at: Timestamp, repeatedAt: Timestamp? = nil) {
        self.fate = fate
        self.at = at
        self.repeatedAt = repeatedAt
    }

    /// What the entry that says so has as its detail.
    package var detail: String { Self.detail(fate) }

    private static func detail(_ fate: Fate) -> String { "answer: \(fate.rawValue)" }

    /// The fate that the detail of an entry names; nil for every other text.
    package static func fate(inDetail text: String?) -> Fate? {
        guard let text else { return nil }
        return Fate.allCases.first { detail($0) == text }
    }
}

extension PaymentRecord {
    /// The delivery after a step that takes the payment to `next`; `news` is what the step tells of the answer.
    ///
    /// While a payment is open its next attempt decides: the bytes are sent again whatever became of the answer, so only a
    /// failure is worth remembering. Once it is closed only a good answer that arrived ends what an earlier one left. A
    /// failure, or a departure of the agent, takes the place of an answer that never arrived, and not the other way round:
    /// else a seller that goes on failing would hold the request back for ever.
    package func delivery(
        after event: PaymentEvent, to next: PaymentState, news: Delivery.Fate?, at time: Timestamp
    ) -> Delivery? {
        let changed = news.map { Delivery($0, at: time, repeatedAt: delivery?.repeatedAt) }
        if state.isOpen {
            // The chain may prove a payment whose answer nobody had.
            if event == .provenUsed { return delivery ?? Delivery(.undelivered, at: time) }
            guard let news, next.isCounted else { return delivery }
            if next.isOpen { return news == .failed ? changed : delivery }
            return news == .delivered && delivery == nil ? nil : changed
        }
        guard let news, let known = delivery else { return delivery }
        switch (known.fate, news) {
        case (.delivered, _), (_, .underWay): return known
        case (.underWay, _), (_, .delivered), (.undelivered, .failed), (.undelivered, .left): return changed
        case (.undelivered, _), (.left, _), (.failed, _): return known
        }
    }

    /// Until when the same request is held back because of the payment's answer; nil when it is not.
    ///
    /// An answer that did not arrive holds until the authorization is dead by every clock. What the agent had, or broke off
    /// by itself, holds for so many seconds as the gateway's entry says.
    package func heldUntil(by rules: ReservationRules) -> Timestamp? {
        guard let delivery, delivery.fate.holds, let liveUntil else { return nil }
        switch state {
        case .settled, .presumed, .confirmed: break
        case .refused, .reserved, .resumed, .rejected, .inDoubt, .voided, .released, .lapsed: return nil
        }
        let dead = Timestamp(seconds: liveUntil).adding(seconds: ReservationRequest.liveMargin)
        let pause = delivery.at.adding(seconds: rules.repeatAfterFailure)
        switch delivery.fate {
        case .undelivered: return dead
        case .left: return min(dead, pause)
        case .failed: return pause
        case .underWay, .delivered: return nil
        }
    }
}
