package import X402

/// The answer of the engine to a 402.
package enum ChallengeAnswer: Sendable {
    /// This is no x402 challenge: the answer goes to the agent untouched.
    case passThrough
    /// Nothing was signed; the agent is told why.
    case refuse(PaymentFailure)
    /// Money is reserved on disk and signed for: send this header once.
    case pay(AuthorizedPayment)
    /// Something like it was paid for before: repeat the request with this header, once, and ask again if it is refused.
    case signIn(PaymentHeader)
    /// The answer to an earlier identical request, which ``OpenAttempts`` gave, is the answer to this one: nothing was
    /// signed. `ownsPayment` when the books have handed that one's payment over.
    case joined(ownsPayment: Bool)
    /// The agent went away before anything was signed.
    case abandoned

    /// The payment of an answer that pays.
    var payment: AuthorizedPayment? { if case .pay(let payment) = self { payment } else { nil } }
}
