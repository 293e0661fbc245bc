import Ledger
import Primitives

extension BookKeeper {
    /// Checks the caps against the rows of this transaction, and sets the amount aside or books the refusal.
    func reserve(_ intent: PaymentIntent, at now: Timestamp) throws(Fault) -> ReservationOutcome {
        let time = time(at: now)
        let agent = intent.purpose.agent
        let value = intent.terms.value
        guard let caps = try AgentRows.caps(of: agent, in: database) else {
            return try refuse(intent, .unknownAgent, at: time)
        }
        var totals = try AgentTotals.read(of: agent, day: time.utcDay, in: database)
        let counted = try totals.counted(on: time.utcDay)
        if let refusal = CapCheck.refusal(of: value, caps: caps, counted: counted, at: time) {
            return try refuse(intent, refusal, at: time)
        }
        let record = PaymentRecord(
            id: intent.id, purpose: intent.purpose, terms: intent.terms, echo: intent.echo, state: .reserved,
            reservedAt: time, changedAt: time, evidence: PaymentEvidence())
        guard let number = try PaymentRows.insert(record, into: database) else {
            let isKnown = try PaymentRows.exists(intent.id, in: database)
            throw .step(.duplicate(isKnown ? "payment \(intent.id)" : LedgerError.knownNonce))
        }
        totals.reserve(value, on: time.utcDay)
        try totals.write(of: agent, in: database)
        try note(.reserved, of: number, at: time, cause: PaymentState.reserved.rawValue)
        let after = try totals.counted(on: time.utcDay)
        return .reserved(record, usage: CapCheck.usage(of: caps, counted: after, at: time))
    }

    private func refuse(
        _ intent: PaymentIntent, _ refusal: CapRefusal, at time: Timestamp
    ) throws(Fault) -> ReservationOutcome {
        try insert(
            RefusedPayment(id: intent.id, purpose: intent.purpose, code: refusal.code, terms: intent.terms), at: time)
        return .refused(refusal)
    }

    /// Books a challenge that was refused before the caps were asked.
    func record(_ refusal: RefusedPayment, at now: Timestamp) throws(Fault) {
        try insert(refusal, at: time(at: now))
    }

    private func insert(_ refusal: RefusedPayment, at time: Timestamp) throws(Fault) {
        let record = PaymentRecord(
            id: refusal.id, purpose: refusal.purpose, terms: refusal.terms, echo: nil, state: .refused,
            reservedAt: time, changedAt: time, evidence: PaymentEvidence(reason: refusal.code))
        guard let number = try PaymentRows.insert(record, into: database) else {
            throw .step(.duplicate("payment \(refusal.id)"))
        }
        try note(.refused, of: number, at: time, cause: refusal.code)
    }

    /// Books what happened to a payment.
    func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) throws(Fault) -> PaymentRecord {
        guard let (number, record) = try PaymentRows.find(id, in: database) else {
            throw .step(.unknownPayment(id.description))
        }
        guard let next = record.state.after(event) else {
            throw .step(.impossible(state: record.state, event: event))
        }
        let time = time(at: now)
        var row = try Prepared("UPDATE payments SET state = ?, changed_at = ? WHERE number = ?", in: database)
        row.bind(next.rawValue)
        row.bind(time.milliseconds)
        row.bind(number)
        try row.run()
        let merged = record.evidence.merging(evidence)
        if merged != record.evidence { try PaymentRows.write(merged, of: number, in: database) }
        if record.state.isOpen, !next.isOpen, let value = record.terms?.value {
            try AgentTotals.release(
                value, of: record.purpose.agent, reservedOn: record.reservedAt.utcDay, stillCounted: next.isCounted,
                in: database)
        }
        try note(next, of: number, at: time, cause: event.rawValue)
        return record.after(next, at: time, evidence: merged)
    }

    /// Books `lostSight` for every reserved row and returns how many there were.
    func doubtReserved(at now: Timestamp) throws(Fault) -> Int {
        let ids = try openPayments(where: "state = 'reserved'", bound: nil)
        for id in ids { _ = try book(.lostSight, of: id, evidence: PaymentEvidence(), at: now) }
        return ids.count
    }

    /// Books `windowPassed` for rejected and doubtful rows whose validBefore is more than `margin` seconds before ledger
    /// time.
    func presumeOverdue(margin: Int64, at now: Timestamp) throws(Fault) -> Int {
        let ids = try openPayments(
            where: "valid_before < ? AND (state = 'rejected' OR state = 'in-doubt')",
            bound: time(at: now).seconds - margin)
        for id in ids { _ = try book(.windowPassed, of: id, evidence: PaymentEvidence(), at: now) }
        return ids.count
    }

    private func openPayments(where condition: String, bound: Int64?) throws(Fault) -> [PaymentID] {
        var query = try Prepared(
            "SELECT id FROM \(PaymentRows.openOnly) WHERE \(PaymentRows.openStates) AND \(condition) ORDER BY number",
            in: database)
        if let bound { query.bind(bound) }
        var ids: [PaymentID] = []
        while try query.step() {
            guard let id = PaymentID(query.text()) else {
                throw .batch(.damaged("an open payment has no valid identifier"))
            }
            ids.append(id)
        }
        return ids
    }
}
