package import Primitives
import Synchronization

/// A store that forgets everything with the process: the reference for the others, and for tests of what stands above.
package final class InMemoryLedger: LedgerStore {
    private let books = Mutex(InMemoryBooks())

    /// Makes empty books.
    package init() {}

    private func change<Value>(
        _ body: (inout InMemoryBooks) throws(LedgerError) -> Value
    ) throws(LedgerError) -> Value {
        try books.withLock { (books) throws(LedgerError) in try body(&books) }
    }
}

extension InMemoryLedger: PaymentBooks {
    package var currentGeneration: UInt64 { books.withLock { $0.generation } }

    package func reserve(
        _ request: ReservationRequest, at now: Timestamp, onPlaced: () -> Void
    ) async throws(LedgerError) -> ReservationOutcome {
        defer { onPlaced() }
        return try change { (books) throws(LedgerError) in try books.reserve(request, at: now) }
    }

    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, delivery: Delivery.Fate?, at now: Timestamp,
        pace: CommitPace, onPlaced: () -> Void
    ) async throws(LedgerError) -> PaymentRecord {
        defer { onPlaced() }
        return try change { (books) throws(LedgerError) in
            try books.book(event, of: id, evidence: evidence, delivery: delivery, at: now)
        }
    }

    package func show(
        _ moved: UInt256, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        try change { (books) throws(LedgerError) in try books.show(moved, of: id, evidence: evidence, at: now) }
    }

    package func unshown(network: String, limit: Int) async throws(LedgerError) -> [PaymentRecord] {
        books.withLock { books in
            let matching = books.payments.filter { record in
                record.moved == nil && record.state.after(.amountShown) != nil && record.terms?.isMaximum == true
                    && record.terms?.network == network
            }
            return Array(matching.prefix(limit))
        }
    }

    package func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in try books.record(refusal, at: now) }
    }

    package func meter(_ call: MeteredCall, at now: Timestamp) async throws(LedgerError) -> MeteringOutcome {
        books.withLock { $0.meter(call, at: now) }
    }

    package func doubtAttended(at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        try change { (books) throws(LedgerError) in
            let attended = try books.bookAll(at: now) { $0.state.isAttended ? .lostSight : nil }
            let underWay = try books.bookAll(at: now, delivery: .undelivered) {
                $0.delivery?.fate == .underWay ? .answered : nil
            }
            return Salvaged(attended + underWay)
        }
    }

    package func closeOverdue(_ policy: OverduePolicy, at now: Timestamp) async throws(LedgerError) -> Salvaged<Int> {
        try change { (books) throws(LedgerError) in Salvaged(try books.closeOverdue(policy, at: now)) }
    }

    package func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        books.withLock { books in
            let matching = books.payments.reversed().filter { record in
                filter.agent.map { $0 == record.purpose.agent } ?? true
                    && filter.gateway.map { $0 == record.purpose.gateway } ?? true
                    && filter.states.map { $0.contains(record.state) } ?? true
            }
            return Array(matching.prefix(filter.boundedLimit))
        }
    }

    package func unproven(network: String, limit: Int) async throws(LedgerError) -> Salvaged<[PaymentRecord]> {
        books.withLock { books in
            let matching = books.payments.enumerated().filter {
                $0.element.state.isUnproven && $0.element.terms?.network == network
            }
            let sorted = matching.sorted {
                ($0.element.liveUntil ?? 0, $0.offset) < ($1.element.liveUntil ?? 0, $1.offset)
            }
            return Salvaged(Array(sorted.prefix(limit).map(\.element)))
        }
    }

    package func doubtFunds(
        of terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        books.withLock { $0.doubtFunds(of: terms, doubt, at: now) }
    }

    package func recollection(of key: SellerKey) async throws(LedgerError) -> Recollection {
        books.withLock { $0.recollection(of: key) }
    }

    package func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? {
        books.withLock { $0.payments.first { $0.id == id } }
    }

    package func history(of id: PaymentID) async throws(LedgerError) -> [JournalEntry] {
        books.withLock { books in
            books.journal.filter { $0.line.kind == .payment && $0.line.subject == id.description }
        }
    }
}

extension InMemoryLedger: RuleBooks {
    package func registry() async throws(LedgerError) -> AgentRegistry {
        books.withLock {
            AgentRegistry(
                generation: $0.generation, agents: Array($0.agents.values),
                freezes: Array($0.rulebook.freezes.values))
        }
    }

    package func rulebook() async throws(LedgerError) -> Rulebook { books.withLock { $0.rulebook } }

    package func usage(of name: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try change { (books) throws(LedgerError) in
            guard let agent = books.agents[name] else { throw .unknownAgent(name) }
            return books.usage(of: books.rulebook.caps(of: agent), at: books.time(at: now))
        }
    }

    package func usage(at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        books.withLock { $0.usage(of: $0.rulebook.allCaps, at: $0.time(at: now)) }
    }

    package func add(_ agent: Agent, limits: [CapLimit], by actor: String) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in try books.add(agent, limits: limits, by: actor) }
    }

    package func removeAgent(_ name: String, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in try books.removeAgent(name, by: actor, at: now) }
    }

    package func replaceToken(
        of agent: String, hash: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in
            try books.replaceToken(of: agent, hash: hash, by: actor, at: now)
        }
    }

    package func setTeam(
        _ team: String?, of agent: String, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in try books.setTeam(team, of: agent, by: actor, at: now) }
    }

    package func setCap(_ cap: Cap, by actor: String, at now: Timestamp) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in try books.setCap(cap, by: actor, at: now) }
    }

    package func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) async throws(LedgerError) -> Bool {
        books.withLock { $0.removeCap(key, by: actor, at: now) }
    }

    package func freeze(_ freeze: Freeze) async throws(LedgerError) -> Bool {
        books.withLock { $0.freeze(freeze) }
    }

    package func unfreeze(
        _ scope: FreezeScope, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        books.withLock { $0.unfreeze(scope, by: actor, at: now) }
    }
}

extension InMemoryLedger: SignatureBooks {
    package func admit(_ signIn: SignInIntent, at now: Timestamp) async throws(LedgerError) -> SignatureOutcome {
        books.withLock { $0.admit(signIn, at: now) }
    }

    package func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) async throws(LedgerError) {
        books.withLock { $0.withhold(signIn, reason: reason, at: now) }
    }

    package func admit(
        _ approval: ApprovalNote, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> SignatureOutcome {
        books.withLock { $0.admit(approval, by: actor, at: now) }
    }

    package func sent(
        _ approval: ApprovalNote, as transaction: Bytes32, by actor: String, at now: Timestamp
    ) async throws(LedgerError) {
        books.withLock { $0.write(approval.sent(transaction, by: actor), at: $0.time(at: now)) }
    }

    package func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> WalletAccount.Opening {
        books.withLock { $0.open(account, accepting: accepting, by: actor, at: now) }
    }

    package func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> PolicyInForce.Change {
        books.withLock { $0.putInForce(policy, allowsNone: allowsNone, by: actor, at: now) }
    }
}

extension InMemoryLedger: JournalBooks {
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerSnapshot) throws(LedgerError) -> Value
    ) async throws(LedgerError) -> Value {
        try body(books.withLock { $0 })
    }

    package func adjust(_ adjustment: Adjustment, by actor: String, at now: Timestamp) async throws(LedgerError) {
        books.withLock { $0.write(.adjusted(adjustment, by: actor), at: $0.time(at: now)) }
    }

    package func notice(
        _ cause: String, about subject: String, detail: String?, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        books.withLock { $0.notice(cause, about: subject, detail: detail, at: now) }
    }

    package func dueCheckpoint(at now: Timestamp) async throws(LedgerError) -> CheckpointStatement? {
        books.withLock { $0.dueCheckpoint(at: now) }
    }

    package func add(_ checkpoint: Checkpoint, at now: Timestamp) async throws(LedgerError) {
        try change { (books) throws(LedgerError) in
            let statement = checkpoint.statement
            let page = try books.entries(from: statement.entries, limit: 2)
            let signed = books.journal.compactMap { Checkpoint($0.line)?.statement }.last
            guard statement.closes(page.first, next: page.dropFirst().first, signed: signed) else {
                throw .unsound(Checkpoint.overtaken)
            }
            books.write(checkpoint.line, at: books.time(at: now))
        }
    }

    package func erase(
        before time: Timestamp, by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> Int {
        books.withLock { $0.erase(before: time, by: actor, at: now) }
    }
}

extension InMemoryBooks: LedgerSnapshot {
    func entries(from number: Int64, limit: Int) throws(LedgerError) -> [JournalEntry] {
        Array(journal.dropFirst(Int(max(number, 1) - 1)).prefix(limit))
    }

    func evidence(ofEntries range: ClosedRange<Int64>) throws(LedgerError) -> [Int64: PaymentEvidence] {
        evidence.filter { range.contains($0.key) }
    }

    func payments(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedPayment] {
        let first = Int(max(number, 1))
        return payments.dropFirst(first - 1).prefix(limit).enumerated().map {
            NumberedPayment(number: Int64(first + $0.offset), record: $0.element)
        }
    }

    func calls(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedCall] {
        let first = Int(max(number, 1))
        return calls.dropFirst(first - 1).prefix(limit).enumerated().map {
            NumberedCall(number: Int64(first + $0.offset), call: $0.element.call, at: $0.element.at)
        }
    }

    func firstEntry(since time: Timestamp) throws(LedgerError) -> Int64 {
        Int64((journal.firstIndex { $0.at >= time } ?? journal.count) + 1)
    }

    func firstPayment(since time: Timestamp) throws(LedgerError) -> Int64 {
        Int64((payments.firstIndex { $0.reservedAt >= time } ?? payments.count) + 1)
    }

    func balances() throws(LedgerError) -> [AccountBalance] {
        struct Place: Hashable {
            let account: Account
            let asset: String
        }
        var sums: [Place: (debits: UInt256, credits: UInt256)] = [:]
        for transfer in journal.compactMap(\.line.transfer) {
            let (debit, credit) = (
                Place(account: transfer.debit, asset: transfer.asset),
                Place(account: transfer.credit, asset: transfer.asset)
            )
            let amount = transfer.amount
            sums[debit, default: (.zero, .zero)].debits = sums[debit]?.debits.saturatingSum(amount) ?? amount
            sums[credit, default: (.zero, .zero)].credits = sums[credit]?.credits.saturatingSum(amount) ?? amount
        }
        return sums.map { place, sum in
            AccountBalance(account: place.account, asset: place.asset, debits: sum.debits, credits: sum.credits)
        }.sorted()
    }

    func rules() throws(LedgerError) -> Rulebook { rulebook }

    func rejections() throws(LedgerError) -> [String: GatewayRejections] { rejected }

    func firstCountedRejection() throws(LedgerError) -> Int64 { 1 }

    func unfundedWallets() throws(LedgerError) -> UnfundedWallets { funds }

    func counter(of key: Cap.Key) throws(LedgerError) -> CapCounter? {
        guard let cap = caps[key], let last = journal.last?.at else { return nil }
        return recounted(cap, at: last)
    }
}
