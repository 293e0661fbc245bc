import Ledger
import NIOCore
import Payments
import Primitives
import Transport

/// The payment that goes with the first request, where its price is known already.
extension Exchange {
    /// The longest body that is waited for before anything goes upstream, in bytes: what is longer is sent as it comes.
    static let attachedBodyLimit: UInt64 = 1 << 20

    /// Where the request goes, as far as what it costs depends on it; nil where nothing is ever paid.
    var pricedRoute: RequestRoute? {
        guard route.host == nil, gateway.billing == .x402, !upstreamRequest.carriesPayment else { return nil }
        return RequestRoute(
            agent: agent.name, gateway: gateway.name, method: request.method, target: route.target)
    }

    /// Whether the agent, or the operator for it, wants to pay at once, and the price is known.
    var mayAttach: Bool {
        switch gateway.learnedPrice {
        case .never: return false
        case .asked: guard admitted.wantsLearnedPrice else { return false }
        case .always: break
        }
        switch request.framing {
        case .none: break
        case .length(let length): guard length <= Self.attachedBodyLimit else { return false }
        case .chunked, .untilClose: return false
        }
        guard let route = pricedRoute, !upstreamRequest.carriesSignIn, upstreamRequest.protocols.isEmpty else {
            return false
        }
        return shared.services.engine.hasLearnedPrice(of: route)
    }

    /// Reads the body to its end, then decides by the learned price.
    func attach() {
        times.beginWait()
        // While the exchange waited for its turn, the agent may have been read no further.
        if life.attaches(isBodyComplete: isBodyComplete) { decide() } else { updateBodyReading() }
    }

    func askForAttachment() {
        guard replay.isReplayable else { return attachmentDecided(nil) }
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let services = shared.services
        let subject = subject(sellerDate: nil, maySignIn: false)
        let withdrawal = withdrawal
        let loop = shared.loop
        let open = JoinQuestion(
            admitted, of: claim, withdrawal: withdrawal, among: services.openAnswers, clock: services.clock, as: .asking
        )
        services.bookings.begin()
        let start = NIODeadline.now()
        Task(executorPreference: shared.executor) {
            let request = try? await subject.request(on: services.threads, in: services.readingTurns)
            let payment: AuthorizedPayment? =
                if let request {
                    await services.engine.attachment(to: request, open: open, withdrawal: withdrawal)
                } else { nil }
            if payment == nil { services.bookings.end() }
            if payment != nil { services.meters.signature.record(NIODeadline.now() - start) }
            loop.execute { bound.value.attachmentDecided(payment) }
        }
    }

    private func attachmentDecided(_ payment: AuthorizedPayment?) {
        if life.phase == .deciding { deadline = nil }
        if let payment {
            unsent = BodyPieces()
            return pay(payment)
        }
        guard life.decided(.unpriced) == .send else { return }
        start()
        bodyReadAll()
    }
}
