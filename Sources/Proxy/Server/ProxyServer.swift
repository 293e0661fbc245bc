import NIOCore
package import NIOPosix
import Synchronization
package import Transport

/// The agents' side of the daemon: a listener whose connections live on the event loops of one group.
package struct ProxyServer: Sendable {
    private let listener: any Channel
    private let services: ProxyServices
    private let loops: LoopTable

    /// The port that is listened on.
    package var port: Int { listener.localAddress?.port ?? 0 }

    /// Binds, then serves; each connection and its upstream connections share one event loop of `group`.
    ///
    /// `port` may be 0; `services` is asked once with the port that was bound. Throws what bind throws.
    package static func start(
        host: String, port: Int, services: (Int) -> ProxyServices, tls: TLSClientContext,
        group: MultiThreadedEventLoopGroup
    ) async throws -> ProxyServer {
        let loops = LoopTable()
        // Nothing is accepted until the port is known and every loop has its services.
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let shared = loops[channel.eventLoop] else { throw ChannelError.ioOnClosedChannel }
                    try channel.pipeline.syncOperations.addHandler(AgentConnection(shared: shared))
                }
            }
            .bind(host: host, port: port).get()
        let services = services(listener.localAddress?.port ?? port)
        for loop in group.makeIterator() { try await loops.add(loop, services: services, tls: tls) }
        try await listener.setOption(.autoRead, value: true).get()
        return ProxyServer(listener: listener, services: services, loops: loops)
    }

    /// How long the outcomes of exchanges that were cut off may take to reach the books and the agents.
    private static let lastWords = Duration.seconds(5)

    /// Stops accepting, lets what is under way come to its end for at most `patience`, and cuts off what has not.
    ///
    /// Returns once every outcome is in the books, at most five seconds after `patience`. Requests that come
    /// meanwhile are answered 503.
    package func stop(patience: Duration) async {
        try? await listener.close().get()
        await loops.each { $0.stop() }
        await settle(within: patience)
        await loops.each { $0.cutOff() }
        await settle(within: Self.lastWords)
    }

    private func settle(within patience: Duration) async {
        let clock = ContinuousClock()
        let end = clock.now + patience
        while clock.now < end {
            // In this order: only an exchange begins a booking.
            if await !loops.each({ $0.isBusy }).contains(true), services.bookings.isEmpty { return }
            try? await clock.sleep(for: .milliseconds(10))
        }
    }
}

/// The shared state of each event loop, found by the loop itself.
private final class LoopTable: Sendable {
    private let entries = Mutex<[ObjectIdentifier: NIOLoopBound<ProxyLoop>]>([:])

    /// The state of a loop; asked on that loop.
    subscript(loop: any EventLoop) -> ProxyLoop? {
        entries.withLock { $0[ObjectIdentifier(loop)] }?.value
    }

    func add(_ loop: any EventLoop, services: ProxyServices, tls: TLSClientContext) async throws {
        let entry = try await loop.submit {
            NIOLoopBound(ProxyLoop(loop: loop, services: services, tls: tls), eventLoop: loop)
        }.get()
        entries.withLock { $0[ObjectIdentifier(loop)] = entry }
    }

    /// Does something on every loop that still runs, one after the other.
    @discardableResult
    func each<Answer: Sendable>(_ body: @escaping @Sendable (ProxyLoop) -> Answer) async -> [Answer] {
        var answers: [Answer] = []
        for entry in entries.withLock({ Array($0.values) }) {
            if let answer = try? await entry.eventLoop.submit({ body(entry.value) }).get() { answers.append(answer) }
        }
        return answers
    }
}
