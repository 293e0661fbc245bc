package import Ledger
package import Primitives
import Synchronization

extension SQLiteLedger: LedgerStore {}

extension SQLiteLedger: PaymentBooks {
    package var currentGeneration: UInt64 { generation.current }

    package func reserve(
        _ request: ReservationRequest, at now: Timestamp, onPlaced: () -> Void
    ) async throws(LedgerError) -> ReservationOutcome {
        // What the step wanted to book, each time that it ran.
        let admitted = Mutex<[RefusedPayment]>([])
        let outcome: ReservationOutcome
        do {
            outcome = try await writer.perform(onPlaced: onPlaced) { (keeper) throws(Fault) in
                try keeper.reserve(request, at: now) { refusal in
                    let isAdmitted = self.refusals.withLock { $0.admits(refusal, at: now) }
                    if isAdmitted { admitted.withLock { $0.append(refusal) } }
                    return isAdmitted
                }
            }
        } catch {
            // The caller hears of the failure instead: there was no refusal.
            revoke(admitted.withLock { $0 })
            throw error
        }
        var booked: String?
        if case .refused(let refusal) = outcome { booked = refusal.code }
        revoke(admitted.withLock { $0 }.filter { $0.code != booked })
        // Counted once, however often the step ran.
        if case .counted(let refusal) = outcome {
            refusals.withLock { $0.count(refusal.code, of: request.intent.purpose.agent, at: now) }
        }
        return outcome
    }

    private func revoke(_ admitted: [RefusedPayment]) {
        guard !admitted.isEmpty else { return }
        refusals.withLock { refusals in for refusal in admitted { refusals.revoke(refusal) } }
    }

    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate?, at now: Timestamp,
        pace: CommitPace, onPlaced: () -> Void
    ) async throws(LedgerError) -> PaymentRecord {
        try await writer.perform(pace, onPlaced: onPlaced) { (keeper) throws(Fault) in
            try keeper.book(event, of: id, evidence: evidence, delivery: delivery, at: now)
        }
    }

    package func show(
        _ moved: UInt256, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.show(moved, of: id, evidence: evidence, at: now)
        }
    }

    @discardableResult
    package func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) -> Bool {
        let isAdmitted = refusals.withLock { refusals in
            if refusals.admits(refusal, at: now) { return true }
            refusals.count(refusal.code, of: refusal.purpose.agent, at: now)
            return false
        }
        guard isAdmitted else { return false }
        do {
            try await writer.perform { (keeper) throws(Fault) in try keeper.record(refusal, at: now) }
        } catch {
            // One that is known has its row.
            if case .duplicate = error { throw error }
            // It is refused all the same, and counts like one that gets no row.
            refusals.withLock { refusals in
                refusals.revoke(refusal)
                refusals.count(refusal.code, of: refusal.purpose.agent, at: now)
            }
            throw error
        }
        return true
    }

    @discardableResult
    package func noteRefusals(all: Bool, at now: Timestamp) async throws(LedgerError) -> [CountedRefusals] {
        let counts = refusals.withLock { $0.take(all: all, at: now) }
        guard !counts.isEmpty else { return [] }
        do {
            try await writer.perform { (keeper) throws(Fault) in try keeper.note(counts, at: now) }
        } catch {
            refusals.withLock { $0.restore(counts) }
            throw error
        }
        return counts
    }

    package func meter(_ call: MeteredCall, at now: Timestamp) async throws(LedgerError) -> MeteringOutcome {
        try await writer.perform { (keeper) throws(Fault) in try keeper.meter(call, at: now) }
    }

    package func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        try await query { (database) throws(Fault) in try PaymentQueries.list(filter, in: database) }
    }

    package func unproven(
        network: String, limit: Int, in round: AgentRound
    ) async throws(LedgerError) -> AgentReading {
        try await query { (database) throws(Fault) in
            try SharedList.unproven.reading(network: network, limit: limit, in: round, of: database)
        }
    }

    package func unshown(
        network: String, limit: Int, in round: AgentRound
    ) async throws(LedgerError) -> AgentReading {
        try await query { (database) throws(Fault) in
            try SharedList.unshown.reading(network: network, limit: limit, in: round, of: database)
        }
    }

    package func doubtFunds(
        of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.doubtFunds(of: terms, doubt, at: now)
        }
    }

    package func recollection(of key: SellerKey) async throws(LedgerError) -> Recollection {
        try await query { (database) throws(Fault) in try MemoryRows.recollection(of: key, in: database) }
    }

    package func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? {
        try await query { (database) throws(Fault) in try PaymentRows.find(id, in: database)?.record }
    }

    package func history(of id: PaymentID) async throws(LedgerError) -> [JournalEntry] {
        try await query { (database) throws(Fault) in try EntryRows.history(of: id, in: database) }
    }
}

extension SQLiteLedger: RuleBooks {
    /// Agents and generation, read in one step.
    ///
    /// Where the shared number does not agree with the rows, a change is being committed or its writer died: the rows
    /// are then read under the write lock, which waits for the one and repairs after the other.
    package func registry() async throws(LedgerError) -> AgentRegistry {
        let registry = try await query { (database) throws(Fault) in try AgentRows.registry(in: database) }
        guard registry.generation != generation.current else { return registry }
        return try await writer.perform { (keeper) throws(Fault) in try keeper.healedRegistry() }
    }

    package func rulebook() async throws(LedgerError) -> Rulebook {
        try await query { (database) throws(Fault) in try AgentRows.rulebook(in: database) }
    }

    package func usage(of name: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try await query { (database) throws(Fault) in
            try SQLiteSnapshot(database: database).usage(at: now) { (rules) throws(Fault) in
                guard let agent = rules.agents[name] else { throw .step(.unknownAgent(name)) }
                return rules.caps(of: agent)
            }
        }
    }

    package func usage(at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try await query { (database) throws(Fault) in
            try SQLiteSnapshot(database: database).usage(at: now) { (rules) throws(Fault) in rules.allCaps }
        }
    }

    package func add(_ agent: Agent, limits: [CapLimit], by actor: String) async throws(LedgerError) {
        let past = try await past(of: limits.map { Cap(agent: agent.name, $0) }, at: agent.addedAt)
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.add(agent, limits: limits, past: past, by: actor)
        }
    }

    package func removeAgent(_ name: String, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.removeAgent(name, by: actor, at: now) }
    }

    package func replaceToken(
        of agent: String, hash: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.replaceToken(of: agent, hash: hash, by: actor, at: now)
        }
    }

    package func setTeam(
        _ team: String?, of agent: String, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.setTeam(team, of: agent, by: actor, at: now)
        }
    }

    package func setCap(_ cap: Cap, by actor: String, at now: Timestamp) async throws(LedgerError) {
        let past = try await past(of: [cap], at: now)
        try await writer.perform { (keeper) throws(Fault) in try keeper.setCap(cap, past: past, by: actor, at: now) }
    }

    package func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in try keeper.removeCap(key, by: actor, at: now) }
    }

    package func freeze(_ freeze: Freeze) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in try keeper.freeze(freeze) }
    }

    package func unfreeze(
        _ scope: FreezeScope, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in try keeper.unfreeze(scope, by: actor, at: now) }
    }
}

extension SQLiteLedger: SignatureBooks {
    package func admit(_ signIn: SignInIntent, at now: Timestamp) async throws(LedgerError) -> SignatureOutcome {
        try await writer.perform { (keeper) throws(Fault) in try keeper.admit(signIn, at: now) }
    }

    package func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.withhold(signIn, reason: reason, at: now) }
    }

    package func admit(
        _ approval: ApprovalNote, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> SignatureOutcome {
        try await writer.perform { (keeper) throws(Fault) in try keeper.admit(approval, by: actor, at: now) }
    }

    package func sent(
        _ approval: ApprovalNote, as transaction: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.sent(approval, as: transaction, by: actor, at: now)
        }
    }

    package func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> WalletAccount.Opening {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.open(account, accepting: accepting, by: actor, at: now)
        }
    }

    package func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> PolicyInForce.Change {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.putInForce(policy, allowsNone: allowsNone, by: actor, at: now)
        }
    }
}

extension SQLiteLedger: JournalBooks {
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerSnapshot) throws(LedgerError) -> Value
    ) async throws(LedgerError) -> Value {
        try await query { (database) throws(Fault) in
            do throws(LedgerError) {
                return try body(SQLiteSnapshot(database: database))
            } catch {
                throw .step(error)
            }
        }
    }

    package func adjust(_ adjustment: Adjustment, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.adjust(adjustment, by: actor, at: now) }
    }

    package func notice(
        _ cause: String, about subject: String, detail: String?, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.notice(cause, about: subject, detail: detail, at: now)
        }
    }

    package func dueCheckpoint(at now: Timestamp) async throws(LedgerError) -> CheckpointStatement? {
        try await query { (database) throws(Fault) in
            try SQLiteSnapshot(database: database).dueCheckpoint(at: now)
        }
    }

    package func add(_ checkpoint: Checkpoint, at now: Timestamp) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.add(checkpoint, at: now) }
    }
}
