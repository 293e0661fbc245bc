import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One agent's connection: reads requests, checks who sends them and where to, and hands each to an ``Exchange``.
///
/// One request is served at a time; what is pipelined behind it waits. All state belongs to the event loop.
final class AgentConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// TLS is being agreed on; nothing has been said yet.
        case handshake
        /// Between requests, or in a head.
        case head
        /// A head is read and its sender is being looked up in the books.
        case identifying
        /// The body of the present request is coming.
        case body(BodyReader)
        /// The body is complete; the answer is not.
        case answering
        /// A tunnel is being opened; what comes meanwhile is for its other end.
        case opening
        /// The next request is here, at least in part, or the present one is refused, and others go first.
        case waiting(Wait)
        /// An answer was sent behind which nothing is read: input is thrown away until the peer closes.
        case lingering(hasSent: Bool)
        case closed
    }

    /// Bytes of later requests that are kept while one is being answered.
    private static let pipelineLimit = ConnectionBuffers.readBytes
    /// What a HEAD request begins with.
    private static let headMethod: UInt32 = 0x4845_4144

    let shared: ProxyLoop
    /// Its place among the open ones.
    let place: OpenConnections.Place
    /// What the connection is for, where that was said before it began.
    let binding: Binding?
    /// Who connected, where something better than a token of theirs says so.
    private(set) var peer: ConnectedPeer?
    /// What was presented to the agent, where clients show certificates.
    let security: TLSServerContext?
    /// The place of a handshake that a stranger may have begun.
    private var handshake: HandshakeCount.Place?
    /// The place of a connection whose TLS ends here among its agent's tunnels.
    private var slot: TunnelSlot?
    /// Whether the right to the tunnel that it is inside of has ended: no other request is served.
    var isEnded = false
    private(set) var context: ChannelHandlerContext?
    var phase: Phase
    private var scanner = HeadScanner()
    /// Whether the one empty line that may stand before the present head has been seen.
    private var hasSkippedLine = false
    /// Whether its turn has come: the next request need not wait for another one.
    var hasTurn = false
    /// Whether the present request counts among those of its agent that began at once: on a new connection it is not known
    /// before the head is read whose it is.
    var isCounted = false
    var inbound = ByteBuffer()
    private(set) var exchange: Exchange?
    private var smallWrites = SmallWrites()
    /// The credential of the last request: agents send the same one with each.
    private(set) var knownCredential: AgentCredential?
    private(set) var isReadingBody = true
    /// Whether the exchange takes more of the present body.
    private var isBodyWanted = true
    /// Whether what was read is being served now.
    private var isConsuming = false
    /// Since when what was read is being served, where other agents are active.
    var servedSince: NIODeadline?
    var ownDeadline: NIODeadline?
    /// Whether the present request is a HEAD, as far as is known: the answer has no body then.
    private var isHead = false
    /// When the present request's head was complete.
    private var arrived = NIODeadline.now()

    /// Serves a connection; `peer` is who made it, where that is known.
    init(shared: ProxyLoop, place: OpenConnections.Place, peer: ConnectedPeer? = nil) {
        self.shared = shared
        self.place = place
        self.peer = peer
        security = nil
        binding = nil
        phase = .head
    }

    /// Serves a connection behind a handler that presents `security`, which says who it is once they have shaken hands.
    init(
        shared: ProxyLoop, place: OpenConnections.Place, security: TLSServerContext, handshake: HandshakeCount.Place
    ) {
        self.shared = shared
        self.place = place
        self.security = security
        self.handshake = handshake
        binding = nil
        phase = .handshake
    }

    /// Serves what is inside a tunnel whose TLS ends here, for the same peer as `outer`.
    init(inside outer: AgentConnection, for binding: Binding, slot: TunnelSlot) {
        shared = outer.shared
        place = outer.place
        peer = outer.peer
        security = outer.security
        self.binding = binding
        self.slot = slot
        phase = .handshake
    }

    /// The operator's rules as they are now.
    var rules: ProxyRules { shared.rules }
    var services: ProxyServices { shared.services }
    var timeouts: ProxyTimeouts { shared.services.timeouts }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { opened() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) { opened() }

    private func opened() {
        if case .handshake = phase {
            ownDeadline = .now() + timeouts.handshake
        } else {
            ownDeadline = .now() + timeouts.read
        }
        shared.deadlines.add(self)
        shared.connections[ObjectIdentifier(self)] = self
        if let slot { shared.open(slot, as: self) }
        place.connection = self
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let summary)? = event as? TLSEvent { shookHands(summary) }
        context.fireUserInboundEventTriggered(event)
    }

    private func shookHands(_ summary: TLSHandshakeSummary) {
        guard case .handshake = phase else { return }
        if binding == nil {
            guard let certificate = summary.peer else { return context?.close(promise: nil) ?? () }
            handshake?.proved(certificate)
            peer = .certificate(certificate)
        }
        handshake = nil
        phase = .head
        ownDeadline = .now() + timeouts.read
        if shared.isStopping { linger() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        forgetConnection()
        let exchange = exchange
        self.exchange = nil
        exchange?.agentLeft()
        // What serves inside a tunnel is added after this handler before it takes its place.
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshake = phase, let error = error as? TLSError {
            services.logger.debug("no TLS with an agent", metadata: ["problem": "\(error)"])
        }
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { readerCaughtUp() }
        exchange?.agentWritabilityChanged(context.channel.isWritable)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .lingering = phase { return setReading(false) }
        inbound.appendUnread(unwrapInboundIn(data))
        consume()
        switch phase {
        case .answering, .identifying, .opening, .waiting:
            if inbound.readableBytes > Self.pipelineLimit { setReading(false) }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.bodyReadAll()
        waitToDiscard()
    }

    // MARK: Requests

    private func consume() {
        isConsuming = true
        defer {
            isConsuming = false
            if let start = servedSince, let agent = place.agent {
                shared.turns.served(agent: agent.number, since: start)
            }
            servedSince = nil
            // Not before: the body may be here already, and one more piece for each request served would let a long pipeline
            // grow without end.
            if case .body = phase, isBodyWanted { setReading(true) }
        }
        do {
            while inbound.readableBytes > 0 {
                switch phase {
                case .head:
                    guard mayBegin(), try consumeHead() else { return }
                case .body(var reader):
                    guard let bytes = try reader.take(from: &inbound) else { return }
                    phase = reader.isFinished ? .answering : .body(reader)
                    ownDeadline = reader.isFinished || !isReadingBody ? nil : .now() + timeouts.read
                    exchange?.bodyArrived(bytes, isLast: reader.isFinished)
                case .handshake, .identifying, .answering, .opening, .waiting, .lingering, .closed:
                    return
                }
            }
        } catch {
            giveUp(.malformed(error))
        }
    }

    /// Serves on what has been read already, outside of a read.
    func consumeRest() {
        consume()
        exchange?.bodyReadAll()
    }

    /// Serves the next request, of which at least a part has been read.
    ///
    /// Reads more only if its head is incomplete, or if what is left of later requests is within ``pipelineLimit``: one more
    /// piece for each request served would let a long pipeline grow without end.
    func consumeNext() {
        consumeRest()
        switch phase {
        case .head: setReading(true)
        case .identifying, .answering, .opening, .waiting(.turn), .waiting(.first), .waiting(.refusal):
            if inbound.readableBytes <= Self.pipelineLimit { setReading(true) }
        case .handshake, .body, .waiting(.reader), .lingering, .closed: break
        }
    }

    /// Returns false when more bytes are needed.
    private func consumeHead() throws(HTTP1Error) -> Bool {
        if scanner.isAtStart {
            ownDeadline = .now() + timeouts.read
            // RFC 9112 section 2.2: an empty line before a request line is skipped.
            if !hasSkippedLine, inbound.getInteger(at: inbound.readerIndex, as: UInt8.self) == 0x0d {
                guard inbound.readableBytes > 1 else { return false }
                if inbound.getInteger(at: inbound.readerIndex, as: UInt16.self) == 0x0d0a {
                    inbound.moveReaderIndex(forwardBy: 2)
                    hasSkippedLine = true
                    if inbound.readableBytes == 0 { return false }
                }
            }
        }
        isHead = inbound.getInteger(at: inbound.readerIndex, as: UInt32.self) == Self.headMethod
        let limit = HTTP1Limits.requestHeadBytes
        guard let length = try scanner.endOfHead(in: inbound, limit: limit) else { return false }
        scanner = HeadScanner()
        arrived = .now()
        guard isNext(at: arrived) else {
            waitForTurn()
            return false
        }
        isCounted = !isStranger
        hasTurn = false
        guard let bytes = inbound.readSlice(length: length) else { return false }
        hasSkippedLine = false
        let head = try RequestHead(bytes)
        place.progress.made(at: arrived.milliseconds)
        ownDeadline = nil
        serve(head)
        return true
    }

    private func serve(_ head: RequestHead) {
        guard !isEnded else { return linger() }
        let admitted: Admission
        switch admit(head) {
        case .failure(let refusal):
            recognize(head)
            return answer(refusal.problem, head: head)
        case .success(let request): admitted = request
        }
        if let credential = admitted.caller.credential { knownCredential = credential }
        guard !shared.isStopping else { return answer(.stopping, head: head) }
        if let end = certificateEnd, end < services.clock.now().seconds {
            return answer(.certificateExpired(at: end, isForward: admitted.isForward), head: head)
        }
        find(admitted)
    }

    func begin(_ admitted: Admission, agent: Agent?, generation: UInt64) {
        guard !isEnded else { return linger() }
        guard let agent else {
            return answer(admitted.caller.unknown(status: admitted.isForward ? 407 : 401), head: admitted.head)
        }
        if let problem = refusal(of: agent.name) { return answer(problem, head: admitted.head) }
        guard isCounted || isNext(at: arrived) else { return waitForTurn(of: admitted) }
        isCounted = true
        place.agent?.hadRequest(at: arrived.milliseconds)
        switch admitted {
        case .tunnel(let request): openTunnel(request, agent: agent)
        case .request(let request):
            let origin = request.route.gateway.origin
            if let host = request.route.host, !rules.forward.allows(host, port: origin.port, for: agent) {
                return answer(.forwardNotAllowed(origin.authority, agent: agent.name), head: request.head)
            }
            begin(
                request, agent: agent,
                claim: AgentClaim(agent, tokenHash: request.caller.credential?.hash, generation: generation))
        }
    }

    private func begin(_ admitted: AdmittedRequest, agent: Agent, claim: AgentClaim) {
        guard let context, let standing = place.standing else { return }
        let head = admitted.head
        let allocator = context.channel.allocator
        let gateway = admitted.route.gateway
        if case .length(let length) = head.framing, let limit = gateway.limits.requestBody, length > UInt64(limit) {
            return answer(.requestTooLarge(gateway: gateway.name, limit: limit), head: head)
        }
        if !head.isHTTP10, head.framing != .none, head.fields.contains(.expect, token: "100-continue") {
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        if MaxForwards.isLast(head) { return answerOptions(head) }
        let upstreamRequest = UpstreamRequest(
            head, route: admitted.route, tokenField: admitted.caller.field, copies: admitted.caller.copies,
            allocator: allocator)
        var slot: TunnelSlot?
        if !upstreamRequest.protocols.isEmpty {
            let right = right(to: admitted.route, for: admitted.caller, agent: agent)
            if let problem = Problem.refusing(upstreamRequest.protocols, of: gateway) {
                return answer(problem, head: head)
            }
            if let problem = frozen(right) { return answer(problem, head: head) }
            slot = TunnelSlot(for: right, among: services.tunnels)
            guard slot != nil else { return answer(.tooManyTunnels, head: head) }
            if gateway.billing == .prepaid {
                slot?.call = MeteredCall(
                    agent: agent.name, team: agent.team, gateway: gateway.name, host: gateway.origin.host)
            }
        }
        let reader = BodyReader(head.framing, trailers: .requests)
        phase = reader.isFinished ? .answering : .body(reader)
        if !reader.isFinished {
            isBodyWanted = true
            ownDeadline = .now() + timeouts.read
        }
        let exchange = Exchange(
            shared: shared, channel: self, standing: standing, admitted: admitted, agent: agent, claim: claim,
            upstreamRequest: upstreamRequest, isBodyComplete: reader.isFinished, arrived: arrived, allocator: allocator)
        exchange.tunnelSlot = slot
        self.exchange = exchange
        exchange.start()
    }

    /// The connection is no agent's any more.
    func forgetConnection() {
        shared.deadlines.remove(self)
        shared.connections[ObjectIdentifier(self)] = nil
        handshake = nil
        slot = nil
        phase = .closed
    }

    // MARK: Answers of our own

    /// Answers without an exchange.
    ///
    /// When the request's body has not been read, or a stranger sent it, the connection ends behind the answer.
    func answer(_ problem: Problem, head: RequestHead? = nil) {
        guard !isStranger else { return waitForRefusal(problem, of: head) }
        let hasBody = head.map { $0.framing != .none } ?? true
        let closing = problem.closesConnection || hasBody || shared.isStopping || !(head?.keepsAlive ?? false)
        write(problem, to: head, closing: closing)
        exchangeDidFinish(closing: closing, isOwnAnswer: true)
    }

    func write(_ problem: Problem, to head: RequestHead?, closing: Bool) {
        guard let context else { return }
        let response = problem.response(
            isHead: isHead, closing: closing, now: services.clock.now(), allocator: context.channel.allocator)
        context.writeAndFlush(wrapOutboundOut(response), promise: nil)
    }

    /// Ends a request that did not arrive as it should: with an answer, unless the gateway's own is on its way.
    private func giveUp(_ problem: Problem) {
        let exchange = exchange
        self.exchange = nil
        let hasBegun = exchange?.hasBegunAnswer ?? false
        exchange?.agentLeft()
        if hasBegun { exchangeDidBreak(isConnectionFramed: true) } else { answer(problem) }
    }

    /// Ends the sending side and throws input away for a moment: closing at once would make the system discard the
    /// answer together with what the peer is still sending.
    func linger() {
        guard let context else { return }
        phase = .lingering(hasSent: false)
        inbound = ByteBuffer()
        // A slow reader may still be taking the answer; the moment begins when all of it has left.
        ownDeadline = .now() + timeouts.unread
        setReading(true)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            guard case .lingering = self.phase else { return }
            self.phase = .lingering(hasSent: true)
            self.ownDeadline = .now() + self.timeouts.linger
        }
        context.close(mode: .output, promise: sent)
    }

    func setReading(_ isReading: Bool) {
        guard isReading != isReadingBody, let context, context.channel.isActive else { return }
        isReadingBody = isReading
        // An agent is not late with bytes that are not being read.
        if case .body = phase { ownDeadline = isReading ? .now() + timeouts.read : nil }
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}

extension AgentConnection: AgentChannel {
    func write(_ bytes: ByteBuffer) {
        smallWrites.note(bytes, context)
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    func flush(_ done: @escaping (Bool) -> Void) {
        guard let context else { return done(false) }
        // Writes are taken in order, so an empty one tells of all before it.
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { result in
            if case .success = result { done(true) } else { done(false) }
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: taken)
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func setReadingBody(_ isReading: Bool) {
        guard case .body = phase else { return }
        isBodyWanted = isReading
        if !isReading || !isConsuming { setReading(isReading) }
    }

    func exchangeDidFinish(closing: Bool, isOwnAnswer: Bool) {
        exchange = nil
        if case .closed = phase { return }
        if closing || isEnded { return linger() }
        guard inbound.readableBytes == 0 || !isOwnAnswer else { return waitForTurn() }
        // An idle connection keeps no buffer.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        phase = .head
        let now = NIODeadline.now()
        place.progress.made(at: now.milliseconds)
        ownDeadline = now + timeouts.idle
        if inbound.readableBytes > 0 {
            // The loop has looked at its sockets since the request began, or there would be no answer of a gateway. Not from
            // within the present call: a long pipeline must not become a deep stack.
            let bound = NIOLoopBound(self, eventLoop: shared.loop)
            shared.loop.execute { bound.value.consumeNext() }
        } else {
            setReading(true)
            if shared.isStopping { linger() }
        }
    }

    func exchangeDidSwitch(on upstream: UpstreamConnection, as tunnel: TunnelSlot) {
        exchange = nil
        guard context != nil else { return upstream.abandon() }
        let end = TunnelEnd()
        do {
            let answer = try upstream.handOver(to: end)
            handOver(to: end, in: tunnel, answer: answer)
        } catch {
            upstream.abandon()
            context?.close(promise: nil)
        }
    }

    func exchangeDidBreak(isConnectionFramed: Bool) {
        exchange = nil
        guard let context else { return }
        guard isConnectionFramed else {
            context.flush()
            return linger()
        }
        // An orderly end would pass for the end of the body.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
        phase = .closed
        guard binding != nil || security != nil else { return context.close(promise: nil) }
        // Inside TLS the orderly end is the close_notify, which gets there ahead of a reset.
        context.triggerUserOutboundEvent(TLSCutOff(), promise: nil)
    }
}

extension AgentConnection {
    /// Ends a connection on which no request has begun, and waits only a moment for the rest of a head.
    func closeIfIdle() {
        switch phase {
        case .handshake: context?.close(promise: nil)
        case .head where inbound.readableBytes == 0: linger()
        case .head: ownDeadline = .now() + timeouts.linger
        default: break
        }
    }

    /// Whether a request is being served, or an answer has not left yet.
    var isBusy: Bool {
        switch phase {
        case .head: inbound.readableBytes > 0
        case .identifying, .body, .answering, .opening, .waiting: true
        // Nobody waits for a stranger to read.
        case .lingering(hasSent: false): !isStranger
        case .handshake, .lingering(hasSent: true), .closed: false
        }
    }

    /// Ends what is under way.
    func cutOff() {
        switch phase {
        case .identifying, .opening, .waiting(.first): answer(.stopping)
        case .waiting(.refusal): takeTurn()
        case .waiting(.turn): linger()
        case .handshake, .lingering(hasSent: false), .waiting(.reader): context?.close(promise: nil)
        case .body, .answering: exchange?.cutOff()
        case .head, .lingering(hasSent: true), .closed: break
        }
    }
}

extension AgentConnection: DeadlineBound {
    var deadline: NIODeadline? {
        guard let theirs = exchange?.deadline else { return ownDeadline }
        return ownDeadline.map { min($0, theirs) } ?? theirs
    }

    func deadlinePassed() {
        if let deadline = exchange?.deadline, deadline <= .now() { return exchange?.deadlinePassed() ?? () }
        ownDeadline = nil
        switch phase {
        case .head where inbound.readableBytes > 0, .body:
            var problem = Problem(
                status: 408, code: "request-timeout", detail: "The request did not arrive in time.")
            problem.closesConnection = true
            giveUp(problem)
        case .handshake, .head, .waiting(.reader), .lingering, .closed:
            context?.close(promise: nil)
        case .identifying, .answering, .opening, .waiting:
            break
        }
    }
}
