import Primitives

/// The books as a plain value: the model that every store is held against.
///
/// It keeps no totals and no indexes; whatever it is asked it works out from the payments and calls themselves.
struct InMemoryBooks {
    private(set) var payments: [PaymentRecord] = []
    private(set) var calls: [(call: MeteredCall, at: Timestamp)] = []
    private(set) var journal: [JournalEntry] = []
    private(set) var evidence: [Int64: PaymentEvidence] = [:]
    private(set) var rejected: [String: GatewayRejections] = [:]
    private(set) var funds = UnfundedWallets()
    private var refusals = RefusalCounter()
    private var keys: [AgentKey: KeyBinding] = [:]
    private var memory = SellerMemory()
    // Changed by the extension on rules.
    var agents: [String: Agent] = [:]
    var caps: [Cap.Key: Cap] = [:]
    var freezes: [FreezeScope: Freeze] = [:]
    var generation: UInt64 = 1

    private struct AgentKey: Hashable {
        let agent: String
        let key: Bytes32
    }

    private struct KeyBinding {
        let fingerprint: Bytes32
        let payment: PaymentID
        let at: Timestamp
    }

    func time(at now: Timestamp) -> Timestamp {
        journal.last.map { max($0.at, now) } ?? now
    }

    private func index(of id: PaymentID) -> Int? {
        payments.firstIndex { $0.id == id }
    }

    mutating func write(
        _ line: JournalLine, leaving left: PaymentEvidence = PaymentEvidence(), at time: Timestamp
    ) {
        let entry = JournalEntry(
            line, number: Int64(journal.count + 1), at: time, behind: journal.last?.hash ?? JournalEntry.origin)
        journal.append(entry)
        if left != PaymentEvidence() { evidence[entry.number] = left }
    }

    // MARK: Payments

    mutating func reserve(_ request: ReservationRequest, at now: Timestamp) throws(LedgerError) -> ReservationOutcome {
        let outcome = try decide(request, at: now)
        guard case .refused(let refusal) = outcome else { return outcome }
        let intent = rulebook.placed(request.intent)
        let refused = RefusedPayment(
            id: intent.id, purpose: intent.purpose, code: refusal.code, terms: intent.terms, salt: intent.salt)
        return try record(refused, at: now) ? outcome : .counted(refusal)
    }

    private mutating func decide(_ request: ReservationRequest, at now: Timestamp) throws(LedgerError)
        -> ReservationOutcome
    {
        let rulebook = rulebook
        let intent = rulebook.placed(request.intent)
        guard index(of: intent.id) == nil else { throw .duplicate("payment \(intent.id)") }
        let time = time(at: now)
        let spend = intent.purpose.spend(intent.terms)
        let caps = rulebook.caps(counting: spend)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let obstacle = rulebook.obstacle(to: spend, from: intent.terms.wallet, caps: caps, isMetered: false)
        if let obstacle, obstacle != .noCap { return .refused(obstacle) }
        switch earlier(request, at: time) {
        case (let id?, .adopt): return try adopt(id, for: request, caps: caps, at: time)
        case (_, .refuse(let refusal)): return .refused(refusal)
        default: break
        }
        if let obstacle { return .refused(obstacle) }
        if let pause = funds.pause(of: intent.terms, by: spend.agent, at: time) {
            return .refused(.walletUnfunded(pause))
        }
        let limit = request.rules.stopAfterRejections
        let route = intent.rejectedRoute
        let gateway = rejected[spend.gateway] ?? GatewayRejections()
        if let route, let pause = gateway.pause(of: spend.agent, on: route, after: limit, at: time) {
            return .refused(.gatewayRejecting(pause))
        }
        let before = usage(of: caps, toFit: spend, at: time)
        if let usage = CapUsage.binding(of: before, for: spend) {
            return .refused(.exceeded(usage))
        }
        guard !isKnown(intent.terms) else { throw .duplicate(LedgerError.knownNonce) }
        if let route { rejected[spend.gateway]?.reserved(by: spend.agent, on: route, after: limit, at: time) }
        funds.reserved(intent.terms, by: spend.agent, at: time)
        let record = PaymentRecord(reserving: intent, at: time)
        payments.append(record)
        bind(request, to: record.id, at: time)
        if let lesson = request.lesson { memory.learn(lesson, at: time) }
        write(record.firstLine(cause: PaymentState.reserved.rawValue), at: time)
        if let approval = request.approval { write(approval.sponsored(with: record.id), at: time) }
        let warnings = warn(CapUsage.warnings(of: before, adding: spend), at: time)
        return .reserved(
            Reservation(
                record: record, usage: usage(of: caps, at: time), warnings: warnings))
    }

    func clock(behind time: Timestamp, _ now: Timestamp) -> ReservationRefusal? {
        let seconds = time.seconds - now.seconds
        return seconds > ReservationRefusal.clockTolerance ? .clockBehind(seconds: seconds) : nil
    }

    private func earlier(_ request: ReservationRequest, at time: Timestamp) -> (PaymentID?, EarlierAttempt) {
        guard let fingerprint = request.intent.purpose.request?.fingerprint else { return (nil, .ignore) }
        let agent = request.intent.purpose.agent
        if let key = request.idempotencyKey, let bound = keys[AgentKey(agent: agent, key: key)],
            time.seconds - bound.at.seconds < ReservationRequest.keyLifetime, let index = index(of: bound.payment)
        {
            let attempt = EarlierAttempt.sameKey(
                payments[index], boundTo: bound.fingerprint, for: request, at: time)
            if attempt != .ignore { return (bound.payment, attempt) }
        }
        let same = payments.filter { $0.purpose.agent == agent && $0.purpose.request?.fingerprint == fingerprint }
        var attempts = same.map { ($0.id, EarlierAttempt.unresolved($0, for: request, at: time)) }
        if request.mayBeHeld {
            attempts += same.reversed().map { ($0.id, EarlierAttempt.answered($0, for: request, at: time)) }
        }
        attempts = attempts.filter { $0.1 != .ignore }
        return attempts.first { $0.1 == .adopt } ?? attempts.first ?? (nil, .ignore)
    }

    private mutating func adopt(
        _ id: PaymentID, for request: ReservationRequest, caps: [Cap], at time: Timestamp
    ) throws(LedgerError) -> ReservationOutcome {
        guard let index = index(of: id) else { throw .unknownPayment(id.description) }
        if payments[index].state.after(.adopted) != nil {
            _ = try book(.adopted, of: id, evidence: PaymentEvidence(), at: time)
        } else if payments[index].delivery?.fate.holds == true {
            try repeated(index, at: time)
        }
        bind(request, to: id, at: time)
        return .adopted(
            Reservation(
                record: payments[index], usage: usage(of: caps, at: time), warnings: []))
    }

    private mutating func bind(_ request: ReservationRequest, to id: PaymentID, at time: Timestamp) {
        guard let key = request.idempotencyKey, let fingerprint = request.intent.purpose.request?.fingerprint else {
            return
        }
        let name = AgentKey(agent: request.intent.purpose.agent, key: key)
        // A key stays with the time of its first use, until it has bound for its lifetime.
        if let bound = keys[name], bound.payment == id,
            time.seconds - bound.at.seconds < ReservationRequest.keyLifetime
        {
            return
        }
        keys[name] = KeyBinding(fingerprint: fingerprint, payment: id, at: time)
    }

    private func isKnown(_ terms: PaymentIntent.Terms) -> Bool {
        payments.contains { payment in
            guard payment.state != .refused, let known = payment.terms else { return false }
            return known.nonce == terms.nonce && known.payer == terms.payer && known.asset == terms.asset
                && known.network == terms.network
        }
    }

    mutating func record(_ refusal: RefusedPayment, at now: Timestamp) throws(LedgerError) -> Bool {
        guard refusals.admits(refusal, at: now) else {
            refusals.count(refusal.code, of: refusal.purpose.agent, at: now)
            return false
        }
        guard index(of: refusal.id) == nil else { throw .duplicate("payment \(refusal.id)") }
        let time = time(at: now)
        let record = PaymentRecord(refusing: refusal, at: time)
        payments.append(record)
        write(record.firstLine(cause: refusal.code), leaving: record.evidence, at: time)
        return true
    }

    mutating func noteRefusals(all: Bool, at now: Timestamp) -> [CountedRefusals] {
        let counts = refusals.take(all: all, at: now)
        for count in counts { write(count.line, at: time(at: now)) }
        return counts
    }

    /// Books that a payment's bytes are sent again, where that can still be done.
    private mutating func repeated(_ index: Int, at time: Timestamp) throws(LedgerError) {
        let record = payments[index]
        guard let next = record.state.after(.repeated) else { return }
        var changed = record.after(next, at: time, evidence: record.evidence)
        changed.delivery?.repeatedAt = time
        payments[index] = changed
        write(changed.line(.repeated, from: record, leaving: PaymentEvidence()), at: time)
    }

    mutating func book(
        _ event: PaymentEvent, of id: PaymentID, evidence newer: PaymentEvidence, delivery: Delivery.Fate? = nil,
        at now: Timestamp
    ) throws(LedgerError) -> PaymentRecord {
        guard let index = index(of: id) else { throw .unknownPayment(id.description) }
        let record = payments[index]
        guard event != .amountShown, event != .repeated, let next = record.state.after(event) else {
            throw .impossible(state: record.state, event: event)
        }
        let time = time(at: now)
        let left = record.salt == nil ? newer.erased : newer
        let changed = record.after(
            next, at: time, evidence: record.evidence.merging(left),
            delivery: record.delivery(after: event, to: next, news: delivery, at: time))
        if event == .answered, changed.delivery == record.delivery { return record }
        payments[index] = changed
        write(changed.line(event, from: record, leaving: left), leaving: left, at: time)
        follow(event, of: changed, from: record.state, for: newer.reason, at: time)
        return changed
    }

    mutating func show(
        _ moved: UInt256, of id: PaymentID, evidence newer: PaymentEvidence, at now: Timestamp
    ) throws(LedgerError) -> PaymentRecord {
        guard let index = index(of: id) else { throw .unknownPayment(id.description) }
        let record = payments[index]
        if let obstacle = record.obstacle(toShowing: moved) { throw obstacle }
        let time = time(at: now)
        let left = record.salt == nil ? newer.erased : newer
        let changed = record.showing(moved, at: time, evidence: record.evidence.merging(left))
        payments[index] = changed
        write(changed.line(showing: moved, leaving: left), leaving: left, at: time)
        return changed
    }

    /// Keeps count of what gateways reject and accept.
    private mutating func follow(
        _ event: PaymentEvent, of record: PaymentRecord, from: PaymentState, for reason: String?, at time: Timestamp
    ) {
        guard let terms = record.terms else { return }
        let agent = record.purpose.agent
        switch event {
        case .settled, .servedUnproven: funds.accepted(terms)
        case .neverSent: funds.unsent(terms, by: agent)
        default: break
        }
        var gateway = rejected[record.purpose.gateway] ?? GatewayRejections()
        gateway.moved(terms.value, of: agent, from: from, to: record.state)
        switch event {
        case _ where event.isRejection && record.state == .rejected && from != .rejected:
            guard let route = record.rejectedRoute, let spend = record.spend else { break }
            gateway.rejected(
                Rejection(
                    route: route, at: time, saysUnfunded: RejectionReason.saysUnfunded(reason),
                    tightestCap: rulebook.caps(counting: spend).tightestOverTime),
                of: agent)
        case .settled, .servedUnproven: gateway.accepted(by: agent, on: record.rejectedRoute, at: time)
        default: break
        }
        rejected[record.purpose.gateway] = gateway.isEmpty ? nil : gateway
    }

    /// Something is learnt about a wallet's funds; returns whether that pauses the wallet.
    mutating func doubtFunds(of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp) -> Bool {
        funds.doubt(terms, doubt, at: time(at: now))
    }

    /// Books an event for every payment that a condition picks, those whose window ends first in front, and returns how
    /// many there were.
    mutating func bookAll(
        at now: Timestamp, delivery: Delivery.Fate? = nil, _ event: (PaymentRecord) -> PaymentEvent?
    ) throws(LedgerError) -> Int {
        let steps = payments.enumerated().sorted {
            ($0.element.liveUntil ?? 0, $0.offset) < ($1.element.liveUntil ?? 0, $1.offset)
        }.compactMap { _, record in event(record).map { (record.id, $0) } }
        for (id, event) in steps {
            _ = try book(event, of: id, evidence: PaymentEvidence(), delivery: delivery, at: now)
        }
        return steps.count
    }

    mutating func closeOverdue(_ policy: OverduePolicy, at now: Timestamp) throws(LedgerError) -> Int {
        let bound = time(at: now).seconds - policy.margin
        return try bookAll(at: now) { record in
            guard record.state == .rejected || record.state == .inDoubt, let terms = record.terms,
                terms.validBefore < bound
            else { return nil }
            return policy.event(gateway: record.purpose.gateway, network: terms.network)
        }
    }

    mutating func forgetRoutes(before bound: Timestamp) {
        for (name, var gateway) in rejected {
            gateway.forgetRoutes(before: bound)
            rejected[name] = gateway.isEmpty ? nil : gateway
        }
    }

    mutating func erase(paymentAt index: Int) {
        payments[index] = payments[index].erased
        let id = payments[index].id.description
        for entry in journal where entry.line.kind == .payment && entry.line.subject == id {
            evidence[entry.number] = evidence[entry.number]?.erased
        }
    }

    // MARK: Memory

    func recollection(of key: SellerKey) -> Recollection { memory.recollection(of: key) }

    /// Forgets what is remembered for an agent, but for the highest prices.
    mutating func forgetMemory(of agent: String) { memory.forget(agent) }

    // MARK: Lists

    /// The next payments of a list that many agents share.
    func reading(
        _ limit: Int, in round: AgentRound, of isListed: (PaymentRecord) -> Bool, time: (PaymentRecord) -> Int64
    ) -> AgentReading {
        typealias Place = AgentRound.Place
        var parts: [String: [Place]] = [:]
        for (index, record) in payments.enumerated() where isListed(record) {
            parts[record.purpose.agent, default: []].append(Place(time: time(record), number: Int64(index)))
        }
        func isBefore(_ left: Place, _ right: Place) -> Bool {
            (left.time, left.number) < (right.time, right.number)
        }
        let names = parts.keys.sorted()
        var round = round
        let places = round.next(limit: limit) { after, limit in
            Array(names.filter { name in after.map { name > $0 } ?? true }.prefix(limit))
        } part: { agent, after, limit in
            Array((parts[agent] ?? []).sorted(by: isBefore).filter { isBefore(after, $0) }.prefix(limit))
        }
        return AgentReading(payments: Salvaged(places.map { payments[Int($0.number)] }), next: round)
    }

    // MARK: Calls

    mutating func meter(_ call: MeteredCall, at now: Timestamp) -> MeteringOutcome {
        let time = time(at: now)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let rulebook = rulebook
        let call = rulebook.placed(call)
        let caps = rulebook.caps(counting: call.spend).filter { $0.limit.measure == .payments }
        if let obstacle = rulebook.obstacle(to: call.spend, from: nil, caps: caps, isMetered: true) {
            return .refused(obstacle)
        }
        let before = usage(of: caps, toFit: call.spend, at: time)
        if let usage = CapUsage.binding(of: before, for: call.spend) { return .refused(.exceeded(usage)) }
        calls.append((call, time))
        write(.metered(call), at: time)
        let warnings = warn(CapUsage.warnings(of: before, adding: call.spend), at: time)
        return .booked(usage: usage(of: caps, at: time), warnings: warnings)
    }

    // MARK: Caps

    var rulebook: Rulebook {
        Rulebook(
            generation: generation, agents: Array(agents.values), caps: Array(caps.values),
            freezes: Array(freezes.values))
    }

    func usage(of caps: [Cap], toFit spend: Spend? = nil, at time: Timestamp) -> [CapUsage] {
        caps.map { cap in
            let line = CapUsage(
                cap: cap, counter: recounted(cap, at: time),
                toFit: spend?.quantity(of: cap.limit.measure) ?? .zero, at: time)
            return CapUsage(cap: cap, used: used(cap, at: time), resetsAt: line.resetsAt)
        }
    }

    /// The meaning of a cap, word for word: what was reserved in its window and counts, and what is open from before.
    private func used(_ cap: Cap, at time: Timestamp) -> UInt256 {
        let window = cap.limit.window
        if window == .request { return .zero }
        func isIn(_ moment: Timestamp) -> Bool { window.counts(bucket: window.bucket(of: moment), at: time) }
        let paid = payments.compactMap { record -> UInt256? in
            guard let spend = record.spend, spend.isCounted(by: cap.scope), record.state.isCounted,
                record.state.isOpen || isIn(record.reservedAt)
            else { return nil }
            return spend.quantity(of: cap.limit.measure)
        }
        let called = calls.filter { cap.limit.measure == .payments && $0.call.spend.isCounted(by: cap.scope) }
            .filter { isIn($0.at) }.map { _ in UInt256(1) }
        return (paid + called).reduce(.zero) { $0.saturatingSum($1) }
    }

    func recounted(_ cap: Cap, at time: Timestamp) -> CapCounter {
        var counter = CapCounter()
        for record in payments {
            guard let spend = record.spend, spend.isCounted(by: cap.scope) else { continue }
            counter.add(spend, reservedAt: record.reservedAt, state: record.state, to: cap.limit, at: time)
        }
        for (call, moment) in calls where call.spend.isCounted(by: cap.scope) && cap.limit.measure == .payments {
            counter.add(call.spend, reservedAt: moment, state: .settled, to: cap.limit, at: time)
        }
        return counter
    }
}
