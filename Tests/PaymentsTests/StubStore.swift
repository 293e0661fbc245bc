import Ledger
import Primitives
import Synchronization

/// Books that hand everything on to others, but for what a test makes fail or wants to see.
struct StubStore: LedgerStore {
    let books: InMemoryLedger
    /// Whether nothing can be reserved.
    var reserveFails = false
    /// How the next bookings of outcomes fail.
    var failures = Failures(0)
    /// Told between the reservation and its return.
    var reserved: @Sendable () -> Void = {}

    func reserve(_ intent: PaymentIntent, at now: Timestamp) async throws(LedgerError) -> ReservationOutcome {
        if reserveFails { throw .storage("full") }
        let outcome = try await books.reserve(intent, at: now)
        reserved()
        return outcome
    }

    func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        if let error = failures.next() { throw error }
        return try await books.book(event, of: id, evidence: evidence, at: now)
    }

    func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) {
        if reserveFails { throw .storage("full") }
        try await books.record(refusal, at: now)
    }

    func doubtReserved(at now: Timestamp) async throws(LedgerError) -> Int { try await books.doubtReserved(at: now) }

    func presumeOverdue(margin: Int64, at now: Timestamp) async throws(LedgerError) -> Int {
        try await books.presumeOverdue(margin: margin, at: now)
    }

    func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        try await books.payments(filter)
    }

    func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? { try await books.payment(id) }

    func history(of id: PaymentID) async throws(LedgerError) -> [PaymentTransition] { try await books.history(of: id) }

    func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try await books.usage(of: agent, at: now)
    }

    func add(_ agent: Agent) async throws(LedgerError) { try await books.add(agent) }

    func removeAgent(_ name: String) async throws(LedgerError) { try await books.removeAgent(name) }

    func replaceToken(of agent: String, hash: Bytes32) async throws(LedgerError) {
        try await books.replaceToken(of: agent, hash: hash)
    }

    func setCap(_ cap: Cap, of agent: String) async throws(LedgerError) { try await books.setCap(cap, of: agent) }

    func removeCap(_ window: CapWindow, of agent: String) async throws(LedgerError) -> Bool {
        try await books.removeCap(window, of: agent)
    }

    func agents() async throws(LedgerError) -> [Agent] { try await books.agents() }

    func registry() async throws(LedgerError) -> AgentRegistry { try await books.registry() }
}

/// Failures that come one after the other, and then no more.
final class Failures: Sendable {
    private struct State {
        var errors: [LedgerError]
        var tries = 0
    }

    private let state: Mutex<State>

    init(_ errors: [LedgerError]) {
        // Reversed, so that the next one is the last.
        state = Mutex(State(errors: errors.reversed()))
    }

    convenience init(_ count: Int, error: LedgerError = .storage("full")) {
        self.init(Array(repeating: error, count: count))
    }

    /// How often was asked.
    var tries: Int { state.withLock { $0.tries } }

    func next() -> LedgerError? {
        state.withLock { state in
            state.tries += 1
            return state.errors.popLast()
        }
    }
}
