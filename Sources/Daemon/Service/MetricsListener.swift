import NIOCore
import NIOHTTP1
import NIOPosix
import Telemetry

/// Shows the process's metrics to a scraper: `GET /metrics`, and nothing else.
///
/// It tells of no payment, amount or host that an agent names; open tunnels have their agent's and their gateway's name.
struct MetricsListener: Sendable {
    private let listener: any Channel

    /// The port that is listened on.
    var port: Int { listener.localAddress?.port ?? 0 }

    /// Binds and serves; throws what bind throws.
    static func start(
        host: String, port: Int, registry: MetricsRegistry, group: any EventLoopGroup, hosts: MetricsHosts
    ) async throws -> MetricsListener {
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(30)))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(MetricsResponder(registry: registry, hosts: hosts))
                }
            }
            .bind(host: host, port: port).get()
        return MetricsListener(listener: listener)
    }

    func stop() async { try? await listener.close().get() }
}

/// Answers one request after the other.
private final class MetricsResponder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let registry: MetricsRegistry
    private let hosts: MetricsHosts
    private var head: HTTPRequestHead?

    init(registry: MetricsRegistry, hosts: MetricsHosts) {
        self.registry = registry
        self.hosts = hosts
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end: answer(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
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
        let response = HTTPResponseHead(
            version: .http1_1, status: isFound ? .ok : isMeant ? .notFound : .misdirectedRequest, headers: fields)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        let written = context.eventLoop.makePromise(of: Void.self)
        if !head.isKeepAlive {
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
