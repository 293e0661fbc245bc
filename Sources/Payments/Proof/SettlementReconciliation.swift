package import Ledger
package import Logging
package import Primitives

/// Asks the chain what payments moved whose signed amount is a maximum, and books it, which frees the rest.
package enum SettlementReconciliation {
    /// The most payments of one run: each may take a search through many blocks.
    package static let limit = 5

    /// Looks into some of a network's payments of which nobody has shown yet what they moved, and returns how many were
    /// booked.
    ///
    /// Each agent's have their turn, oldest first. The next run goes on where this one ended, and a payment that cannot be looked into ends no run: what can never be
    /// shown hides nothing else. For the daemon's housekeeping. Throws the first thing that the witness threw once all are
    /// done, and the ledger's error when it cannot be read or written; what was booked until then stays booked.
    package static func run(
        network: String, store: any PaymentBooks, witness: any SettlementWitness, cursor: ReconciliationCursor,
        at now: Timestamp, logger: Logger
    ) async throws -> Int {
        let reading = try await store.unshown(network: network, limit: limit, in: cursor.round)
        cursor.round = reading.next
        for damage in reading.payments.damage {
            logger.error("payment not readable", metadata: ["network": "\(network)", "problem": "\(damage)"])
        }
        var booked = 0
        var failure: (any Error)?
        for record in reading.payments.value {
            try Task.checkCancellation()
            guard let probe = SettlementProbe(record) else { continue }
            var found: SettledAmount?
            do {
                found = try await witness.settledAmount(of: probe)
            } catch {
                failure = failure ?? error
            }
            guard let settled = found,
                // Nothing at all is no amount that the books free for: the signature is used up all the same.
                !settled.amount.isZero, settled.amount <= probe.maximum
            else { continue }
            do {
                let evidence = PaymentEvidence(transaction: settled.transaction, reason: settled.reason)
                let shown = try await store.show(settled.amount, of: record.id, evidence: evidence, at: now)
                booked += 1
                logger.info(
                    "amount shown",
                    metadata: [
                        "payment": "\(shown.id)", "moved": "\(settled.amount)", "of": "\(probe.maximum)",
                        "proof": "\(settled.reason)",
                    ])
            } catch {
                guard case .impossible = error else { throw error }
            }
        }
        if let failure { throw failure }
        return booked
    }
}
