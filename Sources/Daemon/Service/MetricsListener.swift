import NIOCore
import NIOHTTP1
import NIOPosix
import Telemetry

/// Shows the process's metrics to a scraper: `GET /metrics`, and nothing else.
///
/// It tells of no payment, amount or host that an agent names; open tunnels have their agent's and their gateway's name.
struct MetricsListener: Sendable {
    private let listener: any Channel
    /// A loop of its own: to write all metrics takes a while, and a scraper may ask without end.
    private let group: MultiThreadedEventLoopGroup

    /// The port that is listened on.
    var port: Int { listener.localAddress?.port ?? 0 }

    /// Binds and serves; throws what bind throws.
    static func start(
        host: String, port: Int, registry: MetricsRegistry, hosts: MetricsHosts
    ) async throws -> MetricsListener {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try await bind(
                host: host, port: port, registry: registry, loop: group.next(), hosts: hosts)
            return MetricsListener(listener: listener, group: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func bind(
        host: String, port: Int, registry: MetricsRegistry, loop: any EventLoop, hosts: MetricsHosts
    ) async throws -> any Channel {
        let connections = try await loop.submit { NIOLoopBound(MetricsConnections(), eventLoop: loop) }.get()
        return try await ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // A pipeline is read in small pieces: each request in it becomes much larger once it is parsed.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2048))
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let place = connections.value.admit(channel)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(MetricsResponder(registry: registry, hosts: hosts, place: place))
                }
            }
            .bind(host: host, port: port).get()
    }

    /// Closes the listener and its connections.
    func stop() async {
        try? await listener.close().get()
        try? await group.shutdownGracefully()
    }
}
