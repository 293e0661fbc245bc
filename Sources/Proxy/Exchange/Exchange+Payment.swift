import FaultPoints
import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import SystemCrypto
import Transport
import X402

/// The repetition with a payment, and what comes back for it.
extension Exchange {
    // MARK: The paid repetition

    func connectPaid() {
        // An offer to switch is repeated on a new connection: some servers refuse the second one on the same.
        if life.phase == .connecting, upstreamRequest.protocols.isEmpty,
            let connection = shared.pool.idleConnection(for: connectionUse)
        {
            return sendPaid(on: connection)
        }
        connect { exchange, connection in exchange.sendPaid(on: connection) }
    }

    func sendPaid(on connection: UpstreamConnection) {
        guard life.paidConnected(), let payment else {
            connection.abandon()
            if case .paid = life.phase { failed(.closedBeforeResponse) }
            return
        }
        self.connection = connection
        connection.begin(method: request.method, protocols: upstreamRequest.protocols, receiver: self)
        connection.write(upstreamRequest.bytes(adding: payment.header, mark: mark(on: connection)))
        let sender = BodySender(connection: connection)
        self.sender = sender
        sender.replay(replay.content, on: shared.services.threads, loop: shared.loop)
        connection.flush()
        times.beginWait()
        FaultPoint.reach(.sent)
        firstByteDeadline = .now() + gateway.timeouts.firstByte(paidWithin: payment.answerWithin)
        if !life.agentIsGone { deadline = firstByteDeadline }
    }

    /// Books what became of the payment; returns what the agent is to be told of it.
    @discardableResult
    func book(
        _ answer: PaidAnswer, isRepeat: Bool = false, delivery: AnswerDelivery? = nil, note: String? = nil
    ) -> AgentResponse.Paid? {
        guard let payment else { return nil }
        let paid = reached(answer, of: payment, isRepeat: isRepeat)
        shared.services.book(
            answer, of: payment, isRepeat: isRepeat, isOrphan: life.isFenced, delivery: delivery, note: note,
            on: shared.executor)
        return paid
    }

    /// What the agent is to be told of a payment whose outcome is known.
    func reached(_ answer: PaidAnswer, of payment: AuthorizedPayment, isRepeat: Bool) -> AgentResponse.Paid {
        FaultPoint.reach(.answered)
        return AgentResponse.Paid(
            payment: payment, event: payment.event(of: answer, isRepeat: isRepeat),
            amount: payment.amountCounted(after: answer))
    }

    /// Books that this exchange sent nothing; the agent is to be told of the payment when it was sent before.
    func bookUnsent(reason: String) -> AgentResponse.Paid? {
        let paid = book(.neverSent(reason: reason))
        return paid?.payment.isAdopted == true ? paid : nil
    }

    // MARK: The paid answer

    /// Whether the body has to be read before it is known what the agent is told: the payment was rejected, and the reason
    /// stands in the body alone, as in version 1 of the protocol, or nowhere.
    func needsBody(_ answer: PaidAnswer) -> Bool {
        guard let payment, case .response(let status, _, _) = answer, status >= 400 else { return false }
        return payment.event(of: answer, isRepeat: life.phase == .paid(isRepeat: true)) == .rejected
    }

    func paidAnswered(_ answer: PaidAnswer, isRepeat: Bool, then fate: ExchangeLife.AnswerFate, head: ResponseHead) {
        var note: String?
        if case .refused(let redirect) = RedirectRule.location(of: head, route: answered.route) { note = redirect.note }
        switch fate {
        case .relay: break
        case .keep: return keepOn(head, paid: book(answer, isRepeat: isRepeat, note: note))
        case .drop:
            book(answer, isRepeat: isRepeat, note: note)
            return end()
        }
        // Whatever is answered instead of it, the agent does not have the seller's answer then.
        let paid = beginDelivery(of: answer, isRepeat: isRepeat, status: head.status, note: note)
        if let paid, let problem = problem(with: answer, to: paid, head: head) { return respond(problem) }
        guard held.head != nil else {
            firstRead = FirstRead(head: head, paid: paid)
            return relay(head, paid: paid)
        }
        relayHeld(paid: paid)
        // The rest of a body that was read for what it says may be long in coming.
        bookDeliveryUnderWay()
    }

    /// What the agent is told in the place of the seller's answer to a payment; nil where that is passed on.
    private func problem(with answer: PaidAnswer, to paid: AgentResponse.Paid, head: ResponseHead) -> Problem? {
        // What a seller says to bytes it has seen already is no answer to the request, and may read like a failure.
        if paid.event == .alreadyUsed { return .paidNotServed(paid, at: shared.services.clock.now()) }
        if paid.payment.lacksAllowance(by: answer) { return .allowanceMissing(paid) }
        guard paid.event == .rejected else { return nil }
        if paid.payment.isAttached, !answer.saysUnfunded { return .learnedPriceRefused(paid) }
        // What a client library may repeat by itself, it repeats by the seller's own answer.
        guard !paid.mayBeRepeated(after: head, at: shared.services.clock.now()) else { return nil }
        guard case .response(let status, _, _) = answer, status >= 400,
            paid.payment.isAttached || held.isWithoutText
        else { return nil }
        var problem = Problem.paymentRejected(paid, by: answer)
        problem.sellerFields = held.paymentResponse(allocator)
        return problem
    }

    /// The body of an answer to the payment has been read as far as is waited for.
    func judge() {
        guard let head = held.head, let judgement = life.judged() else { return }
        let reason = held.reason ?? held.textReason
        paidAnswered(
            .response(status: head.status, report: SettlementReport.read(from: head), reason: reason),
            isRepeat: judgement.isRepeat, then: judgement.then, head: head)
    }
}
