import Ledger
import Primitives

/// The one decision about money, and the rows it leaves.
extension BookKeeper {
    /// Decides about a request, and books a refusal that `admits` gives a row.
    func reserve(
        _ request: ReservationRequest, at now: Timestamp, admits: (RefusedPayment) -> Bool
    ) throws(Fault) -> ReservationOutcome {
        let outcome = try decide(request, at: now)
        guard case .refused(let refusal) = outcome else { return outcome }
        let intent = known.rulebook.placed(request.intent)
        let refused = RefusedPayment(
            id: intent.id, purpose: intent.purpose, code: refusal.code, terms: intent.terms, salt: intent.salt)
        guard !(try PaymentRows.exists(intent.id, in: database)) else {
            throw .step(.duplicate("payment \(intent.id)"))
        }
        guard admits(refused) else { return .counted(refusal) }
        try record(refused, at: now)
        return outcome
    }

    /// Checks everything against the rows of this transaction, and sets the amount aside, takes an earlier attempt over,
    /// or says why not.
    private func decide(_ request: ReservationRequest, at now: Timestamp) throws(Fault) -> ReservationOutcome {
        let intent = known.rulebook.placed(request.intent)
        let time = time(at: now)
        let spend = intent.purpose.spend(intent.terms)
        let caps = known.rulebook.caps(counting: spend)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let obstacle = known.rulebook.obstacle(to: spend, from: intent.terms.wallet, caps: caps, isMetered: false)
        if let obstacle, obstacle != .noCap { return .refused(obstacle) }
        switch try earlier(request, at: time) {
        case (let payment?, .adopt): return try adopt(payment, for: request, caps: caps, at: time)
        case (_, .refuse(let refusal)): return .refused(refusal)
        default: break
        }
        if let obstacle { return .refused(obstacle) }
        if let pause = known.funds.pause(of: intent.terms, by: spend.agent, at: time) {
            return .refused(.walletUnfunded(pause))
        }
        let limit = request.rules.stopAfterRejections
        let rejections = try known.rejections(at: spend.gateway, in: database)
        let route = rejections.isClear(for: spend.agent) ? nil : intent.rejectedRoute
        if let route, let pause = rejections.pause(of: spend.agent, on: route, after: limit, at: time) {
            return .refused(.gatewayRejecting(pause))
        }
        let counted = try known.slots(of: caps, in: database)
        let before = known.usage(of: counted, toFit: spend, at: time)
        if let usage = CapUsage.binding(of: before, for: spend) {
            return .refused(.exceeded(usage))
        }
        let record = PaymentRecord(reserving: intent, at: time)
        guard let number = try PaymentRows.insert(record, into: database) else {
            let isKnown = try PaymentRows.exists(intent.id, in: database)
            throw .step(.duplicate(isKnown ? "payment \(intent.id)" : LedgerError.knownNonce))
        }
        if let route {
            try known.changeRejections(at: spend.gateway, in: database) {
                $0.reserved(by: spend.agent, on: route, after: limit, at: time)
            }
        }
        if !known.funds.isEmpty {
            try known.changeFunds(in: database) { $0.reserved(intent.terms, by: spend.agent, at: time) }
        }
        try bind(request, to: number, at: time)
        if let lesson = request.lesson { try MemoryRows.learn(lesson, at: time, in: database) }
        try write(record.firstLine(cause: PaymentState.reserved.rawValue), of: number, at: time)
        if let approval = request.approval { try write(approval.sponsored(with: record.id), at: time) }
        known.count(spend, in: counted, reservedAt: time, from: nil, to: .reserved, at: time)
        let warnings = try warn(CapUsage.warnings(of: before, adding: spend), at: time)
        known.keep(NumberedPayment(number: number, record: record))
        return .reserved(
            Reservation(
                record: record, usage: known.usage(of: counted, toFit: nil, at: time), warnings: warnings))
    }

    /// The payment that has a say in a request, and what it says.
    private func earlier(
        _ request: ReservationRequest, at time: Timestamp
    ) throws(Fault) -> (NumberedPayment?, EarlierAttempt) {
        let agent = request.intent.purpose.agent
        guard let fingerprint = request.intent.purpose.request?.fingerprint else { return (nil, .ignore) }
        if let key = request.idempotencyKey,
            let bound = try KeyRows.find(agent: agent, key: key, at: time, in: database)
        {
            guard let payment = try PaymentRows.find(number: bound.payment, in: database) else {
                throw .step(.damaged("an idempotency key is bound to no payment"))
            }
            let attempt = EarlierAttempt.sameKey(
                payment.record, boundTo: bound.fingerprint, for: request, at: time)
            if attempt != .ignore { return (payment, attempt) }
        }
        var first: (NumberedPayment?, EarlierAttempt) = (nil, .ignore)
        for payment in try PaymentQueries.attempts(agent: agent, fingerprint: fingerprint, in: database) {
            let attempt = EarlierAttempt.unresolved(payment.record, for: request, at: time)
            if attempt == .adopt { return (payment, attempt) }
            if attempt != .ignore, first.0 == nil { first = (payment, attempt) }
        }
        guard request.mayBeHeld, known.mayHold else { return first }
        let since = time.adding(seconds: -max(request.rules.repeatAfterFailure, PaymentQueries.longestHold))
        for payment in try PaymentQueries.held(agent: agent, fingerprint: fingerprint, since: since, in: database) {
            let attempt = EarlierAttempt.answered(payment.record, for: request, at: time)
            if attempt == .adopt { return (payment, attempt) }
            if attempt != .ignore, first.0 == nil { first = (payment, attempt) }
        }
        return first
    }

    private func adopt(
        _ payment: NumberedPayment, for request: ReservationRequest, caps: [Cap], at time: Timestamp
    ) throws(Fault) -> ReservationOutcome {
        var record = payment.record
        if record.state.after(.adopted) != nil {
            record = try book(.adopted, of: payment, evidence: PaymentEvidence(), at: time)
        } else if record.delivery?.fate.holds == true {
            record = try repeated(payment, at: time)
        }
        try bind(request, to: payment.number, at: time)
        let counted = try known.slots(of: caps, in: database)
        return .adopted(
            Reservation(
                record: record, usage: known.usage(of: counted, toFit: nil, at: time), warnings: []))
    }

    private func bind(_ request: ReservationRequest, to payment: Int64, at time: Timestamp) throws(Fault) {
        let agent = request.intent.purpose.agent
        guard let key = request.idempotencyKey, let fingerprint = request.intent.purpose.request?.fingerprint else {
            return
        }
        // A key stays with the time of its first use, until it has bound for its lifetime.
        if let bound = try KeyRows.find(agent: agent, key: key, at: time, in: database), bound.payment == payment {
            return
        }
        try KeyRows.bind(
            agent: agent, key: key, fingerprint: fingerprint, payment: payment, at: time, in: database)
    }

    /// Books a refusal.
    func record(_ refusal: RefusedPayment, at now: Timestamp) throws(Fault) {
        let time = time(at: now)
        let record = PaymentRecord(refusing: refusal, at: time)
        guard let number = try PaymentRows.insert(record, into: database) else {
            throw .step(.duplicate("payment \(refusal.id)"))
        }
        try write(record.firstLine(cause: refusal.code), of: number, leaving: record.evidence, at: time)
    }

    /// Books what was counted of refusals.
    func note(_ counts: [CountedRefusals], at now: Timestamp) throws(Fault) {
        for count in counts { try write(count.line, at: time(at: now)) }
    }

    /// Checks freezes and the caps that count payments, and books a call of a prepaid gateway.
    func meter(_ call: MeteredCall, at now: Timestamp) throws(Fault) -> MeteringOutcome {
        let time = time(at: now)
        let call = known.rulebook.placed(call)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let spend = call.spend
        let caps = known.rulebook.caps(counting: spend).filter { $0.limit.measure == .payments }
        if let obstacle = known.rulebook.obstacle(to: spend, from: nil, caps: caps, isMetered: true) {
            return .refused(obstacle)
        }
        let counted = try known.slots(of: caps, in: database)
        let before = known.usage(of: counted, toFit: spend, at: time)
        if let usage = CapUsage.binding(of: before, for: spend) { return .refused(.exceeded(usage)) }
        try CallRows.insert(call, at: time, into: database)
        try write(.metered(call), at: time)
        known.count(spend, in: counted, reservedAt: time, from: nil, to: .settled, at: time)
        let warnings = try warn(CapUsage.warnings(of: before, adding: spend), at: time)
        return .booked(usage: known.usage(of: counted, toFit: nil, at: time), warnings: warnings)
    }
}
