import NIOCore
import NIOHTTP1
import NIOPosix
import Primitives

/// Gathers one request at a time, asks the gateway, and writes the answer; it lives on its channel's event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between two requests.
        case idle
        /// The head is here, the body is coming.
        case receiving(HTTPRequestHead)
        /// An answer is being written; whatever comes in is dropped, since the connection closes or the body was too long.
        case answering
    }

    /// Bodies above this many bytes are read on another thread.
    private static let longBody = 64 * 1024

    private let gateway: Gateway
    private let options: SimulatorOptions
    private let clock: any WallClock
    private var state = State.idle
    /// What has come of the request's body; not in the state, since a second owner would make every piece copy it.
    private var body = ByteBuffer()
    private var nextEvent: Scheduled<Void>?

    init(gateway: Gateway, options: SimulatorOptions, clock: any WallClock) {
        self.gateway = gateway
        self.options = options
        self.clock = clock
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle):
            begin(head, context)
        case (.body(var part), .receiving(let head)):
            guard body.readableBytes + part.readableBytes <= options.maximumBodyBytes else {
                return refuseBody(head, context)
            }
            body.writeBuffer(&part)
        case (.end, .receiving(let head)):
            state = .answering
            let request = request(head, context)
            body = ByteBuffer()
            answer(request, keepAlive: head.isKeepAlive, context)
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        nextEvent?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            length > options.maximumBodyBytes
        {
            return refuseBody(head, context)
        }
        state = .receiving(head)
        guard head.headers.first(name: "expect")?.lowercased() == "100-continue" else { return }
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    private func refuseBody(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state = .answering
        body = ByteBuffer()
        let limit = options.maximumBodyBytes
        write(.failure(413, code: "too_large", "the body is longer than \(limit) bytes"), keepAlive: false, context)
    }

    private func request(
        _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) -> GatewayRequest {
        let path = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let port = context.channel.localAddress?.port ?? options.port
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        return GatewayRequest(
            method: head.method.rawValue, path: String(path), origin: "http://\(host):\(port)",
            paymentSignatures: head.headers["payment-signature"], payments: head.headers["x-payment"],
            body: Array(body.readableBytesView))
    }

    /// Asks the gateway, on another thread when there is much to read, so that other connections do not wait for it.
    private func answer(_ request: GatewayRequest, keepAlive: Bool, _ context: ChannelHandlerContext) {
        guard request.body.count > Self.longBody else {
            return write(gateway.reply(to: request), keepAlive: keepAlive, context)
        }
        let gateway = gateway
        let reply = NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) { gateway.reply(to: request) }
        reply.assumeIsolated().whenComplete { result in
            guard context.channel.isActive, case .success(let reply) = result else {
                return context.close(promise: nil)
            }
            self.write(reply, keepAlive: keepAlive, context)
        }
    }

    private func write(_ reply: GatewayReply, keepAlive: Bool, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(reply.fields.map { ($0.name, $0.value) })
        headers.add(name: "Date", value: clock.now().httpDate)
        if !keepAlive { headers.add(name: "Connection", value: "close") }
        switch reply.body {
        case .document(let text):
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: "\(text.count)")
            writeHead(reply.status, headers, context)
            writeBody(text, context)
            finish(keepAlive: keepAlive, context)
        case .events(let events):
            headers.add(name: "Content-Type", value: "text/event-stream; charset=utf-8")
            writeHead(reply.status, headers, context)
            stream(events[...], keepAlive: keepAlive, context)
        }
    }

    private func writeHead(_ status: Int, _ headers: HTTPHeaders, _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func writeBody(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    }

    /// Sends one event and comes back for the next after the pause.
    private func stream(_ events: ArraySlice<[UInt8]>, keepAlive: Bool, _ context: ChannelHandlerContext) {
        nextEvent = nil
        guard context.channel.isActive else { return }
        guard let event = events.first else { return finish(keepAlive: keepAlive, context) }
        writeBody(event, context)
        context.flush()
        nextEvent = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.tokenDelay)) {
            self.stream(events.dropFirst(), keepAlive: keepAlive, context)
        }
    }

    /// Ends the answer and, without keep-alive, the connection.
    ///
    /// The state changes first: the next pipelined request may come in during the flush. The connection lingers a
    /// moment, because closing it under a peer that still sends would destroy the answer on its way.
    private func finish(keepAlive: Bool, _ context: ChannelHandlerContext) {
        if keepAlive { state = .idle }
        let written = context.eventLoop.makePromise(of: Void.self)
        if !keepAlive {
            let loop = context.eventLoop.assumeIsolated()
            written.futureResult.assumeIsolated().whenComplete { _ in
                _ = loop.scheduleTask(in: .milliseconds(50)) { context.close(promise: nil) }
            }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
