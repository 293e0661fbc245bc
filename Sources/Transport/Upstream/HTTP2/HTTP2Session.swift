import NIOCore
import NIOHTTP2

/// One HTTP/2 connection to an origin, on which many exchanges have a stream each.
///
/// All state belongs to its event loop.
final class HTTP2Session: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// Where the connection goes, and whose choice that is.
    let destination: Destination
    private(set) var life = HTTP2SessionLife(at: .now())
    private weak var owner: HTTP2Sessions?
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private var context: ChannelHandlerContext?
    private var streams: [ObjectIdentifier: HTTP2StreamHandler] = [:]
    /// Whether what is sent on it may come back here without having passed the public internet.
    private lazy var mayLeadBack = ConnectionReach.mayLeadBack(
        from: context?.channel.localAddress, to: context?.channel.remoteAddress)

    /// Puts a session at the end of a pipeline whose peer has agreed to HTTP/2.
    static func start(
        at context: ChannelHandlerContext, to destination: Destination, owner: HTTP2Sessions
    ) throws -> HTTP2Session {
        let pipeline = context.pipeline.syncOperations
        let frames = NIOHTTP2Handler(
            mode: .client, eventLoop: context.eventLoop, connectionConfiguration: HTTP2Options.connection,
            streamConfiguration: HTTP2Options.stream
        ) { stream in
            // A peer opens none: pushes are turned off.
            stream.close()
        }
        try pipeline.addHandler(frames)
        let session = HTTP2Session(destination, owner: owner, multiplexer: try frames.syncMultiplexer())
        try pipeline.addHandler(session)
        return session
    }

    private init(
        _ destination: Destination, owner: HTTP2Sessions, multiplexer: NIOHTTP2Handler.StreamMultiplexer
    ) {
        self.destination = destination
        self.owner = owner
        self.multiplexer = multiplexer
    }

    // MARK: Streams

    /// Whether a request may be sent on it now; where that is not known a PING is sent to find out.
    func offersStream(at now: NIODeadline) -> Bool {
        // A connection that takes no bytes is as good as full.
        guard let context, context.channel.isActive, context.channel.isWritable else { return false }
        switch life.ask(at: now) {
        case .stream: return true
        case .later, .none: return false
        case .probe:
            ping()
            return false
        }
    }

    /// Opens a stream; `completion` is called once, on the loop, later than this call.
    func open(_ completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void) {
        let isReused = life.hasCarried
        life.streamOpened()
        guard let loop = context?.eventLoop else {
            life.streamEnded(at: .now())
            return completion(.failure(.notProcessed))
        }
        let bound = NIOLoopBound((session: self, completion: completion), eventLoop: loop)
        let isThere = NIOLoopBoundBox(false, eventLoop: loop)
        multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                let (session, completion) = bound.value
                guard session.context?.channel.isActive == true else { throw ChannelError.alreadyClosed }
                let handler = HTTP2StreamHandler(session)
                session.streams[ObjectIdentifier(handler)] = handler
                let connection = UpstreamConnection(
                    session.destination, streamIsReused: isReused, mayLeadBack: session.mayLeadBack,
                    whenReady: completion)
                isThere.value = true
                try channel.pipeline.syncOperations.addHandlers(handler, connection)
            }
        }
        .assumeIsolated()
        .whenFailure { _ in
            // On a connection that is lost by then nothing is asked for handlers that could say so.
            guard !isThere.value else { return }
            self.life.streamEnded(at: .now())
            completion(.failure(.notProcessed))
        }
    }

    /// A stream is closed.
    func streamEnded(_ stream: HTTP2StreamHandler) {
        streams[ObjectIdentifier(stream)] = nil
        life.streamEnded(at: .now())
        if life.isDone { closeSoon() } else { owner?.roomChanged(for: destination) }
    }

    /// Closes the connection when what is being dealt with now is over.
    private func closeSoon() {
        context?.eventLoop.assumeIsolated().execute { self.close() }
    }

    /// Whether an error that ended a stream says that the peer has not looked at its request.
    func neverProcessed(_ error: any Error) -> Bool {
        switch error {
        case let error as NIOHTTP2Errors.StreamClosed where error.errorCode == .http11Required:
            owner?.http1IsRequired(by: destination)
            return true
        case let error as NIOHTTP2Errors.StreamClosed:
            return error.errorCode == .refusedStream || life.wasPassedOver(stream: Int(error.streamID))
        default: return error is NIOHTTP2Errors.CreatedStreamAfterGoaway
        }
    }

    // MARK: The end

    /// Sends no more requests and closes the connection behind the last answer.
    func drain() {
        life.drain()
        if life.isDone { close() }
    }

    /// Closes the connection, whatever is under way on it.
    func close() {
        life.drain()
        context?.close(promise: nil)
    }

    /// Does what is due.
    func sweep(at now: NIODeadline) {
        for stream in Array(streams.values) {
            if let end = stream.lingersUntil, end <= now { stream.stopLingering() }
        }
        switch life.check(at: now) {
        case .ping: ping()
        case .close: close()
        case .nothing: break
        }
    }

    private func ping() {
        guard let context else { return }
        let frame = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// Ends the connection over settings that a server must not send.
    private func refuseSettings() {
        guard let context else { return }
        let frame = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .rootStream, errorCode: .protocolError, opaqueData: nil))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        close()
    }

    // MARK: The channel's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let more = HTTP2Options.connectionWindow - 65_535
        context.writeAndFlush(
            wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: more))),
            promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings(let settings)):
            // RFC 9113 section 6.5.2: only a client may allow pushes.
            guard !settings.contains(where: { $0.parameter == .enablePush && $0.value != 0 }) else {
                return refuseSettings()
            }
            life.settingsArrived(maximum: settings.last { $0.parameter == .maxConcurrentStreams }?.value)
            owner?.roomChanged(for: destination)
        case .ping(_, ack: true):
            life.pongArrived(at: .now())
            owner?.roomChanged(for: destination)
        case .goAway(let last, _, _):
            life.goAwayArrived(last: Int(last))
            if life.isDone { closeSoon() }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        life.received(at: .now())
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // These concern one stream, which has been told.
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.CreatedStreamAfterGoaway,
            is NIOHTTP2Errors.TrailersWithoutEndStream:
            break
        // What broke the connection's own state ends it, and with it every stream.
        default: close()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        life.drain()
        owner?.sessionEnded(self)
        context.fireChannelInactive()
    }
}
