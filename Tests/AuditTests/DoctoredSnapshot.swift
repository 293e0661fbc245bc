import Ledger
import Primitives

/// What somebody changed behind the books' back; nil takes a row away.
struct Doctoring: Sendable {
    var entry: @Sendable (JournalEntry) -> JournalEntry? = { $0 }
    var payment: @Sendable (PaymentRecord) -> PaymentRecord? = { $0 }
    var evidence: @Sendable (Int64, PaymentEvidence) -> PaymentEvidence? = { $1 }
    var balance: @Sendable (AccountBalance) -> AccountBalance? = { $0 }
    var counter: @Sendable (Cap.Key, CapCounter?) -> CapCounter? = { $1 }
    var rules: @Sendable (Rulebook) -> Rulebook = { $0 }
    var rejections: @Sendable ([String: GatewayRejections]) -> [String: GatewayRejections] = { $0 }
    var funds: @Sendable (UnfundedWallets) -> UnfundedWallets = { $0 }
    var call: @Sendable (NumberedCall) -> NumberedCall? = { $0 }
    var addedPayments: [PaymentRecord] = []
}

/// Books with a doctored row in them.
struct DoctoredSnapshot: LedgerSnapshot {
    let base: any LedgerSnapshot
    let doctoring: Doctoring

    func entries(from number: Int64, limit: Int) throws(LedgerError) -> [JournalEntry] {
        try base.entries(from: number, limit: limit).compactMap(doctoring.entry)
    }

    func evidence(ofEntries range: ClosedRange<Int64>) throws(LedgerError) -> [Int64: PaymentEvidence] {
        var rows: [Int64: PaymentEvidence] = [:]
        for (number, evidence) in try base.evidence(ofEntries: range) {
            rows[number] = doctoring.evidence(number, evidence)
        }
        return rows
    }

    func payments(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedPayment] {
        var rows = try base.payments(from: 1, limit: .max).compactMap { doctoring.payment($0.record) }
        rows += doctoring.addedPayments
        let numbered = rows.enumerated().map { NumberedPayment(number: Int64($0.offset + 1), record: $0.element) }
        return Array(numbered.dropFirst(Int(max(number, 1)) - 1).prefix(limit))
    }

    func calls(from number: Int64, limit: Int) throws(LedgerError) -> [NumberedCall] {
        try base.calls(from: 1, limit: .max).compactMap(doctoring.call).filter { $0.number >= number }
    }

    func firstEntry(since time: Timestamp) throws(LedgerError) -> Int64 { try base.firstEntry(since: time) }
    func firstPayment(since time: Timestamp) throws(LedgerError) -> Int64 { try base.firstPayment(since: time) }
    func balances() throws(LedgerError) -> [AccountBalance] { try base.balances().compactMap(doctoring.balance) }
    func rejections() throws(LedgerError) -> [String: GatewayRejections] {
        doctoring.rejections(try base.rejections())
    }

    func firstCountedRejection() throws(LedgerError) -> Int64 { try base.firstCountedRejection() }
    func unfundedWallets() throws(LedgerError) -> UnfundedWallets { doctoring.funds(try base.unfundedWallets()) }

    func rules() throws(LedgerError) -> Rulebook { doctoring.rules(try base.rules()) }

    func counter(of key: Cap.Key) throws(LedgerError) -> CapCounter? {
        doctoring.counter(key, try base.counter(of: key))
    }

    func recounted(_ cap: Cap, at now: Timestamp) throws(LedgerError) -> CapCounter {
        try base.recounted(cap, at: now)
    }
}

extension JournalEntry {
    /// The entry with something else in it and the hash as it was.
    func with(
        at time: Timestamp? = nil, line change: (JournalLine) -> JournalLine = { $0 }, hash other: Bytes32? = nil
    ) -> JournalEntry {
        JournalEntry(number: number, at: time ?? at, line: change(line), hash: other ?? hash)
    }
}

extension JournalLine {
    /// The line with something else in it.
    func with(
        subject other: String? = nil, cause otherCause: String? = nil, state otherState: PaymentState? = nil,
        transfer otherTransfer: Transfer? = nil, actor otherActor: String? = nil, detail otherDetail: String? = nil
    ) -> JournalLine {
        JournalLine(
            kind, subject: other ?? subject, cause: otherCause ?? cause, state: otherState ?? state,
            transfer: otherTransfer ?? transfer, actor: otherActor ?? actor, detail: otherDetail ?? detail,
            terms: terms, metadata: metadata)
    }
}

extension Transfer {
    /// The transfer of one unit more.
    var larger: Transfer {
        Transfer(debit: debit, credit: credit, asset: asset, amount: amount.saturatingSum(UInt256(1)))
    }
}

extension PaymentRecord {
    /// The payment with something else in it.
    func with(
        purpose otherPurpose: PaymentIntent.Purpose? = nil, terms otherTerms: PaymentIntent.Terms? = nil,
        echo otherEcho: PaymentIntent.Echo? = nil, state otherState: PaymentState? = nil,
        changedAt otherTime: Timestamp? = nil, evidence otherEvidence: PaymentEvidence? = nil, salted: Bool = true,
        id otherID: PaymentID? = nil, moved otherAmount: UInt256? = nil
    ) -> PaymentRecord {
        PaymentRecord(
            id: otherID ?? id, purpose: otherPurpose ?? purpose, terms: otherTerms ?? terms, echo: otherEcho ?? echo,
            salt: salted ? salt : nil, state: otherState ?? state, reservedAt: reservedAt,
            changedAt: otherTime ?? changedAt, evidence: otherEvidence ?? evidence,
            moved: otherAmount ?? moved, delivery: delivery)
    }

    /// The payment with other terms.
    func with(amount: UInt256? = nil, payTo: String? = nil) -> PaymentRecord {
        guard let terms else { return self }
        return with(
            terms: PaymentIntent.Terms(
                scheme: terms.scheme, method: terms.method, network: terms.network, asset: terms.asset,
                symbol: terms.symbol,
                decimals: terms.decimals, wallet: terms.wallet, payer: terms.payer, payTo: payTo ?? terms.payTo,
                amount: amount ?? terms.amount, value: terms.value, nonce: terms.nonce,
                validAfter: terms.validAfter, validBefore: terms.validBefore))
    }

    /// The payment with another purpose.
    func with(agent: String? = nil, url: String? = nil) -> PaymentRecord {
        let request = purpose.request.map {
            PaymentIntent.Request(
                method: $0.method, url: url ?? $0.url, model: $0.model, fingerprint: $0.fingerprint)
        }
        return with(
            purpose: PaymentIntent.Purpose(
                agent: agent ?? purpose.agent, team: purpose.team, gateway: purpose.gateway, host: purpose.host,
                request: request, policy: purpose.policy))
    }
}

extension Rulebook {
    /// The rules with others in them.
    func with(
        agents change: ([Agent]) -> [Agent] = { $0 }, caps changeCaps: ([Cap]) -> [Cap] = { $0 },
        freezes changeFreezes: ([Freeze]) -> [Freeze] = { $0 }
    ) -> Rulebook {
        Rulebook(
            generation: generation, agents: change(Array(agents.values)), caps: changeCaps(allCaps),
            freezes: changeFreezes(Array(freezes.values)))
    }
}
