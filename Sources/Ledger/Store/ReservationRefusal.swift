package import Primitives

/// Why the books would not set money aside.
package enum ReservationRefusal: Sendable, Equatable {
    /// No cap limits what the agent would spend, so nothing may be spent.
    case noCap
    /// This cap would be exceeded.
    case exceeded(CapUsage)
    /// The agent is not in the books any more.
    case unknownAgent
    /// An operator has frozen the agent, the gateway or everything.
    case frozen(Freeze)
    /// Payments are paused on the route, for the agent or at the gateway, because the gateway rejected too many.
    case gatewayRejecting(RejectionPause)
    /// The wallet has too little of the token.
    case walletUnfunded(WalletPause)
    /// The clock is further behind the last entry than ``clockTolerance``; so many seconds.
    case clockBehind(seconds: Int64)
    /// An earlier attempt of the same request is unresolved and cannot be sent again; it is decided by that time.
    case unresolved(PaymentID, until: Timestamp)
    /// An earlier attempt of the same request was refused by the seller, and cannot answer what it asks now; it is decided
    /// by that time.
    case unfit(PaymentID, until: Timestamp)
    /// The same request was paid, its answer did not arrive or was a failure, and its bytes cannot be sent now; from that
    /// time on they can, or the request is paid again.
    case notServed(PaymentID, until: Timestamp)
    /// The idempotency key belongs to another request of the agent.
    case keyReused(PaymentID)
    /// The idempotency key's payment is under way for another request that is connected.
    case keyInUse(PaymentID)
    /// The idempotency key's payment cannot be sent again, and the key forbids another one.
    case keySpent(PaymentID)

    /// How many seconds the clock may be behind the last entry.
    package static let clockTolerance: Int64 = 60

    /// The refusal's stable code, as the history of the refused payment keeps it.
    package var code: String {
        switch self {
        case .noCap: "no-cap"
        case .exceeded(let usage): "cap-\(usage.cap.limit.window)"
        case .unknownAgent: "unknown-agent"
        case .frozen: "frozen"
        case .gatewayRejecting: "gateway-rejecting"
        case .walletUnfunded: "insufficient-funds"
        case .clockBehind: "clock-behind"
        case .unresolved: "attempt-unresolved"
        case .unfit: "attempt-unfit"
        case .notServed: "paid-not-served"
        case .keyReused: "idempotency-key-reused"
        case .keyInUse: "idempotency-key-in-use"
        case .keySpent: "idempotency-key-spent"
        }
    }
}
