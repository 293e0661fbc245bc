import Ledger
import NIOCore
import Payments
import Primitives
import Transport

/// An answer of our own: `application/problem+json` (RFC 9457) with an `error` member in the shape that clients of
/// OpenAI's API read.
struct Problem {
    let status: Int
    let code: String
    let detail: String
    /// Whether the same request may succeed later by itself.
    var isRetryable = false
    /// In how many seconds it may succeed.
    var retryAfter: Int64?
    /// When it may succeed, where no refusal of the books says it.
    var retryAt: Timestamp?
    /// The payment whose header may have left the process; the agent must not repeat the request by itself.
    var exposed: AgentResponse.Paid?
    /// The reason that the seller gave for rejecting the payment; empty where it gave none, nil for other problems.
    var rejectionReason: String?
    /// Lines of the seller's answer that go with it.
    var sellerFields: ByteBuffer?
    /// The refusal behind the answer.
    var failure: PaymentFailure?
    /// The redirect that is not passed on.
    var redirect: RedirectRule.Refusal?
    /// The fields of the seller's 402, whose challenge goes with the answer so that the agent can act on it by itself.
    var challenge: FieldSection?
    /// Whether the connection can carry another request.
    var closesConnection = false

    init(status: Int, code: String, detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    init(_ failure: PaymentFailure) {
        self.init(status: failure.status, code: failure.code, detail: failure.detail)
        self.failure = failure
        isRetryable = failure.isRetryable
        retryAfter = failure.retryAfter
    }

    /// The methods that are served, for the answer to another one.
    static let servedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

    /// The whole response; `isHead` leaves the body out.
    func response(isHead: Bool, closing: Bool, now: Timestamp, allocator: ByteBufferAllocator) -> ByteBuffer {
        let body = json
        var bytes = allocator.buffer(capacity: body.count + 512)
        bytes.writeString("HTTP/1.1 \(status) \(Self.reasons[status] ?? "Error")\r\n")
        bytes.writeString("content-type: application/problem+json\r\ncontent-length: \(body.count)\r\n")
        bytes.writeString("cache-control: no-store\r\ndate: \(now.httpDate)\r\n")
        if status == 405 { bytes.writeString("allow: \(Self.servedMethods)\r\n") }
        if let exposed {
            exposed.write(status: status, to: &bytes)
        } else {
            if let id = failure?.payment { bytes.writeString("purser-payment: \(id)\r\n") }
            if !isRetryable { bytes.writeString("x-should-retry: false\r\n") }
        }
        if let sellerFields { bytes.writeImmutableBuffer(sellerFields) }
        if let challenge {
            for line in challenge.lines where line.name == .paymentRequired || line.name == .xPaymentRequired {
                challenge.copy(line, to: &bytes)
            }
        }
        if let retryAfter { bytes.writeString("retry-after: \(retryAfter)\r\n") }
        if status == 407 { bytes.writeString("proxy-authenticate: Basic realm=\"purser\"\r\n") }
        if status == 401 { bytes.writeString("www-authenticate: Bearer realm=\"purser\"\r\n") }
        if closing || closesConnection { bytes.writeString("connection: close\r\n") }
        bytes.writeString("\r\n")
        if !isHead { bytes.writeBytes(body) }
        return bytes
    }

    private var json: [UInt8] {
        var text = JSONText()
        text.object { problem in
            problem.field("type", "urn:purser:problem:\(code)")
            problem.field("title", Self.reasons[status] ?? "Error")
            problem.field("status", Int64(status))
            problem.field("code", code)
            problem.field("detail", detail)
            problem.field("retryable", isRetryable && exposed == nil)
            problem.field("payment", optional: (exposed?.payment.id ?? failure?.payment)?.description)
            problem.field("earlier_payment", optional: failure?.earlier?.description)
            problem.field("paused", optional: failure?.paused)
            problem.field("retry_at", optional: (retryAt ?? failure?.retryAt)?.description)
            problem.field("reason", optional: redirect?.reason.rawValue)
            problem.field("location", optional: redirect?.location)
            if let rejectionReason, let terms = exposed?.payment.terms {
                problem.field("reason", optional: rejectionReason.isEmpty ? nil : rejectionReason)
                problem.field("wallet", terms.wallet)
                problem.field("account", terms.payer)
                problem.field("network", terms.network)
                problem.field("asset", terms.symbol)
            }
            if let price = failure?.price { problem.field("price_usd", price.description) }
            if let cap = failure?.cap { Self.write(cap, to: &problem) }
            problem.object("error") { error in
                error.field("message", detail)
                error.field("type", "purser_error")
                error.field("code", code)
            }
        }
        return text.bytes
    }

    private static func write(_ usage: CapUsage, to text: inout JSONText) {
        let measure = usage.cap.limit.measure
        // Units of a token may be more than a JSON number holds, so every quantity is a text.
        func quantity(_ value: UInt256) -> String {
            measure == .dollars ? (Dollars(quantity: value) ?? .max).description : value.description
        }
        let amounts = [
            ("limit", quantity(usage.cap.limit.amount)), ("used", quantity(usage.used)),
            ("left", quantity(usage.left)),
        ]
        text.object("cap") { cap in
            cap.field("scope", usage.cap.scope.description)
            cap.field("window", usage.cap.limit.window.description)
            cap.field("measure", measure.rawValue)
            for (name, amount) in amounts { cap.field(name, amount) }
            if measure == .dollars {
                for (name, amount) in amounts { cap.field(name + "_usd", amount) }
            }
            cap.field("resets_at", optional: usage.resetsAt?.description)
        }
    }

    private static let reasons: [Int: String] = [
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict",
        413: "Content Too Large", 414: "URI Too Long",
        421: "Misdirected Request", 422: "Unprocessable Content", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        508: "Loop Detected",
    ]
}

extension Problem {
    /// The answer to bytes that are not acceptable HTTP/1.1; the connection is closed behind it.
    static func malformed(_ error: HTTP1Error) -> Problem {
        var problem =
            switch error {
            case .headTooLarge, .tooManyFields:
                Problem(status: 431, code: "request-head-too-large", detail: "The request head is too large.")
            case .targetTooLong:
                Problem(
                    status: 414, code: "target-too-long",
                    detail: "The request line is longer than \(HTTP1Limits.requestHeadBytes) bytes.")
            case .badLineEnding:
                Problem(status: 400, code: "bad-line-ending", detail: "A line of the request head is not well formed.")
            case .badStartLine:
                Problem(status: 400, code: "bad-request-line", detail: "The request line is not well formed.")
            case .badVersion:
                Problem(status: 505, code: "bad-version", detail: "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
            case .ambiguousName(let name):
                Problem(
                    status: 400, code: "ambiguous-field-name",
                    detail: "Some servers read the field name `\(name)` as the one with hyphens in place of its other "
                        + "symbols, which frames, routes, identifies or pays. Send that name, or leave the field out.")
            case .badField:
                Problem(status: 400, code: "bad-header-field", detail: "A header field is not well formed.")
            case .badContentLength:
                Problem(
                    status: 400, code: "bad-content-length",
                    detail: "Content-Length must be one plain number, sent once.")
            case .badTransferEncoding:
                Problem(
                    status: 400, code: "bad-transfer-encoding",
                    detail: "Transfer-Encoding must be one \"chunked\", without Content-Length, in HTTP/1.1.")
            case .badChunk:
                Problem(status: 400, code: "bad-chunk", detail: "The chunked request body is not well formed.")
            case .badTrailer:
                Problem(
                    status: 400, code: "bad-trailer",
                    detail: "A trailer must not frame, route, identify or pay: send such fields in the request head.")
            // Said of answers only.
            case .tooManyInterims:
                Problem(status: 400, code: "bad-request-line", detail: "The request line is not well formed.")
            }
        problem.closesConnection = true
        return problem
    }

    /// The gateway failed; `payment` is what may have left the process.
    static func upstream(_ failure: UpstreamFailure, gateway: String, payment: AgentResponse.Paid?) -> Problem {
        let code: String
        let status: Int
        switch failure {
        case .connect, .tls: (status, code) = (502, "gateway-unreachable")
        case .resting: (status, code) = (503, "gateway-resting")
        case .addressRefused: (status, code) = (403, "address-refused")
        case .tooManyLookups: (status, code) = (429, "too-many-lookups")
        case .connectTimeout: (status, code) = (504, "gateway-connect-timeout")
        case .closedBeforeResponse, .notProcessed: (status, code) = (502, "gateway-closed")
        case .truncated: (status, code) = (502, "gateway-truncated")
        case .malformed, .unexpectedUpgrade: (status, code) = (502, "gateway-malformed")
        }
        var problem = unanswered(
            status: status, code: code, what: failure.sentence, gateway: gateway, payment: payment)
        if case .resting(let seconds) = failure { problem.retryAfter = seconds }
        return problem
    }

    /// An agent may not reach a host through this proxy.
    static func forwardNotAllowed(_ host: String, agent: String) -> Problem {
        Problem(
            status: 403, code: "forward-not-allowed",
            detail:
                "\(host) is neither a gateway nor in a `forward.hosts` list of agent \(agent), its team or the house.")
    }

    /// A tunnel could not be opened.
    static func tunnel(_ failure: UpstreamFailure, to target: String) -> Problem {
        switch failure {
        case .addressRefused:
            Problem(
                status: 403, code: "address-refused",
                detail: "\(target) has no public address, and `forward.addresses` lists none of those it has.")
        case .tooManyLookups: Problem(status: 429, code: "too-many-lookups", detail: failure.sentence)
        case .connectTimeout:
            Problem(status: 504, code: "host-connect-timeout", detail: "\(target) could not be reached in time.")
        case .connect(let reason):
            Problem(status: 502, code: "host-unreachable", detail: "\(target) could not be reached: \(reason).")
        default: Problem(status: 502, code: "host-unreachable", detail: "\(target) could not be reached.")
        }
    }

    /// A request, or a tunnel, that leads back to this proxy.
    static var loop: Problem {
        Problem(
            status: 508, code: "loop",
            detail:
                "The request has passed through this proxy before, or through \(LoopMark.limit) others: a gateway, or "
                + "the host that the request is for, leads back here. An operator has to change the address of that "
                + "gateway. No payment was signed.")
    }

    /// An agent has as many tunnels as it may have.
    static var tooManyTunnels: Problem {
        Problem(
            status: 429, code: "too-many-tunnels",
            detail: "This agent has \(TunnelSlot.limit) tunnels open, which is its limit.")
    }

    /// An agent begins more handshakes in tunnels whose TLS ends here than it may.
    static var tooManyHandshakes: Problem {
        var problem = Problem(
            status: 429, code: "too-many-handshakes",
            detail:
                "This agent opens tunnels whose TLS ends here faster than it may. Keep connections open and use them "
                + "again.")
        problem.isRetryable = true
        problem.retryAfter = 1
        return problem
    }

    /// A tunnel or a switch to another protocol while something is frozen.
    static func frozen(_ freeze: Freeze) -> Problem {
        Problem(
            status: 403, code: "frozen",
            detail: "An operator has frozen \(freeze.scope) at \(freeze.since). No tunnel is opened and no protocol is "
                + "switched until that is lifted.")
    }

    /// What a request is told that may not switch to the protocols that it offers; nil where it may.
    static func refusing(_ protocols: [String], of gateway: Gateway) -> Problem? {
        guard gateway.allowsUpgrades else {
            return Problem(
                status: 403, code: "upgrade-refused",
                detail: "Requests to \(gateway.name) may not switch to another protocol: `upgrades` is false, which a "
                    + "prepaid gateway's is unless its entry says otherwise.")
        }
        // What cannot be counted cannot be capped.
        guard gateway.billing != .prepaid || protocols == ["websocket"] else {
            return Problem(
                status: 403, code: "upgrade-refused",
                detail:
                    "Each message to \(gateway.name) counts as a call, and only those of `websocket` can be counted.")
        }
        return nil
    }

    /// The client certificate of the connection is over; the connection is closed behind the answer.
    static func certificateExpired(at end: Int64, isForward: Bool) -> Problem {
        var problem = Problem(
            status: isForward ? 407 : 401, code: "certificate-expired",
            detail: "The client certificate of this connection, or one that it was issued by, expired at "
                + "\(Timestamp(seconds: end)). Connect again with a valid one.")
        problem.closesConnection = true
        return problem
    }

    /// What is left of the connections belongs to the shares of other agents.
    static func connectionsShared(with agent: String) -> Problem {
        var problem = Problem(
            status: 503, code: "too-many-connections",
            detail: "Agent \(agent) has its share of the connections, and the others are kept for other agents.")
        problem.isRetryable = true
        problem.retryAfter = 1
        problem.closesConnection = true
        return problem
    }

    /// An agent has as many connections as it may have.
    static func tooManyConnections(of agent: String, limit: Int) -> Problem {
        var problem = Problem(
            status: 503, code: "too-many-connections",
            detail: "Agent \(agent) has \(limit) connections open, which is its limit.")
        problem.isRetryable = true
        problem.retryAfter = 1
        problem.closesConnection = true
        return problem
    }

    /// A request was ended because it made no progress while it held units of `pot` that belong to another agent's share.
    ///
    /// Unless it `mayBeRepeated`, the server may have begun to act on it, and a repetition might do the work, or pay, twice.
    static func takenBack(_ pot: String, mayBeRepeated: Bool) -> Problem {
        var problem = Problem(
            status: 503, code: "share-taken-back",
            detail: "The request made no progress for 10 seconds, and another agent needed its share of \(pot). "
                + "Purser signed no payment."
                + (mayBeRepeated ? "" : " The server may have begun to act on the request: check before you repeat it.")
        )
        problem.isRetryable = mayBeRepeated
        problem.retryAfter = mayBeRepeated ? 1 : nil
        return problem
    }

    /// A request's body is longer than its gateway's entry allows; nothing was paid, since that takes the whole body.
    static func requestTooLarge(gateway: String, limit: Int) -> Problem {
        var problem = Problem(
            status: 413, code: "request-too-large",
            detail: "The request's body is longer than the \(limit) bytes that gateway \(gateway) accepts. "
                + "No payment was signed.")
        problem.closesConnection = true
        return problem
    }

    /// As many requests as the gateway's entry allows are under way, and none came to its end in time.
    static func gatewayBusy(gateway: String, limit: Int) -> Problem {
        var problem = Problem(
            status: 503, code: "gateway-busy",
            detail:
                "All \(limit) connections that gateway \(gateway) may have are in use, and none became free in time. "
                + "No payment was signed.")
        problem.isRetryable = true
        problem.retryAfter = 1
        return problem
    }

    /// The decision about a payment waited too long for others.
    static func decisionTimeout(gateway: String) -> Problem {
        var problem = Problem(
            status: 503, code: "decision-timeout",
            detail: "The request waited too long for its turn to be paid: earlier payments or answers of this agent at "
                + "gateway \(gateway) have no outcome yet. No payment was signed.")
        problem.isRetryable = true
        problem.retryAfter = 1
        return problem
    }

    /// The exchange took longer than its gateway's entry allows.
    static func exchangeTimeout(gateway: String, payment: AgentResponse.Paid?) -> Problem {
        unanswered(
            status: 504, code: "exchange-timeout", what: "The exchange took longer than `total-timeout` allows.",
            gateway: gateway, payment: payment)
    }

    /// The process is about to end; another one may be there soon.
    static var stopping: Problem {
        var problem = Problem(
            status: 503, code: "stopping", detail: "Purser is stopping. No payment was signed for this request.")
        problem.isRetryable = true
        problem.closesConnection = true
        return problem
    }

    /// The gateway did not answer in time.
    static func firstByteTimeout(gateway: String, payment: AgentResponse.Paid?) -> Problem {
        unanswered(
            status: 504, code: "gateway-timeout", what: "The gateway did not answer in time.", gateway: gateway,
            payment: payment)
    }

    /// The gateway redirects to where no agent is sent with its token; the agent may fetch what is there without it.
    static func redirectRefused(
        _ redirect: RedirectRule.Refusal, gateway: String, payment: AgentResponse.Paid?
    ) -> Problem {
        let place =
            switch redirect.reason {
            case .anotherHost: "to another host, which its configuration does not list."
            case .anotherPort: "to another port of its own host."
            case .outsideBasePath: "to a path of its own host that is outside of its base path."
            case .anotherScheme: "to a URL that is neither http nor https."
            case .severalLocations: "to more than one place."
            case .ambiguous: "to a place that programs read differently."
            }
        let fetch =
            payment == nil ? "" : " What was paid for may be there: `location` can be fetched without the token."
        var problem = unanswered(
            status: 502, code: "redirect-refused", what: "The gateway redirects \(place)\(fetch)", gateway: gateway,
            payment: payment)
        problem.isRetryable = false
        problem.redirect = redirect
        return problem
    }

    /// The seller has seen these very bytes before, and did not serve the request for them.
    static func paidNotServed(_ paid: AgentResponse.Paid, at now: Timestamp) -> Problem {
        let moment = paid.payment.newPurchaseAt
        let next =
            moment.map {
                "Until \($0) the same request is not paid again; a new Idempotency-Key or Purser-Repeat: buy asks for a "
                    + "new purchase."
            } ?? "The same request again is a new purchase."
        var problem = Problem(
            status: 402, code: "paid-not-served",
            detail: "A payment for this request (\(paid.payment.id)) was sent once more, and the seller says that it "
                + "is used: the payment counts as spent (\(paid.state.rawValue)), and its answer is lost. \(next)")
        problem.exposed = paid
        problem.retryAt = moment
        problem.retryAfter = moment.map { $0.wait(from: now) }
        return problem
    }

    /// The seller refused a payment because the wallet's allowance to Permit2 is too small.
    static func allowanceMissing(_ paid: AgentResponse.Paid) -> Problem {
        let missing = paid.payment.missingAllowance
        var problem = Problem(
            status: 402, code: "allowance-missing",
            detail: "The seller says that the wallet \"\(missing.wallet)\" does not allow Permit2 to move enough "
                + "\(missing.symbol) on \(missing.network). An operator can allow more: \(missing.command). "
                + sentence(paid))
        problem.exposed = paid
        return problem
    }

    /// The seller rejected a payment and says nothing that a client would show.
    static func paymentRejected(_ paid: AgentResponse.Paid, by answer: PaidAnswer) -> Problem {
        let terms = paid.payment.terms
        let reason = answer.rejectionReason ?? ""
        let amount = TokenAmount.decimalText(of: terms.amount, decimals: terms.decimals)
        let payer = "the wallet \"\(terms.wallet)\" (\(terms.payer))"
        let why = reason.isEmpty ? "and gives no reason" : "for the reason \(reason)"
        let remedy =
            answer.saysUnfunded
            ? "That wallet has too little \(terms.symbol) on \(terms.network): send \(terms.symbol) on that network "
                + "to it."
            : "If that wallet has less \(terms.symbol) on \(terms.network), send \(terms.symbol) on that network to "
                + "it; otherwise ask the seller why."
        var problem = Problem(
            status: 402, code: answer.saysUnfunded ? "insufficient-funds" : "payment-rejected",
            detail: "The seller rejected the payment of \(amount) \(terms.symbol) on \(terms.network) from \(payer) "
                + "\(why). \(remedy) \(sentence(paid))")
        problem.exposed = paid
        problem.rejectionReason = reason
        return problem
    }

    /// The seller refused a payment that went with the first request, for the price that its route usually had.
    static func learnedPriceRefused(_ paid: AgentResponse.Paid) -> Problem {
        var problem = Problem(
            status: 402, code: "learned-price-refused",
            detail: "The seller refused the learned price of this route. Requests here are paid only after a 402 until "
                + "a new price is learned. " + sentence(paid))
        problem.exposed = paid
        return problem
    }

    private static func sentence(_ paid: AgentResponse.Paid) -> String {
        let fate =
            paid.state.isOpen
            ? "it is counted as exposure until its fate is known" : "it is booked as \(paid.state.rawValue)"
        return "A payment was signed and sent (\(paid.payment.id)); \(fate). Do not repeat the request without "
            + "looking it up."
    }

    private static func unanswered(
        status: Int, code: String, what: String, gateway: String, payment: AgentResponse.Paid?
    ) -> Problem {
        let money = payment.map(sentence) ?? "No payment was signed."
        var problem = Problem(status: status, code: code, detail: "\(what) Gateway: \(gateway). \(money)")
        problem.exposed = payment
        problem.isRetryable = payment == nil
        return problem
    }
}
