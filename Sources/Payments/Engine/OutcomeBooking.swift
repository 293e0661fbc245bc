import Ledger
import Logging
import Primitives

/// Brings outcomes into the books, at once or as soon as the books can be written again.
struct OutcomeBooking: Sendable {
    private let store: any LedgerStore
    private let clock: any WallClock
    private let logger: Logger
    private let unbooked: UnbookedOutcomes
    private let underWay: OutcomesUnderWay

    /// Makes a booking that keeps what it cannot book in `unbooked`, and ends in `underWay` what was announced there.
    init(
        store: any LedgerStore, clock: any WallClock, logger: Logger, unbooked: UnbookedOutcomes,
        underWay: OutcomesUnderWay
    ) {
        self.store = store
        self.clock = clock
        self.logger = logger
        self.unbooked = unbooked
        self.underWay = underWay
    }

    /// Books an outcome, or keeps it for ``retry()``; returns the payment as it stands once it is booked.
    ///
    /// Only a repetition of the same request waits for it, and its own step brings both to the disk in one commit. A crash
    /// before that leaves the payment reserved, which is exposure, and in doubt from the next start on.
    func book(_ outcome: Outcome) async -> PaymentRecord? {
        var place: Int?
        var isKept = false
        defer {
            if let fingerprint = outcome.fingerprint { underWay.end(fingerprint, place: place, isKept: isKept) }
        }
        // What became of an answer is booked after what its head meant.
        if outcome.event == .answered, unbooked.mayHold(outcome.payment) {
            isKept = unbooked.add(outcome)
            return nil
        }
        do {
            let record = try await store.book(
                outcome.event, of: outcome.payment, evidence: outcome.evidence, delivery: outcome.delivery,
                at: clock.now(), pace: .unhurried
            ) {
                place = outcome.fingerprint.map(underWay.place)
            }
            if outcome.event != .answered { logger.info("outcome booked", metadata: Self.metadata(of: record)) }
            return record
        } catch {
            guard !error.isOfDamage else {
                isKept = lose(outcome, error)
                return nil
            }
            if outcome.event == .rejectedLate, case .impossible = error {
                // An agent waits for the payment again, and for an outcome of its own.
                logger.info("late outcome left out", metadata: Self.metadata(of: outcome, error))
                return nil
            }
            logger.error("outcome not booked", metadata: Self.metadata(of: outcome, error))
            guard error.isPassing else { return nil }
            isKept = unbooked.add(outcome)
            if !isKept {
                logger.critical("too many outcomes wait for the ledger", metadata: Self.metadata(of: outcome, error))
            }
            return nil
        }
    }

    /// Gives up an outcome that damage keeps out of the books: tried again it would fail for ever.
    ///
    /// Its attempt is as unresolved as before, so it stays in the way of its request for as long as this process lives;
    /// true for that.
    private func lose(_ outcome: Outcome, _ error: LedgerError) -> Bool {
        logger.critical("outcome lost: the ledger is damaged", metadata: Self.metadata(of: outcome, error))
        return true
    }

    /// Tries every kept outcome once more, or up to the first that shows that the ledger cannot be written.
    func retry() async {
        let outcomes = unbooked.begin()
        guard !outcomes.isEmpty else { return }
        var remaining: [Outcome] = []
        var failure: LedgerError?
        for (index, outcome) in outcomes.enumerated() {
            do {
                let record = try await store.book(
                    outcome.event, of: outcome.payment, evidence: outcome.evidence, delivery: outcome.delivery,
                    at: clock.now(), pace: .prompt)
                logger.info("outcome booked late", metadata: Self.metadata(of: record))
                if let fingerprint = outcome.fingerprint { underWay.release(fingerprint) }
            } catch {
                guard !error.isOfDamage else {
                    _ = lose(outcome, error)
                    continue
                }
                guard error.isPassing else {
                    logger.error("outcome not booked", metadata: Self.metadata(of: outcome, error))
                    if let fingerprint = outcome.fingerprint { underWay.release(fingerprint) }
                    continue
                }
                failure = error
                guard !error.isOfStorage else {
                    remaining += outcomes[index...]
                    break
                }
                remaining.append(outcome)
            }
        }
        let waiting = unbooked.end(outcomes.count, remaining: remaining)
        guard let failure else { return }
        logger.error("outcomes wait for the ledger", metadata: ["count": "\(waiting)", "problem": "\(failure)"])
    }

    private static func metadata(of record: PaymentRecord) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "payment": "\(record.id)", "agent": "\(record.purpose.agent)", "gateway": "\(record.purpose.gateway)",
            "state": "\(record.state.rawValue)",
        ]
        if let terms = record.terms {
            let amount = TokenAmount.decimalText(of: terms.amount, decimals: terms.decimals)
            metadata["amount"] = "\(amount) \(terms.symbol)"
        }
        return metadata
    }

    private static func metadata(of outcome: Outcome, _ error: LedgerError) -> Logger.Metadata {
        ["payment": "\(outcome.payment)", "event": "\(outcome.event.rawValue)", "problem": "\(error)"]
    }
}
