import Primitives

/// The books as a plain value: the model that every store is held against.
///
/// It keeps no totals and no indexes; whatever it is asked it works out from the payments themselves.
struct InMemoryBooks {
    private(set) var payments: [PaymentRecord] = []
    private(set) var transitions: [PaymentTransition] = []
    private(set) var agents: [String: Agent] = [:]
    private(set) var generation: UInt64 = 1

    private func time(at now: Timestamp) -> Timestamp {
        transitions.last.map { max($0.at, now) } ?? now
    }

    private func index(of id: PaymentID) -> Int? {
        payments.firstIndex { $0.id == id }
    }

    private mutating func note(_ record: PaymentRecord, cause: String) {
        transitions.append(
            PaymentTransition(
                sequence: Int64(transitions.count + 1), payment: record.id, at: record.changedAt, state: record.state,
                cause: cause))
    }

    // MARK: Payments

    mutating func reserve(_ intent: PaymentIntent, at now: Timestamp) throws(LedgerError) -> ReservationOutcome {
        let terms = intent.terms
        guard index(of: intent.id) == nil else { throw .duplicate("payment \(intent.id)") }
        let time = time(at: now)
        let agent = agents[intent.purpose.agent]
        let counted = counted(for: intent.purpose.agent, on: time.utcDay)
        let refusal =
            agent.map { CapCheck.refusal(of: terms.value, caps: $0.caps, counted: counted, at: time) } ?? .unknownAgent
        if let refusal {
            try record(
                RefusedPayment(id: intent.id, purpose: intent.purpose, code: refusal.code, terms: terms), at: now)
            return .refused(refusal)
        }
        let isKnown = payments.contains { payment in
            guard payment.state != .refused, let known = payment.terms else { return false }
            return known.nonce == terms.nonce && known.payer == terms.payer && known.asset == terms.asset
                && known.network == terms.network
        }
        guard !isKnown else { throw .duplicate(LedgerError.knownNonce) }
        let record = PaymentRecord(
            id: intent.id, purpose: intent.purpose, terms: terms, echo: intent.echo, state: .reserved,
            reservedAt: time, changedAt: time, evidence: PaymentEvidence())
        payments.append(record)
        note(record, cause: PaymentState.reserved.rawValue)
        let after = self.counted(for: intent.purpose.agent, on: time.utcDay)
        return .reserved(record, usage: CapCheck.usage(of: agent?.caps ?? [], counted: after, at: time))
    }

    mutating func record(_ refusal: RefusedPayment, at now: Timestamp) throws(LedgerError) {
        guard index(of: refusal.id) == nil else { throw .duplicate("payment \(refusal.id)") }
        let time = time(at: now)
        let record = PaymentRecord(
            id: refusal.id, purpose: refusal.purpose, terms: refusal.terms, echo: nil, state: .refused,
            reservedAt: time, changedAt: time, evidence: PaymentEvidence(reason: refusal.code))
        payments.append(record)
        note(record, cause: refusal.code)
    }

    mutating func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) throws(LedgerError) -> PaymentRecord {
        guard let index = index(of: id) else { throw .unknownPayment(id.description) }
        let record = payments[index]
        guard let next = record.state.after(event) else { throw .impossible(state: record.state, event: event) }
        payments[index] = record.after(next, at: time(at: now), evidence: record.evidence.merging(evidence))
        note(payments[index], cause: event.rawValue)
        return payments[index]
    }

    /// Books an event for every payment that a condition picks and returns how many there were.
    mutating func bookAll(
        _ event: PaymentEvent, at now: Timestamp, where picks: (PaymentRecord) -> Bool
    ) throws(LedgerError) -> Int {
        let ids = payments.filter(picks).map(\.id)
        for id in ids { _ = try book(event, of: id, evidence: PaymentEvidence(), at: now) }
        return ids.count
    }

    mutating func presumeOverdue(margin: Int64, at now: Timestamp) throws(LedgerError) -> Int {
        let seconds = time(at: now).seconds
        return try bookAll(.windowPassed, at: now) { record in
            guard record.state.after(.windowPassed) != nil, let terms = record.terms else { return false }
            return terms.validBefore < seconds - margin
        }
    }

    private func counted(for agent: String, on day: Int64) -> Counted {
        func total(_ picks: (PaymentRecord) -> Bool) -> Dollars {
            payments.filter { $0.purpose.agent == agent && $0.state.isCounted && picks($0) }
                .reduce(.zero) { $0.adding($1.terms?.value ?? .zero) ?? .max }
        }
        return Counted(day: total { $0.reservedAt.utcDay == day || $0.state.isOpen }, lifetime: total { _ in true })
    }

    // MARK: Questions

    func payments(_ filter: PaymentFilter) -> [PaymentRecord] {
        let matching = payments.reversed().filter { record in
            filter.agent.map { $0 == record.purpose.agent } ?? true
                && filter.states.map { $0.contains(record.state) } ?? true
        }
        return Array(matching.prefix(min(max(filter.limit, 1), PaymentFilter.maximumLimit)))
    }

    func usage(of agent: String, at now: Timestamp) throws(LedgerError) -> [CapUsage] {
        guard let known = agents[agent] else { throw .unknownAgent(agent) }
        let time = time(at: now)
        return CapCheck.usage(of: known.caps, counted: counted(for: agent, on: time.utcDay), at: time)
    }

    // MARK: Agents

    mutating func add(_ agent: Agent) throws(LedgerError) {
        guard agents[agent.name] == nil else { throw .agentExists(agent.name) }
        try change(agent.name, wallet: agent.wallet, hash: agent.tokenHash, caps: agent.caps, addedAt: agent.addedAt)
    }

    mutating func removeAgent(_ name: String) throws(LedgerError) {
        _ = try known(name)
        agents[name] = nil
        generation += 1
    }

    mutating func replaceToken(of name: String, hash: Bytes32) throws(LedgerError) {
        let agent = try known(name)
        try change(name, wallet: agent.wallet, hash: hash, caps: agent.caps, addedAt: agent.addedAt)
    }

    mutating func setCap(_ cap: Cap, of name: String) throws(LedgerError) {
        let agent = try known(name)
        let caps = agent.caps.filter { $0.window != cap.window } + [cap]
        try change(name, wallet: agent.wallet, hash: agent.tokenHash, caps: caps, addedAt: agent.addedAt)
    }

    mutating func removeCap(_ window: CapWindow, of name: String) throws(LedgerError) -> Bool {
        let agent = try known(name)
        let caps = agent.caps.filter { $0.window != window }
        guard caps.count < agent.caps.count else { return false }
        try change(name, wallet: agent.wallet, hash: agent.tokenHash, caps: caps, addedAt: agent.addedAt)
        return true
    }

    private func known(_ name: String) throws(LedgerError) -> Agent {
        guard let agent = agents[name] else { throw .unknownAgent(name) }
        return agent
    }

    private mutating func change(
        _ name: String, wallet: String?, hash: Bytes32, caps: [Cap], addedAt: Timestamp
    ) throws(LedgerError) {
        guard !agents.values.contains(where: { $0.tokenHash == hash && $0.name != name }) else {
            throw .duplicate(LedgerError.knownToken)
        }
        let sorted = caps.sorted { $0.window < $1.window }
        agents[name] = Agent(name: name, wallet: wallet, tokenHash: hash, caps: sorted, addedAt: addedAt)
        generation += 1
    }
}
