import GRDB
import Ledger
import Primitives

/// Signatures that move no money by themselves, and what they are decided by.
extension BookKeeper {
    /// Checks freezes, the agent's caps and the limit, and books a sign-in.
    func admit(_ signIn: SignInIntent, at now: Timestamp) throws(Fault) -> SignatureOutcome {
        let rulebook = known.rulebook
        let signIn = rulebook.placed(signIn)
        let time = time(at: now)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let spend = signIn.purpose.spend(signIn.terms)
        let obstacle = rulebook.obstacle(
            to: spend, from: signIn.terms.wallet, caps: rulebook.caps(counting: spend), isMetered: false)
        if let obstacle { return .refused(obstacle) }
        let count = try EntryRows.count(
            .signIn, SignInIntent.admitted, about: signIn.subject, since: time.seconds - SignInIntent.window,
            upTo: signIn.limit, in: database)
        guard count < signIn.limit else { return .usedUp(signIn.limit) }
        try write(signIn.line, at: time)
        return .admitted(generation: rulebook.generation)
    }

    /// Books that a sign-in was not signed after all.
    func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) throws(Fault) {
        try write(signIn.withheld(reason: reason), at: time(at: now))
    }

    /// Checks the wallet's freezes, and books an operator's approval or its refusal.
    func admit(_ approval: ApprovalNote, by actor: String, at now: Timestamp) throws(Fault) -> SignatureOutcome {
        let time = time(at: now)
        if let freeze = known.rulebook.freeze(ofWallet: approval.wallet) {
            try write(approval.refused(by: freeze, for: actor), at: time)
            return .refused(.frozen(freeze))
        }
        try write(approval.admitted(by: actor), at: time)
        return .admitted(generation: known.rulebook.generation)
    }

    /// Books the transaction of an operator's approval.
    func sent(
        _ approval: ApprovalNote, as transaction: Bytes32, by actor: String, at now: Timestamp
    ) throws(Fault) {
        try write(approval.sent(transaction, by: actor), at: time(at: now))
    }

    /// Compares a wallet's account with the one in the books, and books one that is new.
    func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) throws(Fault) -> WalletAccount.Opening {
        let told = try EntryRows.newest(.wallet, about: account.wallet, in: database)
        var known = told.flatMap { WalletAccount($0.line)?.address }
        if told == nil { known = try PaymentQueries.lastPayer(of: account.wallet, in: database) }
        let opening = account.opening(beside: known, accepting: accepting)
        if let line = account.line(opening, by: actor) { try write(line, at: time(at: now)) }
        return opening
    }

    /// Compares a policy with the one in the books, and books a change.
    func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) throws(Fault) -> PolicyInForce.Change {
        let told = try EntryRows.newest(.policy, limit: 1, in: database).first
        var known = told.flatMap { PolicyInForce($0.line) } ?? .unknown
        if told == nil { known = try PaymentQueries.lastPolicy(in: database) }
        let change = known.change(to: policy, allowsNone: allowsNone)
        if change == .changed { try write(PolicyInForce.line(policy, by: actor), at: time(at: now)) }
        return change
    }
}
