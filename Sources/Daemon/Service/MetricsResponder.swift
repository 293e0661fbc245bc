import NIOCore
import NIOHTTP1
import Telemetry

/// Answers the requests of one connection, the next one when the answer before it has been taken.
final class MetricsResponder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a whole request may take from its first moment, and how long the peer may take to read an answer.
    static let patience = TimeAmount.seconds(10)
    /// How long a connection may wait for another request.
    static let idle = TimeAmount.seconds(60)

    private let registry: MetricsRegistry
    private let hosts: MetricsHosts
    private let place: MetricsConnections.Place
    private var head: HTTPRequestHead?
    private var isAnswering = false
    /// Whether the next request is complete while an answer is still being taken; the pipeline brings no third one.
    private var isNextWaiting = false
    private var expiry: Scheduled<Void>?

    init(registry: MetricsRegistry, hosts: MetricsHosts, place: MetricsConnections.Place) {
        self.registry = registry
        self.hosts = hosts
        self.place = place
    }

    func handlerAdded(context: ChannelHandlerContext) { wait(Self.patience, context) }

    func channelInactive(context: ChannelHandlerContext) {
        expiry?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            if !isAnswering { wait(Self.patience, context) }
        case .body: break
        case .end: if isAnswering { isNextWaiting = true } else { answer(context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Closes the connection unless something else happens first.
    private func wait(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        expiry?.cancel()
        expiry = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
        place.hasAsked = true
        let isMeant = hosts.accepts(head.headers["host"], isHTTP10: head.version == .http1_0)
        let isFound = isMeant && head.method == .GET && head.uri == "/metrics"
        let body =
            isFound
            ? registry.text
            : isMeant
                ? "The metrics are at GET /metrics.\n"
                : "Ask for the metrics by an address, localhost, the machine's name, or a name in `hosts`.\n"
        var fields = HTTPHeaders()
        fields.add(name: "Content-Type", value: isFound ? "text/plain; version=0.0.4" : "text/plain")
        fields.add(name: "Content-Length", value: "\(body.utf8.count)")
        if !head.isKeepAlive { fields.add(name: "Connection", value: "close") }
        isAnswering = true
        setReading(false, context)
        wait(Self.patience, context)
        let response = HTTPResponseHead(
            version: .http1_1, status: isFound ? .ok : isMeant ? .notFound : .misdirectedRequest, headers: fields)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        }
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { result in
            guard case .success = result, head.isKeepAlive else { return context.close(promise: nil) }
            self.isAnswering = false
            self.goOn(context)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: taken)
    }

    private func goOn(_ context: ChannelHandlerContext) {
        // The next request may have begun already.
        wait(head == nil ? Self.idle : Self.patience, context)
        guard isNextWaiting else { return setReading(true, context) }
        isNextWaiting = false
        // Not from within the present call: a long pipeline must not become a deep stack.
        context.eventLoop.assumeIsolated().execute { self.answer(context) }
    }

    private func setReading(_ isReading: Bool, _ context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}
