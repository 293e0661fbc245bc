import NIOCore
import Payments
import Primitives

/// What another agent's share may end: an exchange that holds borrowed units and makes no progress.
extension Exchange {
    /// Whether the exchange may be ended for another agent: not while a payment or a call that is counted is reserved or was
    /// sent, nor while it has the answer to one.
    ///
    /// Of a request that is being decided about only the engine knows.
    ///
    /// A payment that the agent sends itself does not count: any agent could keep what it has borrowed by writing that field.
    var mayBeTakenBack: Bool {
        guard payment == nil, joined == nil, gateway.billing == .x402 else { return false }
        switch life.phase {
        case .unpaid, .collecting, .completing, .deciding, .answering: return true
        case .metering, .connecting, .paid, .judging, .keeping, .joined, .over: return false
        }
    }

    /// Something came or went; returns when.
    @discardableResult
    func progressed() -> NIODeadline {
        let now = NIODeadline.now()
        standing.progress.made(at: now.milliseconds)
        return now
    }

    /// Whether the server may have begun to act on the request: it has all of it, or at least a payment, and has not answered.
    private var mayBeUnderWay: Bool {
        life.phase == .unpaid && connection != nil && !isAsking && (isBodyComplete || upstreamRequest.carriesPayment)
    }

    /// Another agent lacks its share of what this exchange has borrowed: it ends, unless a payment has come up meanwhile.
    func takenBack(from pot: String) {
        guard mayBeTakenBack, life.phase != .deciding || withdrawal.withdrawBeforeReserving() else { return }
        let mayBeRepeated = !mayBeUnderWay || isIdempotent && !upstreamRequest.carriesPayment
        stopWaiting()
        if hasBegunAnswer { return breakOff() }
        dropConnection()
        replay.release()
        unsent = BodyPieces()
        respond(.takenBack(pot, mayBeRepeated: mayBeRepeated))
    }

    /// What is called, on any thread, when units of this exchange were taken back.
    func whenTakenBack(from pot: String) -> @Sendable () -> Void {
        let exchange = NIOLoopBound(WeakExchange(self), eventLoop: shared.loop)
        let loop = shared.loop
        return { loop.execute { exchange.value.exchange?.takenBack(from: pot) } }
    }
}

/// An exchange that something else must not keep alive.
struct WeakExchange {
    weak var exchange: Exchange?

    init(_ exchange: Exchange) { self.exchange = exchange }
}
