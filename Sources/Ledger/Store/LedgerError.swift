/// Why the books could not do what was asked.
///
/// Values of payments never appear in the text.
package enum LedgerError: Error, Equatable, Sendable {
    /// The storage failed (full disk, read-only, damaged): nothing was booked and nothing may be signed.
    case storage(String)
    /// The agent is not in the books.
    case unknownAgent(String)
    /// An agent of that name exists already.
    case agentExists(String)
    /// The payment is not in the books.
    case unknownPayment(String)
    /// The event cannot happen in the payment's state.
    case impossible(state: PaymentState, event: PaymentEvent)
    /// The same identifier or nonce is already in the books.
    case duplicate(String)
    /// The books were written by another version of the program.
    case newerSchema(String)
    /// What cannot be booked as it is asked: the sentence says why.
    case unsound(String)
    /// A stored row does not say what it must.
    case damaged(String)
}

extension LedgerError {
    /// What `duplicate` names when an authorization of the same payer, asset and nonce exists.
    package static let knownNonce = "an authorization with that nonce"
    /// What `duplicate` names when another agent has the token.
    package static let knownToken = "an agent with that token"
}

extension LedgerError: CustomStringConvertible {
    /// One sentence for operators.
    package var description: String {
        switch self {
        case .storage(let reason): "the ledger could not be written or read: \(reason)"
        case .unknownAgent(let name): "there is no agent named \"\(name)\""
        case .agentExists(let name): "an agent named \"\(name)\" exists already"
        case .unknownPayment(let id): "there is no payment \(id)"
        case .impossible(let state, let event): "a payment that is \(state.rawValue) cannot become \(event.rawValue)"
        case .duplicate(let what): "\(what) is already in the books"
        case .newerSchema(let migration): "the ledger was written by another version of purser (migration \(migration))"
        case .unsound(let what): what
        case .damaged(let what): "the ledger is damaged: \(what)"
        }
    }
}
