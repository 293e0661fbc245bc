package import Primitives
import Synchronization

/// A store that forgets everything with the process: the reference for the others, and for tests of what stands above.
package final class InMemoryLedger: LedgerStore {
    private let books = Mutex(InMemoryBooks())

    /// Makes empty books.
    package init() {}

    package func reserve(
        _ intent: PaymentIntent, at now: Timestamp
    ) async throws(LedgerError) -> ReservationOutcome {
        try books.withLock { (books) throws(LedgerError) in try books.reserve(intent, at: now) }
    }

    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        try books.withLock { (books) throws(LedgerError) in
            try books.book(event, of: id, evidence: evidence, at: now)
        }
    }

    package func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) {
        try books.withLock { (books) throws(LedgerError) in try books.record(refusal, at: now) }
    }

    package func doubtReserved(at now: Timestamp) async throws(LedgerError) -> Int {
        try books.withLock { (books) throws(LedgerError) in
            try books.bookAll(.lostSight, at: now) { $0.state == .reserved }
        }
    }

    package func presumeOverdue(margin: Int64, at now: Timestamp) async throws(LedgerError) -> Int {
        try books.withLock { (books) throws(LedgerError) in try books.presumeOverdue(margin: margin, at: now) }
    }

    package func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        books.withLock { $0.payments(filter) }
    }

    package func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? {
        books.withLock { $0.payments.first { $0.id == id } }
    }

    package func history(of id: PaymentID) async throws(LedgerError) -> [PaymentTransition] {
        books.withLock { $0.transitions.filter { $0.payment == id } }
    }

    package func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try books.withLock { (books) throws(LedgerError) in try books.usage(of: agent, at: now) }
    }

    package func add(_ agent: Agent) async throws(LedgerError) {
        try books.withLock { (books) throws(LedgerError) in try books.add(agent) }
    }

    package func removeAgent(_ name: String) async throws(LedgerError) {
        try books.withLock { (books) throws(LedgerError) in try books.removeAgent(name) }
    }

    package func replaceToken(of agent: String, hash: Bytes32) async throws(LedgerError) {
        try books.withLock { (books) throws(LedgerError) in try books.replaceToken(of: agent, hash: hash) }
    }

    package func setCap(_ cap: Cap, of agent: String) async throws(LedgerError) {
        try books.withLock { (books) throws(LedgerError) in try books.setCap(cap, of: agent) }
    }

    package func removeCap(_ window: CapWindow, of agent: String) async throws(LedgerError) -> Bool {
        try books.withLock { (books) throws(LedgerError) in try books.removeCap(window, of: agent) }
    }

    package func agents() async throws(LedgerError) -> [Agent] {
        books.withLock { $0.agents.values.sorted { $0.name < $1.name } }
    }

    package func registry() async throws(LedgerError) -> AgentRegistry {
        books.withLock { AgentRegistry(generation: $0.generation, agents: Array($0.agents.values)) }
    }
}
