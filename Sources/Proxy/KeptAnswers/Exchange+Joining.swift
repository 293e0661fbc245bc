import CoreMetrics
import Ledger
import NIOCore
import Payments

/// The repetition's side: its answer comes from the exchange of an earlier identical request.
extension Exchange {
    /// The answer that is joined, and whose it is.
    struct Joined {
        let entry: OpenAnswers.Entry
        let token: JoinedReader.Token
        /// Bytes that this connection has taken, but could not hand on yet.
        var untold = 0
    }

    /// Joins the exchange that the engine found, or, for an agent that has gone meanwhile, joins it and leaves.
    func join(_ entry: OpenAnswers.Entry, ownsPayment: Bool) {
        let joining = Joining(
            request: admitted, overhead: times.overhead(), agent: NIOLoopBound(self, eventLoop: shared.loop),
            loop: shared.loop, ownsPayment: ownsPayment)
        // From here on the other exchange's time counts.
        if life.phase == .deciding { deadline = nil }
        let isWaiting = life.decided(.joined) == .join
        joined = Joined(entry: entry, token: joining.token)
        entry.loop.execute { entry.exchange.value.admit(joining) }
        guard isWaiting else { return leaveJoined() }
        shared.services.meters.joined.increment()
    }

    /// Tells the joined exchange that nobody reads it here any more.
    func leaveJoined() {
        guard let joined else { return }
        self.joined = nil
        let (entry, token) = (joined.entry, joined.token)
        entry.loop.execute { entry.exchange.value.readerLeft(token) }
    }

    /// What is to be told of the payment of the joined exchange, when this one ends first.
    var joinedPayment: AgentResponse.Paid? {
        joined.map {
            AgentResponse.Paid(
                payment: $0.entry.payment, event: .lostSight, amount: $0.entry.payment.terms.amount)
        }
    }

    /// A part of the joined answer; `done` says once whether the agent's socket has taken everything so far.
    func joinedAnswerCame(
        _ pieces: [ByteBuffer], _ token: JoinedReader.Token, done: ((Bool) -> Void)? = nil
    ) {
        guard joined?.token === token, let channel else {
            done?(false)
            return
        }
        life.joinedAnswerBegan()
        for piece in pieces { channel.write(piece) }
        if let done { channel.flush(done) } else { channel.flush() }
        joined?.untold += pieces.reduce(0) { $0 + $1.readableBytes }
        tellTaken()
    }

    /// Says how much was taken, once there is room for more.
    func tellTaken() {
        guard let joined, joined.untold > 0, channel?.isWritable == true else { return }
        self.joined?.untold = 0
        let (entry, token, count) = (joined.entry, joined.token, joined.untold)
        entry.loop.execute { entry.exchange.value.readerTook(count, token) }
    }

    /// The joined exchange has ended.
    func joinedAnswerEnded(_ end: JoinedEnd, _ token: JoinedReader.Token) {
        guard joined?.token === token else { return }
        joined = nil
        switch end {
        case .none:
            guard life.joinEnded() else { return }
            withdrawal.endReserving()
            awaitDecision()
            askEngine()
        case .whole(let closing):
            let channel = channel
            self.end()
            channel?.exchangeDidFinish(closing: closing, isOwnAnswer: false)
        case .broken(let isConnectionFramed):
            let channel = channel
            self.end()
            channel?.exchangeDidBreak(isConnectionFramed: isConnectionFramed)
        }
    }
}
