import Ledger
import NIOCore
import Payments
import Primitives
import Transport

/// The first request's side: its paid answer is kept, and read on for a repetition when its agent has left.
extension Exchange {
    /// What of a paid answer there is for a repetition.
    struct Keeping {
        /// The bytes.
        let answer: KeptAnswer
        /// What was paid for it.
        let paid: AgentResponse.Paid?
        /// Whether the gateway has sent all of it.
        var isComplete = false
        /// What is still to be replayed to the agent that joined, before what comes now.
        var backlog = CircularBuffer<ByteBuffer>()
    }

    /// Whether the answer may be another agent's connection's: a fixed price was paid, and no protocol is switched.
    ///
    /// Of a maximum the seller takes what was used, so reading on for nobody costs money.
    private var isKeepable: Bool {
        guard let payment else { return false }
        return !payment.terms.isMaximum && upstreamRequest.protocols.isEmpty && !shared.isStopping
    }

    /// The beginning of an answer, as long as the read lasts that brought it.
    struct FirstRead {
        let head: ResponseHead
        let paid: AgentResponse.Paid?
        var body: [ByteBuffer] = []
    }

    /// Keeps a copy of what one read began and did not end; most answers are never copied.
    func keepFirstRead() {
        guard let first = firstRead else { return }
        firstRead = nil
        beginKeeping(first.head, paid: first.paid)
        for bytes in first.body { keeping?.answer.append(bytes) }
    }

    /// Begins to keep an answer, where it can be kept whole.
    func beginKeeping(_ head: ResponseHead, paid: AgentResponse.Paid?) {
        let memory = shared.services.pots.keptMemory
        guard isKeepable else { return }
        // A repetition gets a decision of its own rather than an earlier refusal.
        switch paid?.event {
        case .rejected, .alreadyUsed: return
        default: break
        }
        if case .length(let length) = head.framing(answering: request.method),
            length > UInt64(memory.limits.each)
        {
            return
        }
        let bound = NIOLoopBound(WeakExchange(self), eventLoop: shared.loop)
        let loop = shared.loop
        let answer = KeptAnswer(head: head.bytes, of: standing.agent, in: memory) {
            loop.execute { bound.value.exchange?.keptAnswerDropped() }
        }
        keeping = Keeping(answer: answer, paid: paid)
    }

    /// Whether a repetition of the request may have the answer from its first byte, if the agent leaves now.
    var isOpenToRepetitions: Bool {
        switch life.phase {
        case .paid, .judging: isKeepable
        default: isKeepable && hasWholeAnswer
        }
    }

    /// Whether everything from the first byte of the answer on is there.
    var hasWholeAnswer: Bool { keeping?.answer.isWhole ?? false }

    /// The memory was needed, or the answer is too long.
    private func keptAnswerDropped() {
        closeToRepetitions()
        if life.phase == .keeping { end() }
    }

    // MARK: Without an agent

    /// Goes on without an agent: looked after by the loop, and open to a repetition.
    func goOn(forAtLeast time: TimeAmount = .zero, joinableFor seconds: Int64? = nil) {
        if selfReference == nil {
            selfReference = self
            shared.deadlines.add(self)
            shared.orphans[ObjectIdentifier(self)] = self
        }
        let limit = shared.services.pots.keptMemory.limits.time
        keptUntil = .now() + limit
        deadline = .now() + max(time, isKeepable ? limit : .zero)
        guard let payment else { return }
        // Where nobody may have the answer, a repetition still waits for it rather than send the same bytes.
        let entry = OpenAnswers.Entry(
            identity: isKeepable ? RepetitionIdentity(admitted, of: claim) : nil, key: admitted.idempotencyKey,
            payment: payment, end: seconds.map { shared.services.clock.now().adding(seconds: $0) }, exchange: self)
        openEntry = entry
        shared.services.openAnswers.open(entry)
        if keeping?.paid?.event.saysMoneyMoved == true { shared.services.openAnswers.paid(entry) }
        if keeping?.isComplete == true { shared.services.openAnswers.complete(entry) }
    }

    /// Nobody can have the answer any more, or somebody has it.
    func closeToRepetitions() {
        guard let openEntry else { return }
        self.openEntry = nil
        shared.services.openAnswers.close(openEntry)
    }

    /// The head of the answer has come, and nobody reads it yet.
    func keepOn(_ head: ResponseHead, paid: AgentResponse.Paid?) {
        if let openEntry, paid?.event.saysMoneyMoved == true { shared.services.openAnswers.paid(openEntry) }
        guard let keptUntil, keptUntil > .now() else { return end() }
        beginKeeping(head, paid: paid)
        guard hasWholeAnswer else { return end() }
        // Nothing is sent again once there is an answer.
        replay.release()
        deadline = keptUntil
    }

    /// Ends what is only kept, because no repetition can come any more.
    func stopKeeping() {
        guard life.agentIsGone else { return }
        if life.phase == .keeping { return end() }
        closeToRepetitions()
        let patience = NIODeadline.now() + shared.services.timeouts.outcome
        deadline = deadline.map { min($0, patience) }
    }

    // MARK: With an agent again

    /// A repetition of the request takes the agent's place.
    func admit(_ joining: Joining) {
        let reader = JoinedReader(joining, to: self)
        let step = life.agentIsBack(ownsPayment: joining.ownsPayment)
        openEntry = nil
        if joining.ownsPayment, step != .await, let payment {
            // What came for the payment was left out, since nobody seemed to own it; and nobody does from here on.
            if keeping?.paid?.event.saysMoneyMoved != true {
                shared.services.loseSight(of: payment, on: shared.executor)
            }
        }
        guard let step else { return reader.exchangeDidEndUnanswered() }
        self.reader = reader
        channel = reader
        expiry = nil
        switch step {
        case .await: deadline = firstByteDeadline
        case .replay: replayKept()
        }
    }

    private func replayKept() {
        guard let contents = keeping?.answer.contents(), let head = try? ResponseHead(contents.head) else {
            return endUnanswered()
        }
        keeping?.backlog = CircularBuffer(contents.body)
        // The outcome is booked; what is still to be known is whether this agent has the answer.
        if let paid = keeping?.paid {
            delivery = PaidDelivery(payment: paid.payment, event: paid.event, status: head.status)
        }
        relay(head, paid: keeping?.paid)
        // A refused redirect is an answer of its own.
        guard life.phase == .answering else { return }
        replayBacklog()
    }

    /// Hands on what was kept as far as the agent takes it, then what comes.
    func replayBacklog() {
        guard let channel else { return }
        while channel.isWritable, let piece = keeping?.backlog.popFirst() { answer.write(piece, to: channel) }
        channel.flush()
        deadline = .now() + gateway.timeouts.idle
        if keeping?.backlog.isEmpty == false {
            connection?.setReading(false)
        } else if keeping?.isComplete == true {
            finish()
        } else {
            connection?.setReading(true)
        }
    }

    /// There is no answer for the repetition that joined: it goes back to its own decision.
    func endUnanswered() {
        let reader = reader
        end()
        reader?.exchangeDidEndUnanswered()
    }

    /// The repetition's connection has taken bytes.
    func readerTook(_ count: Int, _ token: JoinedReader.Token) {
        if reader?.token === token { reader?.taken(count) }
    }

    /// The repetition's agent has left as well.
    func readerLeft(_ token: JoinedReader.Token) {
        guard reader?.token === token else { return }
        reader = nil
        channel = nil
        keeping?.backlog = []
        agentLeft()
    }
}
