package import Ledger
package import Primitives

/// What an answer that is still open to an earlier identical request means for a new one.
package enum OpenAttempt: Sendable {
    /// There is none that the new request has to do with: it is decided by the books.
    case none
    /// The new request has it from now on: nothing is signed for it and nothing is sent.
    case joined(PaymentID)
    /// There is one, and the new request is to ask its seller first: the decision about the 402 says whose it is.
    case elsewhere
    /// It is not the answer to the new request, and what was paid for it is not known before it has ended.
    case unfinished(end: @Sendable () async -> Void)
}

/// Who knows the answers that are open to requests whose agents have left.
///
/// Asked within the decision of a request, and decisions of identical requests come one at a time.
package protocol OpenAttempts: Sendable {
    /// Whether any answer to a request with this fingerprint is open; cheap.
    func isOpen(_ fingerprint: Bytes32) -> Bool
    /// What is open means for the request that this value asks for; one that joins has the answer alone.
    func find(_ fingerprint: Bytes32) -> OpenAttempt
}
