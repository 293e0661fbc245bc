import Ledger
import Logging
import Policy
import Primitives

/// What an operator should hear of, in the journal and in the log.
///
/// The journal holds a notice back while one of the same kind is young, and the log follows it: a gateway that rejects a
/// thousand requests is one line.
struct OperatorNotices: Sendable {
    let store: any LedgerStore
    let logger: Logger

    /// A gateway is not paid for a while because it refused too often.
    func gatewayRejecting(_ gateway: String, until: Timestamp, at now: Timestamp) async {
        let detail = "no payment before \(until)"
        if await write("gateway-rejecting", about: gateway, detail: detail, at: now) {
            logger.warning(
                "gateway rejects payments, so it gets none for a while",
                metadata: ["gateway": "\(gateway)", "until": "\(until)"])
        }
    }

    /// A prepaid gateway asks for money in a way that no payment answers.
    func lowBalance(of gateway: String, at now: Timestamp) async {
        let detail = "the gateway answered 402 without a challenge"
        if await write("balance-low", about: gateway, detail: detail, at: now) {
            logger.warning("prepaid gateway answers 402: its balance is low", metadata: ["gateway": "\(gateway)"])
        }
    }

    /// A booked refusal came again, and was not booked once more.
    func refusalRepeated(_ count: RepeatedRefusals.Count, at now: Timestamp) async {
        let detail = "\(count.refusal) came \(count.repetitions) times more within an hour"
        // One for each refusal: its name tells them apart.
        if await write("refusal-repeated", subject: "payment:\(count.refusal)", detail: detail, at: now) {
            logger.notice(
                "a refusal was repeated",
                metadata: [
                    "gateway": "\(count.gateway)", "payment": "\(count.refusal)",
                    "repetitions": "\(count.repetitions)",
                ])
        }
    }

    /// A payment was approved although something about it is unusual.
    func unusual(_ alert: GateAlert, at gateway: String, by payment: PaymentID, at now: Timestamp) async {
        let (cause, detail): (String, String) =
            switch alert {
            case .newPayee(let payee, let asset): ("payee-new", "\(payment) pays \(payee) in \(asset)")
            case .higherPrice(let price, let before):
                ("price-higher", "\(payment) costs $\(price), before at most $\(before)")
            case .shadow(let rule, let outcome):
                (
                    "policy-shadow",
                    "\(payment) would be \(outcome == .ask ? "held for approval" : "refused") by "
                        + (rule.map { "rule \($0)" } ?? "the default")
                )
            }
        if await write(cause, about: gateway, detail: detail, at: now) {
            logger.warning(
                "unusual payment",
                metadata: [
                    "gateway": "\(gateway)", "payment": "\(payment)", "cause": "\(cause)", "detail": "\(detail)",
                ])
        }
    }

    /// A seller's signed offer or receipt does not stand for what was paid.
    func doubtful(_ what: String, _ words: String, of payment: PaymentID, at gateway: String, now: Timestamp) async {
        let detail = "\(what) of \(payment): \(words)"
        if await write("\(what)-doubtful", about: gateway, detail: detail, at: now) {
            logger.warning(
                "a seller's \(what) does not hold",
                metadata: ["gateway": "\(gateway)", "payment": "\(payment)", "verdict": "\(words)"])
        }
    }

    /// A wallet does not allow Permit2 enough.
    func allowanceMissing(_ missing: MissingAllowance, at gateway: String, now: Timestamp) async {
        let detail =
            "wallet \(missing.wallet) allows Permit2 \(missing.allowed ?? "too little") of "
            + "\(missing.symbol) on \(missing.network)"
        if await write("allowance-missing", about: gateway, detail: detail, at: now) {
            logger.warning(
                "an allowance to Permit2 is missing",
                metadata: ["gateway": "\(gateway)", "detail": "\(detail)", "command": "\(missing.command)"])
        }
    }

    /// Caps that come near their limits; the books have written them down already.
    func warn(of warnings: [CapWarning], by payment: PaymentID?) {
        for warning in warnings {
            let cap = warning.usage.cap
            var metadata: Logger.Metadata = [
                "scope": "\(cap.scope)", "window": "\(cap.limit.window)", "share": "\(warning.share)%",
                "used": "\(cap.text(of: warning.usage.used))", "limit": "\(cap.text(of: cap.limit.amount))",
            ]
            if let payment { metadata["payment"] = "\(payment)" }
            logger.notice("cap is filling up", metadata: metadata)
        }
    }

    /// True when it was written, or when it could not be: what the journal does not hold the log has to say.
    private func write(_ cause: String, about gateway: String, detail: String, at now: Timestamp) async -> Bool {
        await write(cause, subject: "gateway:\(gateway)", detail: detail, at: now)
    }

    private func write(_ cause: String, subject: String, detail: String, at now: Timestamp) async -> Bool {
        do {
            return try await store.notice(cause, about: subject, detail: detail, at: now)
        } catch {
            logger.error("notice not booked", metadata: ["cause": "\(cause)", "problem": "\(error)"])
            return true
        }
    }
}
