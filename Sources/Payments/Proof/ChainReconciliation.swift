package import Ledger
package import Logging
package import Primitives

/// Holds unproven payments against the chain and books what it proves.
package enum ChainReconciliation {
    /// The most payments of one reading.
    package static let limit = 500

    /// What one run came to.
    package struct Tally: Sendable, Equatable {
        /// Payments whose nonce is used: the money moved.
        package var confirmed = 0
        /// Payments that never can move any money.
        package var released = 0
        /// Payments of which nothing is proven yet.
        package var waiting = 0
        /// What is wrong with the payments that could not be read or booked.
        package var damage: [LedgerError] = []

        /// Makes an empty tally.
        package init() {}
    }

    /// The witness did not answer every probe once.
    package struct IncompleteReading: Error, Equatable {}

    /// Asks a witness about some unproven payments of a network, and books proof.
    ///
    /// Each agent's have their turn, those whose window ends first in front, and the next run goes on where this one ended:
    /// neither the payments of another agent nor those that can never be read hide any. For the daemon's housekeeping.
    /// A payment that changed meanwhile is left for a later run, and one that is damaged is passed over. Throws what the
    /// witness throws, and the ledger's error when it cannot be read or written; what was booked until then stays booked.
    package static func run(
        network: String, store: any PaymentBooks, witness: any ChainWitness, cursor: ReconciliationCursor? = nil,
        at now: Timestamp, logger: Logger
    ) async throws -> Tally {
        let reading = try await store.unproven(network: network, limit: limit, in: cursor?.round ?? AgentRound())
        // Moved on first: a reading that fails must not be the one of every run to come.
        cursor?.round = reading.next
        return try await prove(reading.payments, store: store, witness: witness, at: now, logger: logger)
    }

    private static func prove(
        _ found: Salvaged<[PaymentRecord]>, store: any PaymentBooks, witness: any ChainWitness, at now: Timestamp,
        logger: Logger
    ) async throws -> Tally {
        let records = found.value
        let probes = records.compactMap { record in record.terms.map { UnprovenAuthorization($0) } }
        var tally = Tally()
        tally.damage = found.damage
        guard !probes.isEmpty else { return tally }
        let reading = try await witness.read(probes)
        guard probes.count == records.count, reading.used.count == probes.count else { throw IncompleteReading() }
        for (record, used) in zip(records, reading.used) {
            guard let event = reading.proof(of: record, used: used) else {
                tally.waiting += 1
                continue
            }
            do {
                let proven = try await store.book(
                    event, of: record.id, evidence: PaymentEvidence(reason: reading.reason), at: now)
                if event == .provenUsed { tally.confirmed += 1 } else { tally.released += 1 }
                logger.info(
                    "proof booked",
                    metadata: [
                        "payment": "\(proven.id)", "state": "\(proven.state.rawValue)", "proof": "\(reading.reason)",
                    ])
            } catch {
                switch error {
                case .storage, .newerSchema: throw error
                case .impossible: break
                default: tally.damage.append(error)
                }
                tally.waiting += 1
            }
        }
        return tally
    }
}
