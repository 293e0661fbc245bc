import NIOCore
import Transport

/// What a gateway's entry allows in all: connections at once, the length of a body, the time of an exchange.
extension Exchange {
    /// Whether the exchange may use a connection now; else it goes on when it has its turn, and not for ever.
    func takePlace() -> Bool {
        guard place == nil, let limit = gateway.limits.connections else { return true }
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let loop = shared.loop
        let answer = shared.services.gatewayPlaces.ask(at: gateway.name, limit: limit) { place in
            loop.execute { bound.value.placed(place) }
        }
        switch answer {
        case .granted(let place):
            self.place = place
            return true
        case .wait(let wait):
            waiting = wait
            times.beginWait()
            deadline = .now() + gateway.timeouts.connect
            return false
        }
    }

    private func placed(_ place: GatewayPlaces.Place) {
        // Who has given up lets go of it at once.
        guard waiting != nil else { return }
        waiting = nil
        self.place = place
        times.endWait()
        deadline = nil
        start()
        bodyReadAll()
    }

    /// Leaves the queue, if the exchange stands in one.
    ///
    /// Returns whether it did.
    @discardableResult
    func stopWaiting() -> Bool {
        guard let waiting else { return false }
        self.waiting = nil
        shared.services.gatewayPlaces.cancel(waiting)
        return true
    }

    /// Counts a piece of the body; false when that is more than the gateway is sent, and then the exchange is over.
    ///
    /// Nothing was paid: that takes the whole body.
    func bodyFits(_ bytes: ByteBuffer) -> Bool {
        guard let limit = gateway.limits.requestBody else { return true }
        bodyBytes += bytes.readableBytes
        guard bodyBytes > limit, life.phase != .over else { return true }
        unsent = BodyPieces()
        if hasBegunAnswer { breakOff() } else { respond(.requestTooLarge(gateway: gateway.name, limit: limit)) }
        return false
    }

    /// Refuses what looks like a challenge instead of paying it late; returns whether it does.
    private func decideOutOfTime() -> Bool {
        isOutOfTime = true
        return decideByPart(because: "the rest of it did not come within the gateway's total-timeout")
    }

    /// The exchange has taken as long as it may in all.
    func totalTimePassed() {
        expiry = nil
        let name = gateway.name
        switch life.phase {
        case .metering, .completing, .deciding:
            // Nothing was sent for it; should a payment come out of the decision yet, it is voided.
            agentHasLeft.raise()
            respond(.exchangeTimeout(gateway: name, payment: nil))
        case .over:
            break
        case .collecting where decideOutOfTime():
            break
        default:
            deadline = nil
            let event = life.upstreamFailed(beforeAnyByte: false)
            connection?.abandon()
            connection = nil
            sender = nil
            conclude(event, reason: "the exchange took longer than it may in all") {
                .exchangeTimeout(gateway: name, payment: $0)
            }
        }
    }
}
