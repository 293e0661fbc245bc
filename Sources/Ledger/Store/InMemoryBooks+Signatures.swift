import Primitives

/// Signatures that move no money by themselves, and what they are decided by.
extension InMemoryBooks {
    mutating func admit(_ signIn: SignInIntent, at now: Timestamp) -> SignatureOutcome {
        let rulebook = rulebook
        let signIn = rulebook.placed(signIn)
        let time = time(at: now)
        if let refusal = clock(behind: time, now) { return .refused(refusal) }
        let spend = signIn.purpose.spend(signIn.terms)
        let obstacle = rulebook.obstacle(
            to: spend, from: signIn.terms.wallet, caps: rulebook.caps(counting: spend), isMetered: false)
        if let obstacle { return .refused(obstacle) }
        let count = journal.count { entry in
            entry.line.kind == .signIn && entry.line.cause == SignInIntent.admitted
                && entry.line.subject == signIn.subject && time.seconds - entry.at.seconds < SignInIntent.window
        }
        guard count < signIn.limit else { return .usedUp(signIn.limit) }
        write(signIn.line, at: time)
        return .admitted(generation: generation)
    }

    mutating func withhold(_ signIn: SignInIntent, reason: String, at now: Timestamp) {
        write(signIn.withheld(reason: reason), at: time(at: now))
    }

    mutating func admit(_ approval: ApprovalNote, by actor: String, at now: Timestamp) -> SignatureOutcome {
        let time = time(at: now)
        if let freeze = rulebook.freeze(ofWallet: approval.wallet) {
            write(approval.refused(by: freeze, for: actor), at: time)
            return .refused(.frozen(freeze))
        }
        write(approval.admitted(by: actor), at: time)
        return .admitted(generation: generation)
    }

    mutating func open(
        _ account: WalletAccount, accepting: Set<String>, by actor: String, at now: Timestamp
    ) -> WalletAccount.Opening {
        let told = journal.last { $0.line.kind == .wallet && $0.line.subject == account.wallet }
        let paid = payments.last { $0.terms?.wallet == account.wallet }
        let known = told.flatMap { WalletAccount($0.line)?.address } ?? paid?.terms?.payer
        let opening = account.opening(beside: known, accepting: accepting)
        if let line = account.line(opening, by: actor) { write(line, at: time(at: now)) }
        return opening
    }

    mutating func putInForce(
        _ policy: Bytes32?, allowsNone: Bool, by actor: String, at now: Timestamp
    ) -> PolicyInForce.Change {
        let told = journal.last { $0.line.kind == .policy }.flatMap { PolicyInForce($0.line) }
        let paid = payments.last.map { $0.purpose.policy.map(PolicyInForce.file) ?? .none }
        let known = told ?? paid ?? .unknown
        let change = known.change(to: policy, allowsNone: allowsNone)
        if change == .changed { write(PolicyInForce.line(policy, by: actor), at: time(at: now)) }
        return change
    }
}
