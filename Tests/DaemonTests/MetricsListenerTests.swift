import CoreMetrics
import NIOCore
import NIOPosix
import Telemetry
import Testing
import Transport

@testable import Daemon

@Suite("Metrics for a scraper")
struct MetricsListenerTests {
    private func listening(
        _ registry: MetricsRegistry, as host: String? = nil,
        _ body: (_ get: (String, String) async -> Result<String, BoundedFailure>) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await MetricsListener.start(
            host: "127.0.0.1", port: 0, registry: registry, group: group,
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

    @Test("reject- anything else", arguments: [("POST", "/metrics"), ("GET", "/"), ("GET", "/metrics?x")])
    func other(method: String, target: String) async throws {
        try await listening(MetricsRegistry()) { get in
            #expect(await get(method, target) == .failure(.status(404)))
        }
    }
}
