import NIOCore
import Payments
import Primitives
import Transport

/// What a gateway's entry allows in all: connections at once, the length of a body, the time of an exchange.
extension Exchange {
    /// Whether the exchange may use a connection now; else it goes on when it has its turn, and not for ever.
    func takePlace() -> Bool {
        guard place == nil, let limit = gateway.limits.connections else { return true }
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let loop = shared.loop
        let request = GatewayPlaces.Request(
            standing: standing, whenTakenBack: whenTakenBack(from: "gateway-places"),
            grant: { place in loop.execute { bound.value.placed(place) } })
        let now = NIODeadline.now()
        let answer = shared.services.pots.gatewayPlaces.ask(
            at: gateway.name, limit: limit, request, at: now.milliseconds)
        switch answer {
        case .granted(let place):
            self.place = place
            return true
        case .wait(let wait):
            waiting = wait
            times.beginWait()
            waitEnd = now + gateway.timeouts.connect
            // What belongs to this agent's share can be taken back after ten seconds without progress.
            if wait.isShare { waitEnd = max(waitEnd, now + Self.shareWait) }
            deadline = min(waitEnd, now + Self.shareReview)
            return false
        }
    }

    private func placed(_ place: GatewayPlaces.Place) {
        // Who has given up lets go of it at once.
        guard waiting != nil else { return }
        waiting = nil
        self.place = place
        progressed()
        times.endWait()
        deadline = nil
        start()
        bodyReadAll()
    }

    /// How long an agent waits whose share others hold, at least.
    private static let shareWait = TimeAmount.milliseconds(SharedPot<HolderProgress>.patience + 5_000)
    /// How often those who hold it are looked at meanwhile.
    private static let shareReview = TimeAmount.seconds(1)

    /// Whether the exchange goes on waiting for a place; whoever holds its agent's share is looked at again.
    func waitsOn() -> Bool {
        let now = NIODeadline.now()
        guard waiting != nil, now < waitEnd else { return false }
        deadline = min(waitEnd, now + Self.shareReview)
        shared.services.pots.gatewayPlaces.takeBack(at: gateway.name, now: now.milliseconds)
        return true
    }

    /// Leaves the queue, if the exchange stands in one.
    ///
    /// Returns whether it did.
    @discardableResult
    func stopWaiting(isRefusal: Bool = false) -> Bool {
        guard let waiting else { return false }
        self.waiting = nil
        shared.services.pots.gatewayPlaces.cancel(waiting, isRefusal: isRefusal)
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
            withdrawal.withdraw()
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
