package import Ledger
package import Policy
package import Primitives
import X402

/// Why a request's body was not kept whole for the paid repetition.
package enum ReplayLoss: Sendable {
    /// It is longer than what is kept of one body, or it could not be written.
    case tooLarge
    /// The memory that its agent may use is full.
    case memoryFull
    /// The disk space that its agent may use is full, or the disk is.
    case spoolFull
}

/// Why a 402 was not paid, in words and numbers that an agent can act on.
package struct PaymentFailure: Error, Sendable, Equatable {
    /// The stable code, lower case with hyphens.
    package let code: String
    /// 402 when money is the reason or the permission to pay it, whose text clients show, where they take a 403 for a failed
    /// log-in; 409 and 422 when an idempotency key is; 503 when nothing could be decided; 504 when the time was over before.
    package let status: Int
    /// One or two sentences for the agent's developer.
    package let detail: String
    /// The payment's or refusal's name in the books, when it has one.
    package private(set) var payment: PaymentID?
    /// The price, when it could be read.
    package let price: Dollars?
    /// The cap that would be exceeded.
    package let cap: CapUsage?
    /// An earlier payment that stands in the way.
    package private(set) var earlier: PaymentID?
    /// When the same request may succeed, when that is known and no cap says it.
    package let retryAt: Timestamp?
    /// In how many seconds that is, for a Retry-After field; nil when there is none.
    package let retryAfter: Int64?
    /// What is paused after rejections: `route`, `agent` or `gateway`.
    package internal(set) var paused: String?
    /// Whether the same request may succeed later without anybody changing anything.
    package let isRetryable: Bool

    init(
        code: String, status: Int, detail: String, payment: PaymentID?, price: Dollars? = nil, cap: CapUsage? = nil,
        earlier: PaymentID? = nil, retryAt: Timestamp? = nil, retryAfter: Int64? = nil, isRetryable: Bool = false
    ) {
        self.retryAfter = retryAfter
        self.code = code
        self.status = status
        self.detail = detail
        self.payment = payment
        self.price = price
        self.cap = cap
        self.earlier = earlier
        self.retryAt = retryAt
        self.isRetryable = isRetryable
    }

    /// Whether the request was paid before, and is held back because its answer did not arrive or was a failure.
    package var isHeldRepetition: Bool { code == Self.notServed }

    /// The code for that.
    static let notServed = "paid-not-served"

    /// The same failure under its name in the books.
    func recorded(as payment: PaymentID?) -> PaymentFailure {
        var failure = self
        failure.payment = payment
        return failure
    }

    /// The same failure for a request of which an earlier payment may still settle.
    func following(_ earlier: PaymentID) -> PaymentFailure {
        var failure = self
        failure.earlier = earlier
        return failure
    }

    /// Whether somebody else may answer the seller's challenge: nothing of ours was signed for the request.
    package var leavesChallengeOpen: Bool { (status == 402 || status == 504) && earlier == nil }

    /// The gate lets no entry of the challenge through.
    package static func gate(_ refusal: Gate.Refusal, payment: PaymentID?) -> PaymentFailure {
        PaymentFailure(
            code: refusal.code.rawValue, status: 402,
            detail: refusal.code.sentence + (refusal.verdict.map(words) ?? ""), payment: payment, price: refusal.value)
    }

    /// What looks like a challenge, or may be one, cannot be read.
    static func unreadable(_ problem: ChallengeProblem) -> PaymentFailure {
        let reason =
            switch problem {
            case .absent: "there is none"
            case .unreadable(let reason): reason
            case .unknownVersion: "its x402Version is neither 1 nor 2"
            }
        return PaymentFailure(
            code: RefusalCode.unreadable.rawValue, status: 402,
            detail:
                "The gateway asks for payment by a challenge that Purser cannot read, so nothing was paid: \(reason).",
            payment: nil)
    }

    /// Which rule it was, and its reason.
    private static func words(on verdict: PolicyVerdict) -> String {
        let rule = verdict.rule.map { "It is the rule \"\($0)\"" } ?? "It is the policy's default"
        let unknown = " The model of the request is unknown, so it may be one that the rule is for."
        return " \(rule)\(verdict.reason.map { ": \($0)" } ?? "").\(verdict.isUnjudged ? unknown : "")"
    }

    /// The wallet does not allow Permit2 enough; found out before anything was signed.
    package static func allowance(_ missing: MissingAllowance, price: Dollars) -> PaymentFailure {
        PaymentFailure(
            code: "allowance-missing", status: 402,
            detail: "The token is paid through Permit2, which the wallet \"\(missing.wallet)\" allows to move "
                + "\(missing.allowed ?? "too little") \(missing.symbol) on \(missing.network). An operator can allow "
                + "more: \(missing.command)",
            payment: nil, price: price)
    }

    /// A reload changed the gateway's entry or the policy while the request was under way.
    package static let rulesChanged = PaymentFailure(
        code: "rules-changed", status: 503,
        detail: "The configuration changed while the request was under way, so nothing was signed by the old one. Send "
            + "the request again.",
        payment: nil, isRetryable: true)

    /// The configuration does not say which wallet pays for the agent.
    package static func noWallet(named name: String?) -> PaymentFailure {
        PaymentFailure(
            code: "no-wallet", status: 402,
            detail: name.map { "The agent's wallet \"\($0)\" is not in the configuration." }
                ?? "The agent has no wallet, and the configuration does not have exactly one.",
            payment: nil)
    }

    /// The books could not be written, so a call that they must count was not made.
    package static let callNotBooked = PaymentFailure(
        code: books.code, status: 503,
        detail: "The ledger could not be written, so the call was not made. The daemon's log says why.",
        payment: nil, isRetryable: true)

    /// The books could not be written, so nothing may be signed.
    package static let books = PaymentFailure(
        code: "books-unavailable", status: 503,
        detail: "The ledger could not be written, so nothing was signed. The daemon's log says why.",
        payment: nil, isRetryable: true)

    /// The key could not sign; the reservation was voided.
    package static func signing(_ payment: PaymentID?) -> PaymentFailure {
        PaymentFailure(
            code: "signing-failed", status: 503,
            detail: "The wallet could not sign, so nothing was paid. The daemon's log says why.", payment: payment)
    }

    /// The request has taken as long as the gateway's entry allows in all, before its challenge was read.
    package static let exchangeTimeout = PaymentFailure(
        code: "exchange-timeout", status: 504,
        detail:
            "The gateway asks for payment, but the exchange took longer than its total-timeout before the challenge "
            + "was complete, so nothing was paid.",
        payment: nil)

    /// Why the body of a request cannot be sent a second time.
    package static func unrepeatable(_ loss: ReplayLoss) -> PaymentFailure {
        switch loss {
        case .tooLarge: bodyTooLarge
        case .memoryFull: notKept("replay-memory-full", "the memory for request bodies (`replay`, `total`)")
        case .spoolFull: notKept("spool-full", "the disk space for long request bodies (`spool`, `total`)")
        }
    }

    private static func notKept(_ code: String, _ what: String) -> PaymentFailure {
        PaymentFailure(
            code: code, status: 503,
            detail: "The gateway asks for payment, but the request body could not be kept for the paid repetition, so "
                + "nothing was paid: the agent has its share of \(what), and the rest is in use or kept for other agents. "
                + "Send the request again later.",
            payment: nil, retryAfter: 1, isRetryable: true)
    }

    /// The body is too large to be sent a second time.
    package static let bodyTooLarge = PaymentFailure(
        code: "body-too-large-to-replay", status: 402,
        detail: "The gateway asks for payment, but the request body is larger than what Purser keeps for the paid "
            + "repetition, so nothing was paid.",
        payment: nil)
}
