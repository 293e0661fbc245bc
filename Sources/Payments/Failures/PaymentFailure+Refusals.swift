package import Ledger
package import Primitives

extension PaymentFailure {
    /// The books would not set money aside, or count a call.
    ///
    /// `price` is what was asked, where one was; `payment` is the refusal's name in the books; `now` is when it was given.
    package static func refused(
        _ refusal: ReservationRefusal, price: Dollars?, payment: PaymentID?, at now: Timestamp? = nil
    ) -> PaymentFailure {
        switch refusal {
        case .noCap:
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "No cap limits what the agent would spend here, so it may not spend anything. An operator can "
                    + "set one: in dollars for payments, in a number of payments for a prepaid gateway.",
                payment: payment, price: price)
        case .exceeded(let usage):
            exceeded(usage, price: price, payment: payment)
        case .unknownAgent:
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "The agent was removed, or its token replaced, while its request was under way.",
                payment: payment, price: price)
        case .frozen(let freeze):
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "An operator has frozen \(freeze.scope) at \(freeze.since). Nothing is paid until that is "
                    + "lifted.",
                payment: payment, price: price)
        case .gatewayRejecting(let pause):
            rejecting(pause, price: price, payment: payment)
        case .walletUnfunded(let pause):
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "The wallet \"\(pause.wallet)\" has too little \(pause.symbol) on \(pause.network) for this "
                    + "payment, so it was not signed. Send \(pause.symbol) on that network to \(pause.account). "
                    + "Each agent may try one such payment a minute, this agent its next at \(pause.until); the first "
                    + "one that is accepted ends the pause.",
                payment: payment, price: price, retryAt: pause.until, isRetryable: true)
        case .clockBehind(let seconds):
            PaymentFailure(
                code: refusal.code, status: 503,
                detail: "The clock is \(seconds) seconds behind the last entry of the ledger, so no window of a "
                    + "payment would be right.",
                payment: payment, price: price, isRetryable: true)
        case .unresolved(let earlier, let until):
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "An earlier payment for the same request (\(earlier)) is unresolved and cannot be sent again, "
                    + "so none was signed beside it. It is decided by \(until).",
                payment: payment, price: price, earlier: earlier, retryAt: until, isRetryable: true)
        case .unfit(let earlier, let until):
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "The seller refused an earlier payment for the same request (\(earlier)), and it cannot answer "
                    + "what the seller asks now: the quote, the price or the payee is another one. It can still be "
                    + "settled, so none was signed beside it. It is decided by \(until).",
                payment: payment, price: price, earlier: earlier, retryAt: until,
                retryAfter: now.map { until.wait(from: $0) }, isRetryable: true)
        case .notServed(let earlier, let until):
            // Named by the payment that was made, which is what the agent has to look up.
            PaymentFailure(
                code: refusal.code, status: 402,
                detail: "The same request was paid (\(earlier)), and its answer did not arrive or was a failure. It is "
                    + "not paid again now, and its payment cannot be sent again before \(until). A new Idempotency-Key "
                    + "or Purser-Repeat: buy asks for a new purchase.",
                payment: earlier, price: price, earlier: earlier, retryAt: until,
                retryAfter: now.map { until.wait(from: $0) }, isRetryable: true)
        case .keyReused, .keyInUse, .keySpent:
            key(refusal, price: price, payment: payment)
        }
    }

    /// Payments are paused; the text says on what and for whom.
    private static func rejecting(
        _ pause: RejectionPause, price: Dollars?, payment: PaymentID?
    ) -> PaymentFailure {
        let what =
            switch pause.scope {
            case .route(let route, let count):
                "The gateway rejected \(count) of this agent's payments in a row on the route \(route.name), and each "
                    + "stays exposed, so nothing more is signed for this agent on that route."
            case .agent(.routes):
                "The gateway rejected this agent's payments on several routes and accepted none between them, and each "
                    + "stays exposed, so nothing more is signed for this agent at the gateway."
            case .agent(.exposure):
                "The payments of this agent that the gateway rejected expose more than a tenth of the tightest cap, so "
                    + "nothing more is signed for this agent at the gateway."
            case .gateway:
                "The gateway rejected the payments of several agents and accepted none of the others', so nothing more "
                    + "is signed for the gateway, for any agent."
            }
        let why = pause.saysUnfunded ? " The gateway's reason is that the wallet has too little of the token." : ""
        var failure = PaymentFailure(
            code: "gateway-rejecting", status: 402,
            detail: "\(what)\(why) One payment is tried again at \(pause.until).", payment: payment, price: price,
            retryAt: pause.until, isRetryable: true)
        failure.paused = pause.scope.word
        return failure
    }

    private static func exceeded(_ usage: CapUsage, price: Dollars?, payment: PaymentID?) -> PaymentFailure {
        let cap = usage.cap
        let reset = usage.resetsAt.map { " It resets at \($0)." } ?? unknownReset(cap.limit.window)
        let what =
            switch cap.limit.measure {
            case .dollars: price.map { "The price of $\($0)" } ?? "The price"
            case .units: "The price"
            case .payments: "One more"
            }
        return PaymentFailure(
            code: "cap-exceeded", status: 402,
            detail: "\(what) does not fit the \(cap.limit.window) cap of \(cap.text(of: cap.limit.amount)) on "
                + "\(cap.scope): what is left is \(cap.text(of: usage.left)).\(reset)",
            payment: payment, price: price, cap: usage, isRetryable: usage.resetsAt != nil)
    }

    /// What is said of a cap that no moment is known to make room in.
    private static func unknownReset(_ window: CapWindow) -> String {
        if case .rolling = window { " No reset that is known frees enough for it." } else { "" }
    }

    /// An idempotency key stands against the payment; client libraries must not go on by themselves, whatever they
    /// make of the status.
    private static func key(_ refusal: ReservationRefusal, price: Dollars?, payment: PaymentID?) -> PaymentFailure {
        let (status, earlier, detail): (Int, PaymentID?, String) =
            switch refusal {
            case .keyReused(let earlier):
                (422, earlier, "This Idempotency-Key belongs to another request, which \(earlier) paid for.")
            case .keyInUse(let earlier):
                (409, earlier, "The payment of this Idempotency-Key (\(earlier)) is under way for another connection.")
            case .keySpent(let earlier):
                (
                    402, earlier,
                    "The payment of this Idempotency-Key (\(earlier)) can no longer be sent. Use a new key to pay again."
                )
            default: (402, nil, "The Idempotency-Key does not allow a payment.")
            }
        return PaymentFailure(
            code: refusal.code, status: status, detail: detail, payment: payment, price: price, earlier: earlier)
    }
}

extension Timestamp {
    /// Whole seconds from another moment to this one, rounded up; at least one.
    package func wait(from now: Timestamp) -> Int64 { max(1, (milliseconds - now.milliseconds + 999) / 1000) }
}
