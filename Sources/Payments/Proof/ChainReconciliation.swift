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

        static func + (left: Tally, right: Tally) -> Tally {
            var sum = left
            sum.confirmed += right.confirmed
            sum.released += right.released
            sum.waiting += right.waiting
            sum.damage += right.damage
            return sum
        }
    }

    /// The witness did not answer every probe once.
    package struct IncompleteReading: Error, Equatable {}

    /// Asks a witness about the unproven payments of a network, those whose window ends first in front, and books proof.
    ///
    /// One reading is about the front. When that is full, another one is about payments further back, where `cursor`
    /// stands: payments that can never be read would otherwise hide all behind them. For the daemon's housekeeping.
    /// A payment that changed meanwhile is left for the next run, and one that is damaged is passed over. Throws what the
    /// witness throws, and the ledger's error when it cannot be read or written; what was booked until then stays booked.
    package static func run(
        network: String, store: any PaymentBooks, witness: any ChainWitness, cursor: ReconciliationCursor? = nil,
        at now: Timestamp, logger: Logger
    ) async throws -> Tally {
        let front = try await store.unproven(network: network, limit: limit)
        guard front.value.count + front.damage.count >= limit, let cursor else {
            return try await prove(front, store: store, witness: witness, at: now, logger: logger)
        }
        var tally = Tally()
        var failure: (any Error)?
        do {
            tally = try await prove(
                Salvaged(front.value), store: store, witness: witness, at: now, logger: logger)
        } catch {
            failure = error
        }
        // What was proven has left the list, and all behind it has moved up.
        let start = max(cursor.position, failure == nil ? tally.waiting : limit)
        // Everything up to there is read once more, so this one tells of all the damage.
        var back = try await store.unproven(network: network, limit: start + limit)
        let isFull = back.value.count + back.damage.count >= start + limit
        back = Salvaged(Array(back.value.dropFirst(start)), damage: back.damage)
        // Moved on first: a reading that fails must not be the one of every run to come.
        cursor.position = isFull ? start + limit : 0
        let more = try await prove(back, store: store, witness: witness, at: now, logger: logger)
        if isFull { cursor.position = start + more.waiting }
        if let failure { throw failure }
        return tally + more
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
