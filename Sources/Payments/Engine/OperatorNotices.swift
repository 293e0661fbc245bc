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

    /// Payments are paused on a route, for an agent, or at a gateway, because the gateway rejected too many.
    ///
    /// Neither the journal nor the log can be erased, so both name a route by the refused payment, whose URL can be.
    func gatewayRejecting(
        _ gateway: String, of agent: String, _ pause: RejectionPause, refused payment: PaymentID?, at now: Timestamp
    ) async {
        let (subject, what): (String, String) =
            switch pause.scope {
            case .route(_, let count):
                (
                    Self.subject(gateway, agent),
                    "\(payment.map { "the route of \($0)" } ?? "a route") is paused for agent \(agent) after \(count) rejections in a row"
                )
            case .agent(.routes):
                (
                    Self.subject(gateway, agent),
                    "agent \(agent) is paused at the gateway after rejections on several routes"
                )
            case .agent(.exposure):
                (
                    Self.subject(gateway, agent),
                    "agent \(agent) is paused at the gateway: what it rejected exposes more than a tenth of a cap"
                )
            case .gateway:
                ("gateway:\(gateway)", "the gateway is paused for everybody after rejections of several agents")
            }
        let why = pause.saysUnfunded ? "; the gateway's reason is insufficient_funds" : ""
        let detail = "\(what)\(why); one payment is tried at \(pause.until)"
        if await write("gateway-rejecting", about: subject, detail: detail, at: now) {
            var metadata: Logger.Metadata = [
                "gateway": "\(gateway)", "paused": "\(pause.scope.word)", "until": "\(pause.until)",
            ]
            if case .gateway = pause.scope {} else { metadata["agent"] = "\(agent)" }
            if case .route = pause.scope, let payment { metadata["payment"] = "\(payment)" }
            if pause.saysUnfunded { metadata["reason"] = "insufficient_funds" }
            logger.warning("gateway rejects payments, so they are paused for a while", metadata: metadata)
        }
    }

    /// A request that was paid comes again, because its answer did not arrive or was a failure, and is not paid again.
    func repetitionHeld(at gateway: String, of agent: String, by payment: PaymentID, now: Timestamp) async {
        let detail = "\(payment) was paid, and its answer did not arrive or was a failure"
        if await write("repetition-held", about: Self.subject(gateway, agent), detail: detail, at: now) {
            logger.warning(
                "a request that was paid is repeated, and not paid again",
                metadata: ["gateway": "\(gateway)", "payment": "\(payment)"])
        }
    }

    /// What a notice about an agent's payments at a gateway is about.
    ///
    /// With the agent's name in it, so that the notice of one agent does not hold back that of another.
    private static func subject(_ gateway: String, _ agent: String) -> String { "gateway:\(gateway) agent:\(agent)" }

    /// What a chain says of a wallet's balance, when a seller says that it is too small.
    enum ChainWord {
        case notConfigured
        /// Too few endpoints answer.
        case silent
        case shows(UInt256)
    }

    /// A seller says that a wallet has too little of a token.
    func walletUnfunded(
        _ terms: PaymentIntent.Terms, at gateway: String, chain: ChainWord, now: Timestamp
    ) async {
        let word =
            switch chain {
            case .notConfigured: "no chain is configured that could show it"
            case .silent: "the chain could not be read"
            case .shows(let balance):
                "the chain shows \(Self.text(balance, terms))"
                    + (balance < terms.amount ? "" : ", which is enough")
            }
        let detail =
            "gateway \(gateway) says that wallet \(terms.wallet) (\(terms.payer)) has too little \(terms.symbol) on "
            + "\(terms.network) for \(Self.text(terms.amount, terms)); \(word)"
        if await write("wallet-unfunded", about: "wallet:\(terms.wallet) gateway:\(gateway)", detail: detail, at: now) {
            logger.warning(
                "a gateway says that a wallet has too little",
                metadata: [
                    "wallet": "\(terms.wallet)", "account": "\(terms.payer)", "token": "\(terms.symbol)",
                    "network": "\(terms.network)", "gateway": "\(gateway)", "chain": "\(word)",
                ])
        }
    }

    /// Who showed that a wallet has too little.
    enum Shortfall {
        case chain(UInt256)
        /// Two gateways on different hosts.
        case sellers
    }

    /// A wallet has too little of a token, so payments in it are paused.
    func walletPaused(_ terms: PaymentIntent.Terms, because shortfall: Shortfall, now: Timestamp) async {
        let why =
            switch shortfall {
            case .chain(let balance): "the chain shows \(Self.text(balance, terms))"
            case .sellers: "two gateways on different hosts say so"
            }
        let detail =
            "wallet \(terms.wallet) (\(terms.payer)) has too little \(terms.symbol) on \(terms.network): \(why); each "
            + "agent may try one payment a minute"
        let subject = "wallet:\(terms.wallet) asset:\(terms.assetName)"
        if await write("wallet-paused", about: subject, detail: detail, at: now) {
            logger.warning(
                "a wallet has too little, so its larger payments in that token are paused",
                metadata: [
                    "wallet": "\(terms.wallet)", "account": "\(terms.payer)", "token": "\(terms.symbol)",
                    "network": "\(terms.network)", "reason": "\(why)",
                ])
        }
    }

    private static func text(_ amount: UInt256, _ terms: PaymentIntent.Terms) -> String {
        "\(TokenAmount.decimalText(of: amount, decimals: terms.decimals)) \(terms.symbol)"
    }

    /// A prepaid gateway asks for money in a way that no payment answers.
    func lowBalance(of gateway: String, at now: Timestamp) async {
        let detail = "the gateway answered 402 without a challenge"
        if await write("balance-low", about: "gateway:\(gateway)", detail: detail, at: now) {
            logger.warning("prepaid gateway answers 402: its balance is low", metadata: ["gateway": "\(gateway)"])
        }
    }

    /// Refusals of an agent were counted and not booked one by one; the books have that by now.
    func refusalsCounted(_ count: CountedRefusals) {
        logger.notice(
            "refusals were counted and not booked one by one",
            metadata: ["agent": "\(count.agent)", "count": "\(count.count)"])
    }

    /// A payment was approved although something about it is unusual.
    func unusual(
        _ alert: GateAlert, at gateway: String, of agent: String, by payment: PaymentID, at now: Timestamp
    ) async {
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
        if await write(cause, about: Self.subject(gateway, agent), detail: detail, at: now) {
            logger.warning(
                "unusual payment",
                metadata: [
                    "gateway": "\(gateway)", "payment": "\(payment)", "cause": "\(cause)", "detail": "\(detail)",
                ])
        }
    }

    /// A seller's signed offer or receipt does not stand for what was paid.
    func doubtful(
        _ what: String, _ words: String, of payment: PaymentID, at gateway: String, by agent: String, now: Timestamp
    ) async {
        let detail = "\(what) of \(payment): \(words)"
        if await write("\(what)-doubtful", about: Self.subject(gateway, agent), detail: detail, at: now) {
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
        if await write("allowance-missing", about: "gateway:\(gateway)", detail: detail, at: now) {
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
    private func write(_ cause: String, about subject: String, detail: String, at now: Timestamp) async -> Bool {
        do {
            return try await store.notice(cause, about: subject, detail: detail, at: now)
        } catch {
            logger.error("notice not booked", metadata: ["cause": "\(cause)", "problem": "\(error)"])
            return true
        }
    }
}
