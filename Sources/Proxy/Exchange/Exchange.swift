import FaultPoints
import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import SystemCrypto
import Transport
import X402

/// One proxied request: performs what ``ExchangeLife`` decides.
///
/// All state belongs to the event loop.
final class Exchange {
    private let shared: ProxyLoop
    private let admitted: AdmittedRequest
    private let agent: Agent
    private let upstreamRequest: UpstreamRequest
    private let allocator: ByteBufferAllocator
    private weak var channel: (any AgentChannel)?

    private var life: ExchangeLife
    private let agentHasLeft = Flag()
    private var connection: UpstreamConnection?
    private var sender: BodySender?
    private let replay: ReplayBody
    private var isBodyComplete: Bool
    /// Pieces of the body that came before there was a connection for them.
    private var unsent: [ByteBuffer] = []
    private var held = HeldAnswer()
    /// When the wait for the body of a 402 is over if its head does not say everything.
    private var challengeDeadline: NIODeadline?
    private var payment: AuthorizedPayment?
    private var answer = AnswerRelay()
    /// Keeps the exchange alive while a payment is out and the agent has gone.
    private var selfReference: Exchange?

    /// When the wait for the upstream is over.
    private(set) var deadline: NIODeadline?

    init(
        shared: ProxyLoop, channel: any AgentChannel, admitted: AdmittedRequest, agent: Agent,
        upstreamRequest: UpstreamRequest, isBodyComplete: Bool, allocator: ByteBufferAllocator
    ) {
        self.shared = shared
        self.channel = channel
        self.admitted = admitted
        life = ExchangeLife(isMetered: admitted.route.gateway.billing == .prepaid)
        self.agent = agent
        self.upstreamRequest = upstreamRequest
        self.allocator = allocator
        self.isBodyComplete = isBodyComplete
        let services = shared.services
        replay = ReplayBody(
            limits: services.replayLimits, budget: services.replayBudget, pool: services.threads, loop: shared.loop)
    }

    private var request: RequestHead { admitted.head }
    private var route: GatewayTable.Route { admitted.route }
    private var gateway: Gateway { route.gateway }

    // MARK: The metered call

    /// Asks the books whether a call of a prepaid gateway may be made; nothing goes upstream before they have said so.
    private func meter() {
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let services = shared.services
        let loop = shared.loop
        let call = MeteredCall(
            agent: agent.name, team: agent.team, gateway: gateway.name, host: gateway.origin.host)
        Task(executorPreference: shared.executor) {
            let failure = await services.engine.meter(call)
            loop.execute { bound.value.metered(failure) }
        }
    }

    private func metered(_ failure: PaymentFailure?) {
        switch life.metered(isBooked: failure == nil) {
        case .send:
            start()
            bodyReadAll()
        case .answer:
            unsent = []
            if let failure { respond(Problem(failure)) }
        case .nothing: break
        }
    }

    // MARK: The unpaid request

    func start() {
        if life.phase == .metering { return meter() }
        // Flushed by ``bodyReadAll()``, together with what the same read brought of the body.
        if let connection = shared.pool.idleConnection(to: gateway.origin) { return send(on: connection) }
        connectUnpaid()
    }

    private func connectUnpaid() {
        connect { exchange, connection in
            exchange.send(on: connection)
            connection.flush()
        }
    }

    /// Opens a connection and goes on with it, unless the exchange is over by then or there is none to be had.
    private func connect(_ proceed: @escaping (Exchange, UpstreamConnection) -> Void) {
        if !life.agentIsGone { deadline = nil }
        shared.pool.connect(to: gateway.origin, timeout: gateway.timeouts.connect) { result in
            guard self.life.phase != .over else {
                if case .success(let connection) = result { connection.abandon() }
                return
            }
            switch result {
            case .success(let connection): proceed(self, connection)
            case .failure(let failure): self.failed(failure)
            }
        }
    }

    private func send(on connection: UpstreamConnection) {
        self.connection = connection
        connection.begin(method: request.method, receiver: self)
        connection.write(upstreamRequest.bytes(paying: nil))
        let sender = BodySender(connection: connection)
        self.sender = sender
        for piece in unsent { sender.send(piece) }
        unsent = []
        if isBodyComplete { sender.finish() }
        deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
        updateBodyReading()
    }

    /// A piece of the agent's body arrived.
    func bodyArrived(_ bytes: ByteBuffer, isLast: Bool) {
        replay.append(bytes)
        if let sender {
            sender.send(bytes)
            deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
        } else if life.phase == .unpaid || life.phase == .metering {
            unsent.append(bytes)
        }
        if isLast {
            isBodyComplete = true
            sender?.finish()
        }
        if isLast || !replay.isReplayable, life.bodyCompleted() { decide() }
        updateBodyReading()
    }

    /// Everything that one read brought has been handed over; called after every read that brought anything.
    func bodyReadAll() {
        connection?.flush()
    }

    /// The agent is read on while there is room for what it sends: on the way up, and on its way to the disk.
    private func updateBodyReading() {
        guard !isBodyComplete else { return }
        let isStuck: Bool
        switch life.phase {
        case .metering: isStuck = unsent.count >= 4
        case .unpaid: isStuck = connection.map { !$0.isWritable } ?? (unsent.count >= 4)
        case .answering: isStuck = connection.map { !$0.isWritable } ?? false
        case .collecting, .completing: isStuck = false
        default: isStuck = true
        }
        channel?.setReadingBody(!isStuck && !replay.isBacklogged)
        if replay.isBacklogged { replay.settle { [weak self] in self?.updateBodyReading() } }
    }

    // MARK: The challenge

    private func collect(_ head: ResponseHead) {
        held = HeldAnswer(head, framing: head.framing(answering: request.method))
        guard isBodyComplete, !held.endsWithConnection else {
            // An early 402: what is still to come of the body is for the repetition only. And nobody waits for the
            // end of an answer that has no end but the connection's, when its head says everything.
            sender = nil
            if held.hasReadableChallengeHeader { return leaveAndDecide() }
            return updateBodyReading()
        }
        challengeDeadline = deadline
        let short = NIODeadline.now() + shared.services.timeouts.challenge
        deadline = deadline.map { min($0, short) } ?? short
    }

    /// The body of the 402 is slow: when its head says everything, nobody waits for the rest.
    ///
    /// Returns whether there is something else to wait for.
    private func challengeIsLate() -> Bool {
        guard life.phase == .collecting, let whole = challengeDeadline else { return false }
        challengeDeadline = nil
        if held.hasReadableChallengeHeader { leaveAndDecide() } else { deadline = whole }
        return true
    }

    private func leaveAndDecide() {
        held.body = []
        dropConnection()
        challengeRead()
    }

    /// Leaves the connection that answered 402 when its body need not be read to the end.
    private func dropConnection() {
        connection?.abandon()
        connection = nil
        sender = nil
    }

    private func challengeRead() {
        deadline = nil
        if !isBodyComplete { dropConnection() }
        if life.challengeRead(isBodyComplete: isBodyComplete || !replay.isReplayable) { decide() }
        updateBodyReading()
    }

    private func decide() {
        replay.settle { self.askEngine() }
    }

    private func askEngine() {
        guard replay.isReplayable else {
            let isChallenge = (try? Challenge.read(held.challengeSource)) != nil
            return decided(isChallenge ? .refuse(.bodyTooLarge) : .passThrough)
        }
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let services = shared.services
        let source = held.challengeSource
        let subject = PaidSubject(
            agent: agent, gateway: gateway, method: request.method, target: route.target, content: replay.content,
            isChunked: request.framing == .chunked,
            isJSON: request.fields.first(.contentType).map { ModelName.isJSON(request.fields.text($0)) } ?? false,
            idempotencyKey: admitted.idempotencyKey, sellerDate: held.date)
        let agentHasLeft = agentHasLeft
        let loop = shared.loop
        let executor = shared.executor
        services.bookings.begin()
        // On this loop: reading, vetting and signing take less than handing them to another thread and back.
        Task(executorPreference: executor) {
            let answer: ChallengeAnswer
            do {
                let request = try await subject.request(on: services.threads)
                answer = await services.engine.answer(source, for: request) { agentHasLeft.isRaised }
            } catch {
                services.logger.error("replay copy not readable", metadata: ["problem": "\(error)"])
                answer = .refuse(.bodyTooLarge)
            }
            if case .pay = answer {} else { services.bookings.end() }
            loop.execute { bound.value.decided(answer) }
        }
    }

    private func decided(_ answer: ChallengeAnswer) {
        guard case .pay(let payment) = answer else {
            if life.decided(isPayment: false) == .answer { answerUnpaid(answer) }
            return
        }
        switch life.decided(isPayment: true) {
        case .connect:
            self.payment = payment
            connectPaid()
        case .void, .answer, .nothing:
            shared.services.book(
                .neverSent(reason: "the agent went away before the payment was sent"), of: payment, on: shared.executor)
        }
        shared.services.engine.decisionIsTaken(of: payment)
    }

    private func answerUnpaid(_ answer: ChallengeAnswer) {
        switch answer {
        case .refuse(let failure): respond(Problem(failure))
        case .passThrough: relayUnpayable()
        case .abandoned, .pay: relayHeld()
        }
    }

    /// Passes on a 402 that no payment answers; from a prepaid gateway that is worth an operator's while.
    private func relayUnpayable() {
        if gateway.billing == .prepaid { shared.services.noticeLowBalance(of: gateway.name, on: shared.executor) }
        relayHeld()
    }

    /// Passes the 402 on as it came.
    private func relayHeld(paid: AgentResponse.Paid? = nil) {
        guard let head = held.head else { return }
        relay(head, paid: paid)
        guard life.phase == .answering else { return }
        for bytes in held.body { answer.write(bytes, to: channel) }
        held.body = []
        guard held.isComplete else { return }
        finish()
    }

    // MARK: The paid repetition

    private func connectPaid() {
        if life.phase == .connecting, let connection = shared.pool.idleConnection(to: gateway.origin) {
            return sendPaid(on: connection)
        }
        connect { exchange, connection in exchange.sendPaid(on: connection) }
    }

    private func sendPaid(on connection: UpstreamConnection) {
        guard life.paidConnected(), let payment else {
            connection.abandon()
            if case .paid = life.phase { failed(.closedBeforeResponse) }
            return
        }
        self.connection = connection
        connection.begin(method: request.method, receiver: self)
        connection.write(upstreamRequest.bytes(paying: payment))
        let sender = BodySender(connection: connection)
        self.sender = sender
        sender.replay(replay.content, on: shared.services.threads, loop: shared.loop)
        connection.flush()
        FaultPoint.reach(.sent)
        if !life.agentIsGone {
            deadline = .now() + gateway.timeouts.firstByte(paidWithin: payment.answerWithin)
        }
    }

    /// Books what became of the payment; returns what the agent is to be told of it.
    @discardableResult
    private func book(_ answer: PaidAnswer, isRepeat: Bool = false) -> AgentResponse.Paid? {
        guard let payment else { return nil }
        FaultPoint.reach(.answered)
        shared.services.book(
            answer, of: payment, isRepeat: isRepeat, isOrphan: selfReference != nil, on: shared.executor)
        return AgentResponse.Paid(payment: payment, event: payment.event(of: answer, isRepeat: isRepeat))
    }

    /// Books that this exchange sent nothing; the agent is to be told of the payment when it was sent before.
    private func bookUnsent(reason: String) -> AgentResponse.Paid? {
        let paid = book(.neverSent(reason: reason))
        return paid?.payment.isAdopted == true ? paid : nil
    }

    // MARK: The paid answer

    /// Whether what a seller says of bytes it may have seen stands in its body alone, as in version 1 of the protocol.
    private func needsBody(_ answer: PaidAnswer) -> Bool {
        guard let payment, payment.isAdopted || life.phase == .paid(isRepeat: true) else { return false }
        return answer == .response(status: 402, report: nil)
    }

    private func paidAnswered(_ answer: PaidAnswer, isRepeat: Bool, thenRelay: Bool, head: ResponseHead) {
        let paid = book(answer, isRepeat: isRepeat)
        guard thenRelay else { return end() }
        // What a seller says to bytes it has seen already is no answer to the request, and may read like a failure.
        if let paid, paid.event == .alreadyUsed { return respond(.paidNotServed(paid)) }
        if held.head == nil { relay(head, paid: paid) } else { relayHeld(paid: paid) }
    }

    /// The body of an answer to the payment has been read as far as is waited for.
    private func judge() {
        guard let head = held.head, let judgement = life.judged() else { return }
        paidAnswered(
            .response(status: head.status, report: nil, reason: held.reason), isRepeat: judgement.isRepeat,
            thenRelay: judgement.thenRelay, head: head)
    }

    // MARK: Failures

    private func failed(_ failure: UpstreamFailure) {
        let event = life.upstreamFailed(beforeAnyByte: failure == .closedBeforeResponse)
        connection = nil
        sender = nil
        let gateway = gateway.name
        conclude(event, reason: failure.sentence) { .upstream(failure, gateway: gateway, payment: $0) }
    }

    /// The deadline has passed.
    func deadlinePassed() {
        if life.phase.isJudging { return judge() }
        if challengeIsLate() { return }
        waitIsOver()
    }

    private func waitIsOver() {
        deadline = nil
        let event = life.upstreamFailed(beforeAnyByte: false)
        connection?.abandon()
        connection = nil
        sender = nil
        let gateway = gateway.name
        conclude(event, reason: event == .void ? "no connection in time" : "no answer in time") {
            .firstByteTimeout(gateway: gateway, payment: $0)
        }
    }

    private func conclude(
        _ event: ExchangeLife.OnFailure, reason: String, problem: (AgentResponse.Paid?) -> Problem
    ) {
        switch event {
        case .answer: respond(problem(nil))
        case .void: respond(problem(bookUnsent(reason: reason)))
        case .resend: connect { exchange, connection in exchange.sendPaid(on: connection) }
        case .doubt(let thenAnswer):
            let paid = book(.silence(reason: reason))
            if thenAnswer { respond(problem(paid)) } else { end() }
        case .breakOff: breakOff()
        case .nothing: break
        }
    }

    /// The answer cannot be completed.
    private func breakOff() {
        let channel = channel
        end()
        channel?.exchangeDidBreak(isConnectionFramed: answer.endsWithConnection)
    }

    /// Ends what is under way, because the process is about to end.
    func cutOff() {
        agentHasLeft.raise()
        switch life.phase {
        // Nothing was sent for it; should a payment come out of the decision yet, it is voided.
        case .metering, .completing, .deciding: respond(.stopping)
        case .over: break
        default: waitIsOver()
        }
    }

    /// Whether a part of an answer has gone to the agent.
    var hasBegunAnswer: Bool { life.phase == .answering }

    /// The agent's connection is closed.
    func agentLeft() {
        agentHasLeft.raise()
        switch life.agentLeft() {
        case .drop:
            end()
        case .waitForDecision:
            deadline = nil
        case .void:
            book(.neverSent(reason: "the agent went away before the payment was sent"))
            end()
        case .awaitOutcome:
            if let payment { shared.services.loseSight(of: payment, on: shared.executor) }
            selfReference = self
            shared.deadlines.add(self)
            shared.orphans[ObjectIdentifier(self)] = self
            deadline = .now() + shared.services.timeouts.outcome
        }
    }

    private func end() {
        deadline = nil
        life.finished()
        connection?.abandon()
        connection = nil
        sender = nil
        if selfReference != nil {
            shared.deadlines.remove(self)
            shared.orphans[ObjectIdentifier(self)] = nil
            selfReference = nil
        }
    }

    // MARK: The answer

    private func respond(_ problem: Problem) {
        guard let channel else { return end() }
        let closing = problem.closesConnection || mustClose || !request.keepsAlive
        channel.write(
            problem.response(isHead: request.method == "HEAD", closing: closing, allocator: allocator))
        channel.flush()
        end()
        channel.exchangeDidFinish(closing: closing)
    }

    /// Whether no other request is read behind this one.
    private var mustClose: Bool { !isBodyComplete || shared.isStopping }

    private func relay(_ head: ResponseHead, paid: AgentResponse.Paid?) {
        let location = RedirectRule.location(of: head, route: route)
        guard location != .foreign else {
            connection?.abandon()
            connection = nil
            held.body = []
            return respond(.foreignRedirect(gateway: gateway.name, payment: paid))
        }
        let response = AgentResponse(
            head, to: request, closing: mustClose, paid: paid, location: location, allocator: allocator)
        answer = AnswerRelay(response)
        channel?.write(response.head)
        deadline = .now() + gateway.timeouts.idle
    }

    private func finish() {
        guard life.phase == .answering else { return }
        let channel = channel
        channel?.flush()
        end()
        channel?.exchangeDidFinish(closing: answer.closesConnection)
    }

    /// The agent's connection can or cannot take more.
    func agentWritabilityChanged(_ isWritable: Bool) {
        if life.phase == .answering { connection?.setReading(isWritable) }
    }
}

extension Exchange: UpstreamReceiver {
    func upstream(_ connection: UpstreamConnection, didReceive head: ResponseHead) {
        let mayPay = head.status == 402 && !upstreamRequest.carriesPayment
        let answer = payment == nil ? nil : PaidAnswer.read(from: head)
        switch life.responseArrived(mayPay: mayPay, needsBody: answer.map(needsBody) ?? false) {
        case .relay:
            relay(head, paid: nil)
        case .collect:
            collect(head)
        case .judge:
            held = HeldAnswer(head, framing: head.framing(answering: request.method))
            deadline = .now() + shared.services.timeouts.challenge
        case .book(let isRepeat, let thenRelay):
            held = HeldAnswer()
            if let answer { paidAnswered(answer, isRepeat: isRepeat, thenRelay: thenRelay, head: head) }
        }
    }

    func upstream(_ connection: UpstreamConnection, didReceiveBody bytes: ByteBuffer) {
        switch life.phase {
        case .judging:
            held.append(bytes)
            if held.byteCount > Challenge.maximumBytes { judge() }
        case .collecting:
            held.append(bytes)
            guard held.byteCount > Challenge.maximumBytes else { return }
            if held.hasReadableChallengeHeader {
                leaveAndDecide()
            } else {
                life.challengeDropped()
                relayUnpayable()
            }
        case .answering:
            answer.write(bytes, to: channel)
            deadline = .now() + gateway.timeouts.idle
            if let channel, !channel.isWritable { connection.setReading(false) }
        default:
            break
        }
    }

    func upstreamDidReadAll(_ connection: UpstreamConnection) {
        if life.phase == .answering { channel?.flush() }
    }

    func upstreamDidFinish(_ connection: UpstreamConnection) {
        self.connection = nil
        switch life.phase {
        case .collecting:
            held.isComplete = true
            challengeRead()
        case .judging:
            held.isComplete = true
            judge()
        case .answering:
            finish()
        default:
            break
        }
    }

    func upstream(_ connection: UpstreamConnection, didFail failure: UpstreamFailure) {
        guard life.phase == .unpaid, failure == .closedBeforeResponse, connection.isReused, isRepeatable else {
            return failed(failure)
        }
        // A kept connection closed under us before it saw the request: once more, on a new one.
        self.connection = nil
        sender = nil
        connectUnpaid()
    }

    /// RFC 9110 section 9.2.2 lets a proxy repeat idempotent requests only.
    private var isRepeatable: Bool {
        let idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]
        return idempotent.contains(request.method) && request.framing == .none
    }

    func upstream(_ connection: UpstreamConnection, isWritable: Bool) {
        if isWritable { sender?.resume() }
        updateBodyReading()
    }
}

extension Exchange: DeadlineBound {}
