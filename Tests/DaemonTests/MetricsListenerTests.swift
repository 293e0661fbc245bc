import CoreMetrics
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import Testing
import Transport

@testable import Daemon

/// How many answers were made.
private final class Made: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.wrappingAdd(1, ordering: .relaxed) }
}

@Suite("Metrics for a scraper")
struct MetricsListenerTests {
    private func listening(
        _ registry: MetricsRegistry, as host: String? = nil,
        _ body: (_ get: (String, String) async -> Result<String, BoundedFailure>) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await MetricsListener.start(
            host: "127.0.0.1", port: 0, registry: registry,
            hosts: MetricsHosts(listening: "127.0.0.1", configured: []))
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        try await body { method, target in
            let request = BoundedRequest(
                origin: Origin(isSecure: false, host: "127.0.0.1", port: listener.port), method: method, target: target,
                fields: host.map { [("host", $0)] } ?? [], body: [], connectTimeout: .seconds(5),
                deadline: .now() + .seconds(5), answerLimit: 1 << 16)
            do throws(BoundedFailure) {
                return .success(String(decoding: try await client.answer(to: request), as: UTF8.self))
            } catch {
                return .failure(error)
            }
        }
        client.closeIdle()
        await listener.stop()
        try await group.shutdownGracefully()
    }

    @Test("GET /metrics shows what was measured, again and again on one connection")
    func metrics() async throws {
        let registry = MetricsRegistry()
        let count = Counter(label: "purser_x", dimensions: [], factory: registry)
        try await listening(registry) { get in
            for number in 1...3 {
                count.increment()
                let text = try await get("GET", "/metrics").get()
                #expect(text == "# TYPE purser_x_total counter\npurser_x_total \(number)\n")
            }
        }
    }

    @Test("reject- a Host of somebody else's, and what it asks for stays unsaid")
    func rebound() async throws {
        let registry = MetricsRegistry()
        Counter(label: "purser_x", dimensions: [], factory: registry).increment()
        try await listening(registry, as: "evil.example") { get in
            #expect(await get("GET", "/metrics") == .failure(.status(421)))
        }
    }

    @Test("of scrapes whose answers are not read no more are made than the system takes")
    func unread() async throws {
        let (registry, made) = (MetricsRegistry(), Made())
        let text = String(repeating: "x", count: 64 << 10)
        registry.sample("purser_x", as: .gauge) {
            made.add()
            return [.init([("a", text)], 1)]
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await MetricsListener.start(
            host: "127.0.0.1", port: 0, registry: registry,
            hosts: MetricsHosts(listening: "127.0.0.1", configured: []))
        let scraper = try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_rcvbuf), value: 4096)
            .connect(host: "127.0.0.1", port: listener.port).get()
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n"
        scraper.writeAndFlush(ByteBuffer(string: String(repeating: request, count: 2000)), promise: nil)
        var last = -1
        while made.value != last || last == 0 {
            last = made.value
            try await Task.sleep(for: .milliseconds(300))
        }
        #expect(last < 200)
        try await scraper.close()
        await listener.stop()
        try await group.shutdownGracefully()
    }

    @Test("connections are few, and those that ask for nothing make room for one that does")
    func crowd() async throws {
        let registry = MetricsRegistry()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await MetricsListener.start(
            host: "127.0.0.1", port: 0, registry: registry,
            hosts: MetricsHosts(listening: "127.0.0.1", configured: []))
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        func scrape() async throws {
            let request = BoundedRequest(
                origin: Origin(isSecure: false, host: "127.0.0.1", port: listener.port), method: "GET",
                target: "/metrics", fields: [], body: [], connectTimeout: .seconds(5), deadline: .now() + .seconds(5),
                answerLimit: 1 << 16)
            _ = try await client.answer(to: request)
        }
        var silent: [any Channel] = []
        for _ in 0..<MetricsConnections.limit + 8 {
            silent.append(try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: listener.port).get())
        }
        try await scrape()
        let closed = silent.prefix(9)
        for channel in closed { try await channel.closeFuture.get() }
        let stayed = silent.dropFirst(9).count { $0.isActive }
        #expect(stayed == MetricsConnections.limit - 1)
        for channel in silent { try? await channel.close() }
        client.closeIdle()
        await listener.stop()
        try await group.shutdownGracefully()
    }

    @Test("reject- anything else", arguments: [("POST", "/metrics"), ("GET", "/"), ("GET", "/metrics?x")])
    func other(method: String, target: String) async throws {
        try await listening(MetricsRegistry()) { get in
            #expect(await get(method, target) == .failure(.status(404)))
        }
    }
}
