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
    let shared: ProxyLoop
    let admitted: AdmittedRequest
    let agent: Agent
    /// What the agent shares with others goes by it.
    let standing: AgentStanding
    /// What of the agent has to hold still when something is signed.
    let claim: AgentClaim
    let upstreamRequest: UpstreamRequest
    let allocator: ByteBufferAllocator
    weak var channel: (any AgentChannel)?

    var life: ExchangeLife
    /// Until when it is decided about, and what keeps its units from being taken back from then on.
    let withdrawal: Withdrawal
    var connection: UpstreamConnection?
    var sender: BodySender?
    let replay: ReplayBody
    var isBodyComplete: Bool
    /// Pieces of the body that came before there was a connection for them.
    var unsent = BodyPieces()
    /// Bytes of the body that are read before there is a connection for them.
    private static let unsentLimit = ConnectionBuffers.readBytes
    var held = HeldAnswer()
    /// When the wait for the body of a 402 is over if its head does not say everything.
    var challengeDeadline: NIODeadline?
    var payment: AuthorizedPayment?
    /// What shows the seller who asks, once the wallet has signed in; at most once in an exchange.
    var signIn: PaymentHeader?
    var answer = AnswerRelay()
    /// The answer to the payment, while it is on its way to the agent.
    var delivery: PaidDelivery?
    var times: ExchangeTimes
    /// The place of the tunnel that the request may become.
    var tunnelSlot: TunnelSlot?
    /// Whether the gateway has been asked whether it wants the body, and has not said so yet.
    var isAsking = false
    /// The right to use a connection, where the gateway takes only so many at once.
    var place: GatewayPlaces.Place?
    /// The exchange's turn for one.
    var waiting: GatewayPlaces.Wait?
    /// When it has waited long enough.
    var waitEnd = NIODeadline.distantFuture
    /// Bytes of the agent's body so far, where they are limited.
    var bodyBytes = 0
    /// Whether the unpaid request is sent for the second time, with the kept copy of its body.
    var isRepeated = false
    /// Whether it has been sent again because nobody had looked at it.
    var wasSentAgain = false
    /// Keeps the exchange alive while a payment is out and the agent has gone.
    var selfReference: Exchange?
    /// When the wait for the first byte of a paid answer is over, for the first agent as for one that joins.
    var firstByteDeadline: NIODeadline?
    /// The paid answer, until the read is over that brought its head.
    var firstRead: FirstRead?
    /// The paid answer, as far as it is kept for a repetition of the request.
    var keeping: Keeping?
    /// Until when it is kept, once the agent has gone.
    var keptUntil: NIODeadline?
    /// What repetitions find of it.
    var openEntry: OpenAnswers.Entry?
    /// The repetition that has it now.
    var reader: JoinedReader?
    /// The answer to an earlier identical request that this exchange's agent gets.
    var joined: Joined?

    /// When the exchange has taken as long as it may in all.
    var expiry: NIODeadline?
    /// Whether that was before the 402 was read, so that it is not paid.
    var isOutOfTime = false
    private var waitDeadline: NIODeadline?

    /// When the present wait is over, at the latest with the exchange's own time.
    var deadline: NIODeadline? {
        get { waitDeadline.map { min($0, expiry ?? $0) } ?? expiry }
        set { waitDeadline = newValue }
    }

    init(
        shared: ProxyLoop, channel: any AgentChannel, standing: AgentStanding, admitted: AdmittedRequest,
        agent: Agent, claim: AgentClaim, upstreamRequest: UpstreamRequest, isBodyComplete: Bool, arrived: NIODeadline,
        allocator: ByteBufferAllocator
    ) {
        times = ExchangeTimes(arrived: arrived)
        withdrawal = Withdrawal { standing.progress.protect($0) }
        self.shared = shared
        self.channel = channel
        self.standing = standing
        self.admitted = admitted
        life = ExchangeLife(isMetered: admitted.route.gateway.billing == .prepaid)
        self.agent = agent
        self.claim = claim
        self.upstreamRequest = upstreamRequest
        self.allocator = allocator
        self.isBodyComplete = isBodyComplete
        expiry = admitted.route.gateway.timeouts.total.map { arrived + $0 }
        replay = ReplayBody(of: standing, on: shared)
        // A call that is counted is never ended for another agent, and holds nothing that could be taken from it.
        if admitted.route.gateway.billing != .x402 { standing.progress.protect(true) }
        standing.agent.requestBegan(at: arrived.milliseconds)
    }

    deinit { standing.agent.requestEnded(at: NIODeadline.now().milliseconds) }

    var request: RequestHead { admitted.head }
    /// The request that is answered: this one, or its repetition.
    var answered: AdmittedRequest { reader?.request ?? admitted }
    var route: GatewayTable.Route { admitted.route }
    var gateway: Gateway { route.gateway }

    /// What a connection is wanted for: a gateway's address is the operator's choice, any other one the agent's.
    var connectionUse: ConnectionUse {
        let owner = ConnectionOwner(agent)
        guard route.host != nil else {
            return ConnectionUse(gateway.destination, by: owner, idleLimit: gateway.limits.keptConnections)
        }
        let destination = Destination(gateway.origin, chosenBy: .agent(owner, rules: shared.rulesNumber))
        return ConnectionUse(destination, by: owner, idleLimit: Self.idleLimitOfAgents)
    }

    /// Idle connections that are kept for one agent to the hosts that it names, all together.
    private static let idleLimitOfAgents = 32

    /// The mark that the request carries on a connection; nil where it cannot come back.
    func mark(on connection: UpstreamConnection) -> ByteBuffer? {
        connection.mayLeadBack ? shared.services.loopMark.line(after: request.fields) : nil
    }

    // MARK: The metered call

    /// Asks the books whether a call of a prepaid gateway may be made; nothing goes upstream before they have said so.
    func meter() {
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

    func metered(_ failure: MeteringFailure?) {
        switch life.metered(isBooked: failure == nil) {
        case .send:
            standing.progress.protect(true)
            start()
            bodyReadAll()
        case .answer:
            unsent = BodyPieces()
            if let failure { respond(Problem(failure.failure)) }
        case .nothing: break
        }
    }

    // MARK: The unpaid request

    func start() {
        guard takePlace() else { return }
        if life.phase == .metering { return meter() }
        if !life.hasAttached, mayAttach { return attach() }
        // Flushed by ``bodyReadAll()``, together with what the same read brought of the body.
        if let connection = shared.pool.idleConnection(for: connectionUse) { return send(on: connection) }
        connectUnpaid()
    }

    func connectUnpaid() {
        connect { exchange, connection in
            exchange.send(on: connection)
            connection.flush()
        }
    }

    /// Opens a connection and goes on with it, unless the exchange is over by then or there is none to be had.
    func connect(_ proceed: @escaping (Exchange, UpstreamConnection) -> Void) {
        if !life.agentIsGone { deadline = nil }
        times.beginWait()
        // What may become a tunnel needs a connection of its own.
        let allowsHTTP2 = gateway.allowsHTTP2 && upstreamRequest.protocols.isEmpty
        shared.pool.connect(
            for: connectionUse, timeout: gateway.timeouts.connect, allowsHTTP2: allowsHTTP2
        ) { result in
            self.times.endWait()
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

    func send(on connection: UpstreamConnection) {
        self.connection = connection
        connection.begin(method: request.method, protocols: upstreamRequest.protocols, receiver: self)
        if asksFirst {
            ask(on: connection)
        } else {
            connection.write(upstreamRequest.bytes(adding: signIn, mark: mark(on: connection)))
            if signIn != nil || isRepeated {
                let sender = BodySender(connection: connection)
                self.sender = sender
                sender.replay(replay.content, on: shared.services.threads, loop: shared.loop)
            } else {
                sendArrived(on: connection)
            }
            deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
        }
        if signIn == nil { shared.services.meters.forward.record(times.sinceArrival) }
        times.beginWait()
        updateBodyReading()
    }

    /// Begins the body with what has arrived of it.
    func sendArrived(on connection: UpstreamConnection) {
        let sender = BodySender(connection: connection)
        self.sender = sender
        for piece in unsent.buffers { sender.send(piece) }
        unsent = BodyPieces()
        if isBodyComplete { sender.finish() }
    }

    /// A piece of the agent's body arrived.
    func bodyArrived(_ bytes: ByteBuffer, isLast: Bool) {
        guard bodyFits(bytes) else { return }
        // Most requests have no body, and pay nothing for it.
        if replay.whenTakenBack == nil { replay.whenTakenBack = { [weak self] pot in self?.takenBack(from: pot) } }
        replay.append(bytes, at: progressed())
        if let sender {
            sender.send(bytes)
            deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
        } else if keepsUnsent {
            unsent.append(bytes)
        }
        if isLast {
            isBodyComplete = true
            sender?.finish()
        }
        if isLast || !replay.isReplayable, life.bodyCompleted() { decide() }
        updateBodyReading()
    }

    /// Whether what arrives of the body is still to be sent for the first time.
    private var keepsUnsent: Bool {
        switch life.phase {
        case .unpaid, .metering: true
        // The price was known, and the seller may have to be asked all the same.
        case .completing, .deciding: held.head == nil
        default: false
        }
    }

    /// Everything that one read brought has been handed over; called after every read that brought anything.
    func bodyReadAll() {
        connection?.flush()
    }

    /// The agent is read on while there is room for what it sends: on the way up, and on its way to the disk.
    func updateBodyReading() {
        guard !isBodyComplete else { return }
        let isStuck: Bool
        switch life.phase {
        case .metering: isStuck = unsent.byteCount >= Self.unsentLimit
        case .unpaid where isAsking: isStuck = waitsForWord
        case .unpaid: isStuck = connection.map { !$0.isWritable } ?? (unsent.byteCount >= Self.unsentLimit)
        case .answering: isStuck = connection.map { !$0.isWritable } ?? false
        case .collecting, .completing: isStuck = false
        default: isStuck = true
        }
        channel?.setReadingBody(!isStuck && !replay.isBacklogged)
        if replay.isBacklogged { replay.settle { [weak self] in self?.updateBodyReading() } }
    }
}

extension Exchange: DeadlineBound {}

extension ConnectionOwner {
    /// An agent as the one who has its present token: with another token it does not get what is left over from before.
    init(_ agent: Agent) {
        let words = agent.tokenHash.words
        self.init(high: words.0, low: words.1)
    }
}
