import Ethereum
import Policy
import Primitives
import Synchronization
import SystemCrypto
import X402

/// The gateway's logic: which route answers what, and what has to be paid before.
final class Gateway: Sendable {
    /// A token that is taken, by the method that the table names for it, with the name that version 1 gives its network.
    struct Tender: Sendable {
        let asset: Asset
        let nameInVersion1: String
    }

    private let payTo: Address
    private let tenders: [Tender]
    private let verifier: Verifier
    private let till: Mutex<Till>
    private let upto: UptoSettlement
    private let clock: any WallClock

    /// Makes a gateway; the first tender is the one it likes best.
    init(options: SimulatorOptions, tenders: [Tender], verifier: Verifier, clock: any WallClock) {
        self.payTo = options.payTo
        self.tenders = tenders
        self.verifier = verifier
        self.till = Mutex(Till(initialBalance: options.initialBalance, seller: options.payTo))
        self.upto = options.upto
        self.clock = clock
    }

    /// Everything taken so far, in order.
    var settlements: [Settlement] { till.withLock { $0.settlements } }

    /// What an account holds, in atomic units: of the preferred token, or of the one taken on a CAIP-2 network; zero where
    /// none is.
    func balance(of owner: Address, on network: String? = nil) -> UInt256 {
        guard let asset = tenders.first(where: { network ?? $0.asset.network == $0.asset.network })?.asset else {
            return .zero
        }
        return till.withLock { $0.balance(of: owner, in: asset) }
    }

    /// Answers a request.
    func reply(to request: GatewayRequest) -> GatewayReply {
        switch request.path {
        case "/v1/chat/completions": only("POST", request) { chat(request, .two, .eip3009) }
        case "/permit2/v1/chat/completions": only("POST", request) { chat(request, .two, .permit2) }
        case "/upto/v1/chat/completions": only("POST", request) { chat(request, .two, .upto) }
        case "/v1-legacy/chat/completions": only("POST", request) { chat(request, .one, .eip3009) }
        case "/prepaid/v1/chat/completions":
            only("POST", request) { .document(402, Array(#"{"code":402,"msg":"余额不足: insufficient balance"}"#.utf8)) }
        case "/v1/models": only("GET", request) { .document(200, Model.list) }
        case "/free": only("GET", request) { .document(200, Array(#"{"price":"0"}"#.utf8)) }
        case "/healthz": only("GET", request) { .document(200, Array(#"{"status":"ok"}"#.utf8)) }
        default: .failure(404, code: "not_found", "404 page not found")
        }
    }

    private func only(_ method: String, _ request: GatewayRequest, _ answer: () -> GatewayReply) -> GatewayReply {
        guard request.method != method else { return answer() }
        var reply = GatewayReply.failure(405, code: "method_not_allowed", "this path takes \(method) only")
        reply.fields = [("Allow", method)]
        return reply
    }

    private func chat(_ request: GatewayRequest, _ version: Quote.Version, _ method: SaleMethod) -> GatewayReply {
        let call: ChatRequest
        do throws(ChatRequest.Problem) {
            call = try ChatRequest.read(request.body)
        } catch {
            return Self.reply(to: error)
        }
        let quote = quote(for: call.model, version, method, resource: request.origin + request.path)
        let headers = version == .two ? request.paymentSignatures : request.payments
        guard let header = headers.first else {
            return challenge(quote, status: 402, error: "\(version.paymentHeader) header is required")
        }
        let fingerprint = Self.fingerprint(of: request)
        do throws(PaymentRefusal) {
            guard headers.count == 1 else { throw .malformed }
            let payment = try verifier.verify(header.utf8, for: quote)
            let now = clock.now()
            let maximum = payment.transfer.amount
            let amount = method == .upto ? upto.amount(of: maximum) : maximum
            let settlement = try till.withLock { till throws(PaymentRefusal) in
                try till.settle(payment, charging: amount, for: fingerprint, model: call.model.id, at: now)
            }
            // The time of the settlement, so that a repeated request gets the very same answer.
            let answer = ChatAnswer(to: call, fingerprint: fingerprint, at: settlement.time)
            let report = Base64.encode(
                settlement.report(network: payment.offer.network, tellsAmount: method == .upto && upto.isTold))
            return GatewayReply(
                status: 200, fields: [(version.settlementHeader, report), ("Cache-Control", "private")],
                body: call.streams ? .events(answer.events) : .document(answer.document))
        } catch {
            return challenge(quote, status: error.status, error: error.reason(version, method))
        }
    }

    private static func reply(to problem: ChatRequest.Problem) -> GatewayReply {
        switch problem {
        case .malformed(let text):
            return .failure(400, code: "invalid_request", text)
        case .unknownModel(let name):
            let shown = name.printable(limit: 80)
            return .failure(400, code: "model_not_found", "provider routing is not configured for \(shown)")
        }
    }

    private func quote(
        for model: Model, _ version: Quote.Version, _ method: SaleMethod, resource: String
    ) -> Quote {
        let offers = tenders.filter { $0.asset.transfer == method.transfer }.map { tender in
            Offer(
                method: method, asset: tender.asset,
                network: version == .two ? tender.asset.network : tender.nameInVersion1,
                amount: tender.asset.units(ofMillionths: model.price), payTo: payTo)
        }
        return Quote(
            version: version, method: method, resource: resource, description: "One call of \(model.id)", offers: offers
        )
    }

    /// A demand for payment, or at another status than 402 an error that says why the payment was not taken.
    private func challenge(_ quote: Quote, status: Int, error: String) -> GatewayReply {
        guard status == 402 else { return .failure(status, code: error, "the payment was not taken: \(error)") }
        let text = quote.challenge(error: error)
        let noStore = ("Cache-Control", "no-store")
        switch quote.version {
        case .one: return GatewayReply(status: 402, fields: [noStore], body: .document(text))
        case .two:
            return GatewayReply(
                status: 402, fields: [("PAYMENT-REQUIRED", Base64.encode(text)), noStore],
                body: .document(Array("{}".utf8)))
        }
    }

    /// What makes two requests the same: method, path and body.
    private static func fingerprint(of request: GatewayRequest) -> Bytes32 {
        let stream = SHA256Stream()
        stream.absorb(Array("\(request.method) \(request.path)\n".utf8))
        stream.absorb(request.body)
        return stream.finish()
    }
}
