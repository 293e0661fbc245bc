package import Ledger
package import Primitives
import Synchronization

/// Books in memory that hand everything on, but for what a test makes fail or wants to stand between.
package struct WatchedStore: LedgerStore {
    /// The books.
    package let books: InMemoryLedger
    /// Whether nothing can be reserved, refused or metered.
    package var refusesToWrite = false
    /// How the next bookings of outcomes fail.
    package var failures = Failures(0)
    /// What is wrong with payments that are passed over when overdue ones are closed.
    package var damage: [LedgerError] = []
    /// Whether agents, caps and freezes cannot be read.
    package var hidesRules = false
    /// Called once a reservation, a sign-in or an approval is on record and before anybody hears of it.
    package var onReserved: @Sendable () async -> Void = {}
    /// Called when the booking of an outcome has its place among the steps, before its caller learns the result.
    package var onBooked: @Sendable () async -> Void = {}
    /// Called before a call is metered.
    package var onMetering: @Sendable () async -> Void = {}

    /// Wraps books.
    package init(
        _ books: InMemoryLedger, refusesToWrite: Bool = false, failures: Failures = Failures(0),
        onReserved: @escaping @Sendable () async -> Void = {}
    ) {
        self.books = books
        self.refusesToWrite = refusesToWrite
        self.failures = failures
        self.onReserved = onReserved
    }

    private func checkWriting() throws(LedgerError) {
        if refusesToWrite { throw .storage("full") }
    }
}

extension WatchedStore: PaymentBooks {
    package var currentGeneration: UInt64 { books.currentGeneration }

    package func reserve(
        _ request: ReservationRequest, at now: Timestamp, onPlaced: () -> Void
    ) async throws(LedgerError) -> ReservationOutcome {
        try checkWriting()
        let outcome = try await books.reserve(request, at: now, onPlaced: onPlaced)
        await onReserved()
        return outcome
    }

    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate?, at now: Timestamp,
        pace: CommitPace, onPlaced: () -> Void
    ) async throws(LedgerError) -> PaymentRecord {
        if let error = failures.next() {
            onPlaced()
            await onBooked()
            throw error
        }
        let record = try await books.book(
            event, of: id, evidence: evidence, delivery: delivery, at: now, pace: pace, onPlaced: onPlaced)
        await onBooked()
        return record
    }

    package func show(
        _ moved: UInt256, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        if let error = failures.next() { throw error }
        return try await books.show(moved, of: id, evidence: evidence, at: now)
    }

    package func unshown(
        network: String, limit: Int, in round: AgentRound
    ) async throws(LedgerError) -> AgentReading {
        try await books.unshown(network: network, limit: limit, in: round)
    }

    @discardableResult
    package func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) -> Bool {
        try checkWriting()
        return try await books.record(refusal, at: now)
    }

    @discardableResult
    package func noteRefusals(all: Bool, at now: Timestamp) async throws(LedgerError) -> [CountedRefusals] {
        if let error = failures.next() { throw error }
        return try await books.noteRefusals(all: all, at: now)
    }

    package func meter(_ call: MeteredCall, at now: Timestamp) async throws(LedgerError) -> MeteringOutcome {
        await onMetering()
        try checkWriting()
        return try await books.meter(call, at: now)
    }

    package func doubtAttended(at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        try await books.doubtAttended(at: now)
    }

    package func closeOverdue(_ policy: OverduePolicy, at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        var closed = try await books.closeOverdue(policy, at: now)
        closed.damage += damage
        return closed
    }

    package func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        try await books.payments(filter)
    }

    package func unproven(
        network: String, limit: Int, in round: AgentRound
    ) async throws(LedgerError) -> AgentReading {
        try await books.unproven(network: network, limit: limit, in: round)
    }

    package func doubtFunds(
        of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try checkWriting()
        return try await books.doubtFunds(of: terms, doubt, at: now)
    }

    package func recollection(of key: SellerKey) async throws(LedgerError) -> Recollection {
        try await books.recollection(of: key)
    }

    package func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? { try await books.payment(id) }

    package func history(of id: PaymentID) async throws(LedgerError) -> [JournalEntry] {
        try await books.history(of: id)
    }
}

extension WatchedStore: RuleBooks {
    package func registry() async throws(LedgerError) -> AgentRegistry { try await books.registry() }

    package func rulebook() async throws(LedgerError) -> Rulebook {
        if hidesRules { throw .storage("unreadable") }
        return try await books.rulebook()
    }

    package func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try await books.usage(of: agent, at: now)
    }

    package func usage(at now: Timestamp) async throws(LedgerError) -> [CapUsage] { try await books.usage(at: now) }

    package func add(_ agent: Agent, limits: [CapLimit], by actor: String) async throws(LedgerError) {
        try await books.add(agent, limits: limits, by: actor)
    }

    package func removeAgent(_ name: String, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try await books.removeAgent(name, by: actor, at: now)
    }

    package func replaceToken(
        of agent: String, hash: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await books.replaceToken(of: agent, hash: hash, by: actor, at: now)
    }

    package func setTeam(
        _ team: String?, of agent: String, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await books.setTeam(team, of: agent, by: actor, at: now)
    }

    package func setCap(_ cap: Cap, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try await books.setCap(cap, by: actor, at: now)
    }

    package func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) async throws(LedgerError) -> Bool {
        try await books.removeCap(key, by: actor, at: now)
    }

    package func freeze(_ freeze: Freeze) async throws(LedgerError) -> Bool { try await books.freeze(freeze) }

    package func unfreeze(
        _ scope: FreezeScope, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await books.unfreeze(scope, by: actor, at: now)
    }
}

extension WatchedStore: SignatureBooks {
    package func admit(_ signIn: SignInIntent, at now: Timestamp) async throws(LedgerError) -> SignatureOutcome {
        try checkWriting()
        let outcome = try await books.admit(signIn, at: now)
        await onReserved()
        return outcome
    }

    package func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) async throws(LedgerError) {
        try await books.withhold(signIn, reason: reason, at: now)
    }

    package func admit(
        _ approval: ApprovalNote, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> SignatureOutcome {
        try checkWriting()
        let outcome = try await books.admit(approval, by: actor, at: now)
        await onReserved()
        return outcome
    }

    package func sent(
        _ approval: ApprovalNote, as transaction: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try await books.sent(approval, as: transaction, by: actor, at: now)
    }

    package func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> WalletAccount.Opening {
        try await books.open(account, accepting: accepting, by: actor, at: now)
    }

    package func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> PolicyInForce.Change {
        try await books.putInForce(policy, allowsNone: allowsNone, by: actor, at: now)
    }
}

extension WatchedStore: JournalBooks {
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerSnapshot) throws(LedgerError) -> Value
    ) async throws(LedgerError) -> Value {
        try await books.read(body)
    }

    package func adjust(_ adjustment: Adjustment, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try await books.adjust(adjustment, by: actor, at: now)
    }

    package func notice(
        _ cause: String, about subject: String, detail: String?, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await books.notice(cause, about: subject, detail: detail, at: now)
    }

    package func dueCheckpoint(at now: Timestamp) async throws(LedgerError) -> CheckpointStatement? {
        try await books.dueCheckpoint(at: now)
    }

    package func add(_ checkpoint: Checkpoint, at now: Timestamp) async throws(LedgerError) {
        try await books.add(checkpoint, at: now)
    }

    package func erase(
        before time: Timestamp, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Int {
        try await books.erase(before: time, by: actor, at: now)
    }
}

/// Failures that come one after the other, and then no more.
package final class Failures: Sendable {
    private struct State {
        var errors: [LedgerError]
        var tries = 0
    }

    private let state: Mutex<State>

    /// Makes a row of failures, the first of which comes first.
    package init(_ errors: [LedgerError]) {
        // Reversed, so that the next one is the last.
        state = Mutex(State(errors: errors.reversed()))
    }

    /// Makes a row of equal failures.
    package convenience init(_ count: Int, error: LedgerError = .storage("full")) {
        self.init(Array(repeating: error, count: count))
    }

    /// How often was asked.
    package var tries: Int { state.withLock { $0.tries } }

    /// The next failure; nil once there are no more.
    package func next() -> LedgerError? {
        state.withLock { state in
            state.tries += 1
            return state.errors.popLast()
        }
    }
}
