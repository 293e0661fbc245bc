import GRDB
package import Ledger
package import Primitives

/// Duties over many payments: found in a reading transaction, done some hundred at a time under the write lock.
///
/// Agents' payments go between two portions. Each portion is held against the rows once more before it changes them, so
/// a duty that broke off is done anew from its beginning.
extension SQLiteLedger {
    /// The most payments that one transaction of a duty books.
    static let dutyPortion = 500

    package func doubtAttended(at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        var done = try await bookAll(at: now) { (_, place, database) throws(Fault) in
            try PaymentQueries.attended(behind: place, limit: Self.dutyPortion, in: database)
        } event: { record in
            record.state.isAttended ? .lostSight : nil
        }
        let underWay = try await bookAll(at: now, delivery: .undelivered) { (_, place, database) throws(Fault) in
            try PaymentQueries.underWay(behind: place, limit: Self.dutyPortion, in: database)
        } event: { record in
            record.delivery?.fate == .underWay ? .answered : nil
        }
        done.value += underWay.value
        done.damage += underWay.damage
        return done
    }

    package func closeOverdue(_ policy: OverduePolicy, at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        try await bookAll(at: now) { (time, place, database) throws(Fault) in
            try PaymentQueries.overdue(policy, at: time, behind: place, limit: Self.dutyPortion, in: database)
        } event: { record in
            guard record.state == .rejected || record.state == .inDoubt, let network = record.terms?.network else {
                return nil
            }
            return policy.event(gateway: record.purpose.gateway, network: network)
        }
    }

    /// Finds payments portion by portion, by ledger time, and books an event for each; nil leaves one as it is.
    private func bookAll(
        at now: Timestamp, delivery: Delivery.Fate? = nil,
        found: @escaping @Sendable (Timestamp, PaymentQueries.Place, Database) throws(Fault) -> [PaymentQueries.Place],
        event: @escaping @Sendable (PaymentRecord) -> PaymentEvent?
    ) async throws(LedgerError) -> Salvaged<Int> {
        var place = PaymentQueries.Place.start
        var total = Salvaged(0)
        while true {
            let portion = try await query { [place] (database) throws(Fault) in
                try found(try EntryRows.Head.read(in: database).time(at: now), place, database)
            }
            if let last = portion.last {
                let done = try await book(event, ofAll: portion.map(\.number), delivery: delivery, at: now)
                total.value += done.value
                total.damage += done.damage
                place = last
            }
            guard portion.count == Self.dutyPortion else { return total }
        }
    }

    /// Books a portion in one transaction, or each payment in one of its own when one of them undid it.
    private func book(
        _ event: @escaping @Sendable (PaymentRecord) -> PaymentEvent?, ofAll numbers: [Int64],
        delivery: Delivery.Fate?, at now: Timestamp
    ) async throws(LedgerError) -> Salvaged<Int> {
        do {
            return try await writer.perform { (keeper) throws(Fault) in
                try keeper.book(event, ofAll: numbers, delivery: delivery, at: now)
            }
        } catch {
            if case .storage = error { throw error }
            guard numbers.count > 1 else { return Salvaged(0, damage: [error]) }
            var total = Salvaged(0)
            for number in numbers {
                let done = try await book(event, ofAll: [number], delivery: delivery, at: now)
                total.value += done.value
                total.damage += done.damage
            }
            return total
        }
    }

    package func erase(
        before bound: Timestamp, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Int {
        let end = try await query { (database) throws(Fault) in
            try EntryRows.first(since: bound, table: "payments", column: "reserved_at", in: database)
        }
        var number: Int64 = 0
        var erased = 0
        while !Task.isCancelled {
            let portion = try await query { [number] (database) throws(Fault) in
                try PaymentQueries.erasable(behind: number, before: end, limit: JournalLine.erasureLimit, in: database)
            }
            guard let last = portion.last else { break }
            erased += try await writer.perform { (keeper) throws(Fault) in
                try keeper.erase(portion, before: bound, by: actor, at: now)
            }
            number = last
        }
        if !Task.isCancelled {
            try await writer.perform { (keeper) throws(Fault) in try keeper.forgetRoutes(before: bound) }
        }
        return erased
    }
}

extension SQLiteLedger {
    /// What caps that are not there yet would count as of now, added up without the write lock.
    ///
    /// The past of the books may be long; what happens until the write lock is held is counted under it.
    func past(of caps: [Cap], at now: Timestamp) async throws(LedgerError) -> [CapRows.Past] {
        try await query { (database) throws(Fault) in
            var found: [CapRows.Past] = []
            for cap in caps where try CapRows.find(cap.key, in: database) == nil {
                found.append(try CapRows.past(of: cap, at: now, in: database))
            }
            return found
        }
    }
}
