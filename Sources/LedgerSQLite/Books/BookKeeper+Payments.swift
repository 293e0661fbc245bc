import Ledger
import Primitives

/// What becomes of payments.
extension BookKeeper {
    /// Books what happened to a payment.
    func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate?, at now: Timestamp
    ) throws(Fault) -> PaymentRecord {
        guard let payment = try known.payment(id, in: database) else {
            throw .step(.unknownPayment(id.description))
        }
        return try book(event, of: payment, evidence: evidence, delivery: delivery, at: time(at: now))
    }

    /// Books a step of a payment; `time` is ledger time.
    func book(
        _ event: PaymentEvent, of payment: NumberedPayment, evidence newer: PaymentEvidence,
        delivery: Delivery.Fate? = nil, at time: Timestamp
    ) throws(Fault) -> PaymentRecord {
        let record = payment.record
        guard event != .amountShown, event != .repeated, let next = record.state.after(event) else {
            throw .step(.impossible(state: record.state, event: event))
        }
        let left = record.salt == nil ? newer.erased : newer
        let changed = record.after(
            next, at: time, evidence: record.evidence.merging(left),
            delivery: record.delivery(after: event, to: next, news: delivery, at: time))
        if event == .answered, changed.delivery == record.delivery { return record }
        try PaymentRows.update(payment, to: changed, in: database)
        if changed.delivery != record.delivery { known.note(changed.delivery) }
        try write(changed.line(event, from: record, leaving: left), of: payment.number, leaving: left, at: time)
        if let spend = record.spend {
            let counted = try known.slots(of: known.rulebook.caps(counting: spend), in: database)
            known.count(
                spend, in: counted, reservedAt: record.reservedAt, from: record.state, to: next, at: time)
        }
        try follow(event, of: changed, from: record.state, for: newer.reason, at: time)
        known.release(record.id)
        // The end of its answer will be booked soon.
        if changed.delivery?.fate == .underWay { known.keep(NumberedPayment(number: payment.number, record: changed)) }
        return changed
    }

    /// Books that a payment's bytes are sent again, where that can still be done.
    func repeated(_ payment: NumberedPayment, at time: Timestamp) throws(Fault) -> PaymentRecord {
        let record = payment.record
        guard let next = record.state.after(.repeated) else { return record }
        var changed = record.after(next, at: time, evidence: record.evidence)
        changed.delivery?.repeatedAt = time
        try PaymentRows.update(payment, to: changed, in: database)
        try write(
            changed.line(.repeated, from: record, leaving: PaymentEvidence()), of: payment.number,
            leaving: PaymentEvidence(), at: time)
        known.release(record.id)
        return changed
    }

    /// Books what a payment moved whose signed amount is a maximum.
    func show(
        _ moved: UInt256, of id: PaymentID, evidence newer: PaymentEvidence, at now: Timestamp
    ) throws(Fault) -> PaymentRecord {
        guard let payment = try known.payment(id, in: database) else {
            throw .step(.unknownPayment(id.description))
        }
        let record = payment.record
        if let obstacle = record.obstacle(toShowing: moved) { throw .step(obstacle) }
        let time = time(at: now)
        var row = try Prepared("UPDATE payments SET moved = ?, changed_at = ? WHERE number = ?", in: database)
        row.bind(moved)
        row.bind(time)
        row.bind(payment.number)
        try row.run()
        let left = record.salt == nil ? newer.erased : newer
        let changed = record.showing(moved, at: time, evidence: record.evidence.merging(left))
        try write(changed.line(showing: moved, leaving: left), of: payment.number, leaving: left, at: time)
        if let whole = record.spend, let part = changed.spend {
            let counted = try known.slots(of: known.rulebook.caps(counting: whole), in: database)
            known.count(
                whole, in: counted, reservedAt: record.reservedAt, from: record.state, to: .voided, at: time)
            known.count(part, in: counted, reservedAt: record.reservedAt, from: nil, to: record.state, at: time)
        }
        known.release(record.id)
        return changed
    }

    /// Keeps what is learnt about a wallet's funds; returns whether that pauses the wallet.
    func doubtFunds(
        of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp
    ) throws(Fault) -> Bool {
        let time = time(at: now)
        var isPaused = false
        try known.changeFunds(in: database) { isPaused = $0.doubt(terms, doubt, at: time) }
        return isPaused
    }

    /// Keeps count of what gateways reject and accept.
    private func follow(
        _ event: PaymentEvent, of record: PaymentRecord, from: PaymentState, for reason: String?, at time: Timestamp
    ) throws(Fault) {
        guard let terms = record.terms else { return }
        let (agent, gateway) = (record.purpose.agent, record.purpose.gateway)
        let isAccepted = event == .settled || event == .servedUnproven
        if !known.funds.isEmpty {
            if isAccepted { try known.changeFunds(in: database) { $0.accepted(terms) } }
            if event == .neverSent { try known.changeFunds(in: database) { $0.unsent(terms, by: agent) } }
        }
        if (from == .rejected) == (record.state == .rejected) {
            let known = try known.rejections(at: gateway, in: database)
            guard isAccepted, known.isChanged(byAcceptanceOf: agent, on: record.rejectedRoute) else { return }
        }
        let tightest =
            event.isRejection
            ? record.spend.flatMap { known.rulebook.caps(counting: $0).tightestOverTime } : nil
        try known.changeRejections(at: gateway, in: database) { (gateway) throws(Fault) in
            gateway.moved(terms.value, of: agent, from: from, to: record.state)
            switch event {
            case _ where event.isRejection && record.state == .rejected && from != .rejected:
                guard let route = record.rejectedRoute else { break }
                gateway.rejected(
                    Rejection(
                        route: route, at: time, saysUnfunded: RejectionReason.saysUnfunded(reason),
                        tightestCap: tightest), of: agent)
            case .settled, .servedUnproven: gateway.accepted(by: agent, on: record.rejectedRoute, at: time)
            default: break
            }
        }
    }

    /// Books an event for each of some payments, by their numbers; nil leaves one as it is.
    ///
    /// Rows that cannot be read are passed over.
    func book(
        _ event: (PaymentRecord) -> PaymentEvent?, ofAll numbers: [Int64], delivery: Delivery.Fate? = nil,
        at now: Timestamp
    ) throws(Fault) -> Salvaged<Int> {
        let time = time(at: now)
        var done = Salvaged(0)
        for number in numbers {
            let payment: NumberedPayment?
            do {
                payment = try PaymentRows.find(number: number, in: database)
            } catch {
                guard case .step(let damage) = error else { throw error }
                done.damage.append(damage)
                continue
            }
            guard let payment, let event = event(payment.record) else { continue }
            _ = try book(event, of: payment, evidence: PaymentEvidence(), delivery: delivery, at: time)
            done.value += 1
        }
        return done
    }
}
