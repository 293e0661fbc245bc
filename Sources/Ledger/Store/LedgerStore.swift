package import Primitives

/// Which payments to list.
package struct PaymentFilter: Sendable, Equatable {
    /// Only this agent's.
    package var agent: String?
    /// Only those through this gateway.
    package var gateway: String?
    /// Only these states.
    package var states: Set<PaymentState>?
    /// At most this many, newest first; 1 to 100,000, other values are taken as the nearest of these.
    package var limit: Int
    /// The most payments of one list.
    package static let maximumLimit = 100_000

    /// Makes a filter; without arguments it lists the newest 100.
    package init(
        agent: String? = nil, gateway: String? = nil, states: Set<PaymentState>? = nil, limit: Int = 100
    ) {
        self.agent = agent
        self.gateway = gateway
        self.states = states
        self.limit = limit
    }

    /// The limit within its range.
    package var boundedLimit: Int { min(max(limit, 1), Self.maximumLimit) }
}

/// The books.
///
/// Each method is one atomic, durable step, but for those that say otherwise: when it returns, the change survives a power
/// cut.
///
/// Ledger time is the larger of `now` and the last time in the books, so it never goes back. `by` names who made a change
/// (a user of the system), for the journal.
package protocol LedgerStore: PaymentBooks, RuleBooks, SignatureBooks, JournalBooks {}

/// How soon a step has to be on the disk.
package enum CommitPace: Sendable {
    /// As soon as can be: somebody waits for it.
    case prompt
    /// With the next commit that somebody waits for, or some milliseconds later without one.
    case unhurried
}

extension PaymentBooks {
    /// Reserves an amount or adopts an earlier attempt, for callers that need not know when the step has its place.
    package func reserve(
        _ request: ReservationRequest, at now: Timestamp
    ) async throws(LedgerError) -> ReservationOutcome {
        try await reserve(request, at: now, onPlaced: {})
    }

    /// Books what happened to a payment and returns it, for callers that need not know when the step has its place, and
    /// mostly nothing of the answer's way to the agent.
    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate? = nil,
        at now: Timestamp, pace: CommitPace = .prompt
    ) async throws(LedgerError) -> PaymentRecord {
        try await book(event, of: id, evidence: evidence, delivery: delivery, at: now, pace: pace, onPlaced: {})
    }
}

/// The part of the books that payments go through.
package protocol PaymentBooks: Sendable {
    /// The number of the newest change of agents, tokens, caps or freezes: one cheap load.
    var currentGeneration: UInt64 { get }

    /// Checks freezes, earlier attempts, rejections and every cap, and sets the amount aside or takes an earlier attempt
    /// over, in one step.
    ///
    /// A refusal is booked as a `refused` payment. `onPlaced` is called at most once, before the commit is waited for,
    /// when the step has its place: every step that is submitted after that call runs after this one. Throws `duplicate` when the
    /// identifier is known, or when the money could be set aside but the nonce is known for that network, asset and payer.
    func reserve(
        _ request: ReservationRequest, at now: Timestamp, onPlaced: () -> Void
    ) async throws(LedgerError) -> ReservationOutcome

    /// Books what happened to a payment and returns it.
    ///
    /// Evidence fields that are nil leave what is stored. It comes behind every step that was asked for before, at whatever
    /// pace; `onPlaced` is called as by ``reserve(_:at:onPlaced:)``. `delivery` is what the event tells of the answer's way
    /// to the agent, and ``PaymentRecord/delivery(after:to:news:at:)`` what the row makes of it; an
    /// ``PaymentEvent/answered`` that changes nothing there is not booked. Throws `impossible` for an event the state does
    /// not allow, for ``PaymentEvent/amountShown``, which ``show(_:of:evidence:at:)`` books, and for
    /// ``PaymentEvent/repeated``, which ``reserve(_:at:onPlaced:)`` does.
    func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate?, at now: Timestamp,
        pace: CommitPace, onPlaced: () -> Void
    ) async throws(LedgerError) -> PaymentRecord

    /// Books what a payment really moved whose signed amount is a maximum, and frees the rest; returns it.
    ///
    /// Once at most, and only behind settlement or confirmation: `impossible` otherwise. Throws `unsound` for nothing at
    /// all, or more than was signed.
    func show(
        _ moved: UInt256, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord

    /// Keeps what is learnt about a wallet's funds after a seller said that they are too small for a payment of these
    /// terms; returns whether that pauses the wallet in the token.
    func doubtFunds(
        of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp
    ) async throws(LedgerError) -> Bool

    /// Records a challenge that was refused before the caps were asked.
    func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError)

    /// Checks freezes and the caps that count payments, and books a call of a prepaid gateway, in one step.
    func meter(_ call: MeteredCall, at now: Timestamp) async throws(LedgerError) -> MeteringOutcome

    /// Books `lostSight` for every reserved and resumed row: after a restart nobody is left who waits for an answer. And that
    /// the answers which were on their way have not arrived.
    ///
    /// Goes portion by portion, each a step of its own, those whose window ends first in front; returns how many were
    /// booked. A duty that broke off goes on when it is called again.
    func doubtAttended(at now: Timestamp) async throws(LedgerError) -> Salvaged<Int>

    /// Books what the policy says for rejected and doubtful rows whose validBefore is more than its margin before `now`.
    ///
    /// Reserved and resumed rows are left alone, however old: their outcome is still to come, or a restart puts them in
    /// doubt. Goes portion by portion like ``doubtAttended(at:)``; returns how many were booked.
    func closeOverdue(_ policy: OverduePolicy, at now: Timestamp) async throws(LedgerError) -> Salvaged<Int>

    /// The payments that match, newest first.
    func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord]

    /// The unproven payments on a network, those whose window ends first in front, at most `limit`.
    func unproven(network: String, limit: Int) async throws(LedgerError) -> Salvaged<[PaymentRecord]>

    /// Settled and confirmed payments on a network of which the signed amount is a maximum and nobody has shown yet what
    /// was moved, oldest first, at most `limit`.
    func unshown(network: String, limit: Int) async throws(LedgerError) -> [PaymentRecord]

    /// What is remembered of a seller.
    func recollection(of key: SellerKey) async throws(LedgerError) -> Recollection

    /// One payment, or nil.
    func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord?

    /// One payment's entries, oldest first.
    func history(of id: PaymentID) async throws(LedgerError) -> [JournalEntry]
}

/// The part of the books that says who may spend.
package protocol RuleBooks: Sendable {
    /// Agents, freezes and generation, read in one step.
    func registry() async throws(LedgerError) -> AgentRegistry

    /// All agents, caps and freezes, read in one step.
    func rulebook() async throws(LedgerError) -> Rulebook

    /// The use of every cap that can count an agent's payments, narrowest first. Throws `unknownAgent`.
    func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage]

    /// The use of every cap, narrowest first.
    func usage(at now: Timestamp) async throws(LedgerError) -> [CapUsage]

    /// Adds an agent with caps of its own; throws `agentExists`, and `duplicate` when another agent has the token.
    ///
    /// Payments of an earlier agent of that name go on counting against the caps.
    func add(_ agent: Agent, limits: [CapLimit], by actor: String) async throws(LedgerError)

    /// Removes an agent, its token and its own caps; its payments stay. Throws `unknownAgent`.
    func removeAgent(_ name: String, by actor: String, at now: Timestamp) async throws(LedgerError)

    /// Replaces an agent's token; the old one is dead from the next request.
    ///
    /// Throws `unknownAgent`, and `duplicate` when another agent has the token.
    func replaceToken(
        of agent: String, hash: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError)

    /// Puts an agent into a team, or into none; what it spent stays with the team it was in. Throws `unknownAgent`.
    func setTeam(_ team: String?, of agent: String, by actor: String, at now: Timestamp) async throws(LedgerError)

    /// Sets a cap, replacing the one of the same scope, window and measure; what was spent before counts.
    ///
    /// Throws `unknownAgent` for a cap of an agent that is not there.
    func setCap(_ cap: Cap, by actor: String, at now: Timestamp) async throws(LedgerError)

    /// Removes a cap; false when there was none.
    func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) async throws(LedgerError) -> Bool

    /// Freezes; false when that is frozen already.
    func freeze(_ freeze: Freeze) async throws(LedgerError) -> Bool

    /// Lifts a freeze; false when there was none.
    func unfreeze(_ scope: FreezeScope, by actor: String, at now: Timestamp) async throws(LedgerError) -> Bool
}

/// The part of the books that signatures go through which move no money by themselves, and what they are decided by.
package protocol SignatureBooks: Sendable {
    /// Checks freezes, that the agent has a cap on money, and how often it signed in within the hour, and books the
    /// sign-in, in one step. Without that entry it is not signed.
    func admit(_ signIn: SignInIntent, at now: Timestamp) async throws(LedgerError) -> SignatureOutcome

    /// Books that a sign-in which was admitted was not signed after all.
    func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) async throws(LedgerError)

    /// Checks the freezes of everything and of the wallet, and books an operator's approval or its refusal, in one step.
    ///
    /// Without that entry it is not signed.
    func admit(
        _ approval: ApprovalNote, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> SignatureOutcome

    /// Books the transaction by which an operator's approval was sent.
    func sent(
        _ approval: ApprovalNote, as transaction: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError)

    /// Compares the account that a wallet's keystore has opened with the one that the books know under its name, by its
    /// newest entry or else its newest payment, and books an account that is new, in one step.
    func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> WalletAccount.Opening

    /// Compares a policy with the one that the books know to be in force, by its newest entry or else the newest payment,
    /// and books the change, in one step; nil is no policy, which `allowsNone` says is meant.
    func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> PolicyInForce.Change
}

/// The part of the books that accountants read.
package protocol JournalBooks: Sendable {
    /// Lends one consistent state of the books, for as long as the body runs; nothing else waits for it.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerSnapshot) throws(LedgerError) -> Value
    ) async throws(LedgerError) -> Value

    /// Books money that came into a wallet or left it without a payment.
    func adjust(_ adjustment: Adjustment, by actor: String, at now: Timestamp) async throws(LedgerError)

    /// Writes down something an operator should hear of, unless a notice of the same cause about the same subject is
    /// younger than an hour; false then.
    func notice(
        _ cause: String, about subject: String, detail: String?, at now: Timestamp
    ) async throws(LedgerError) -> Bool

    /// The statement of the last closed day that has entries and no checkpoint yet; nil when there is none.
    func dueCheckpoint(at now: Timestamp) async throws(LedgerError) -> CheckpointStatement?

    /// Books a signed checkpoint; throws `unsound` when its day went on since, or is closed already.
    func add(_ checkpoint: Checkpoint, at now: Timestamp) async throws(LedgerError)

    /// Erases requests, echoes and sellers' texts of closed payments that were reserved before a time; returns how many.
    ///
    /// The names of routes go too whose last rejection came before it.
    /// Hashes stay, so that the chain holds. Goes by ``JournalLine/erasureLimit``, each portion a step with an entry of its
    /// own, until it is done or its task is cancelled; what is left then is erased when it is called again.
    func erase(before time: Timestamp, by actor: String, at now: Timestamp) async throws(LedgerError) -> Int
}
