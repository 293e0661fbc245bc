package import Primitives

/// The answer to a request to set money aside.
package enum ReservationOutcome: Sendable, Equatable {
    /// The money is set aside and the row is on disk; `left` is what each cap admits afterwards.
    case reserved(PaymentRecord, usage: [CapUsage])
    /// Nothing was set aside; the refusal is on record under the intent's identifier.
    case refused(CapRefusal)
}

/// Which payments to list.
package struct PaymentFilter: Sendable, Equatable {
    /// Only this agent's.
    package var agent: String?
    /// Only these states.
    package var states: Set<PaymentState>?
    /// At most this many, newest first; 1 to 100,000, other values are taken as the nearest of these.
    package var limit: Int
    /// The most payments of one list.
    package static let maximumLimit = 100_000

    /// Makes a filter; without arguments it lists the newest 100.
    package init(agent: String? = nil, states: Set<PaymentState>? = nil, limit: Int = 100) {
        self.agent = agent
        self.states = states
        self.limit = limit
    }
}

/// The books.
///
/// Each method is one atomic, durable step: when it returns, the change survives a power cut.
///
/// Ledger time is the larger of `now` and the last time in the books, so it never goes back.
package protocol LedgerStore: Sendable {
    /// Checks every cap of the agent and sets the amount aside, in one step.
    ///
    /// A refusal is booked as a `refused` payment. Throws `duplicate` when the identifier is known, or when the money
    /// could be set aside but the nonce is known for that network, asset and payer.
    func reserve(_ intent: PaymentIntent, at now: Timestamp) async throws(LedgerError) -> ReservationOutcome

    /// Books what happened to a payment and returns it.
    ///
    /// Evidence fields that are nil leave what is stored. Throws `impossible` for an event the state does not allow.
    func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord

    /// Records a challenge that was refused before the caps were asked.
    func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError)

    /// Books `lostSight` for every reserved row: after a restart nobody is left who waits for an answer.
    func doubtReserved(at now: Timestamp) async throws(LedgerError) -> Int

    /// Books `windowPassed` for rejected and doubtful rows whose validBefore is more than `margin` seconds before `now`.
    ///
    /// Reserved rows are left alone, however old: their outcome is still to come, or a restart puts them in doubt.
    func presumeOverdue(margin: Int64, at now: Timestamp) async throws(LedgerError) -> Int

    /// The payments that match, newest first.
    func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord]

    /// One payment, or nil.
    func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord?

    /// One payment's history, oldest first.
    func history(of id: PaymentID) async throws(LedgerError) -> [PaymentTransition]

    /// The use of each of an agent's caps, narrowest window first. Throws `unknownAgent`.
    func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage]

    /// Adds an agent; throws `agentExists`, and `duplicate` when another agent has the token.
    ///
    /// Payments of an earlier agent of that name go on counting against the caps.
    func add(_ agent: Agent) async throws(LedgerError)

    /// Removes an agent, its token and caps; its payments stay. Throws `unknownAgent`.
    func removeAgent(_ name: String) async throws(LedgerError)

    /// Replaces an agent's token; the old one is dead from the next request.
    ///
    /// Throws `unknownAgent`, and `duplicate` when another agent has the token.
    func replaceToken(of agent: String, hash: Bytes32) async throws(LedgerError)

    /// Sets one cap of an agent, replacing the one of the same window. Throws `unknownAgent`.
    func setCap(_ cap: Cap, of agent: String) async throws(LedgerError)

    /// Removes one cap of an agent; false when there was none. Throws `unknownAgent`.
    func removeCap(_ window: CapWindow, of agent: String) async throws(LedgerError) -> Bool

    /// All agents by name.
    func agents() async throws(LedgerError) -> [Agent]

    /// Agents and generation, read in one step.
    func registry() async throws(LedgerError) -> AgentRegistry
}
