import NIOHTTP1
import NIOPosix
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("The gateway behind a socket", .timeLimit(.minutes(1)))
struct ServerTests {
    private static func withSimulator(
        tokenDelay: Duration = .zero, maximumBodyBytes: Int = 64 * 1024 * 1024,
        _ body: (GatewaySimulator, Client) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let simulator = try await GatewaySimulator.start(
            SimulatorOptions(payTo: Shop.payTo, tokenDelay: tokenDelay, maximumBodyBytes: maximumBodyBytes),
            clock: FixedClock(), random: FixedRandom(), group: group)
        let client = try await Client(port: simulator.port, group: group)
        try await body(simulator, client)
        await client.close()
        await simulator.stop()
    }

    /// Asks for a body's price, pays it, and leaves the answer to be read.
    private static func buy(_ client: Client, _ body: [UInt8], path: String = "/v1/chat/completions") async throws {
        try await client.send(.POST, path, body: body)
        let asked = try #require(await client.answer())
        #expect(asked.head.status == .paymentRequired)
        #expect(asked.head.headers.first(name: "date") == "Sun, 22 Nov 2026 00:00:00 GMT")
        let header = try #require(asked.head.headers.first(name: "payment-required"))
        let challenge = try Challenge.read(ChallengeSource(header: Array(header.utf8), body: nil))
        let payer = try Payer()
        let draft = try payer.draft(for: try #require(challenge.requirements.first), at: FixedClock().now())
        try await client.send(.POST, path, [("PAYMENT-SIGNATURE", try payer.header(draft))], body: body)
    }

    @Test("challenge, payment and stream share a connection, and each event is flushed on its own")
    func paidStream() async throws {
        try await Self.withSimulator(tokenDelay: .milliseconds(5)) { simulator, client in
            try await Self.buy(client, Shop.body("prove it", stream: true), path: "/v1/chat/completions?x=1")
            let paid = try #require(await client.answer())
            #expect(paid.head.status == .ok)
            #expect(paid.head.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true)
            #expect(paid.head.headers.first(name: "payment-response") != nil)
            #expect(paid.body.suffix(14) == Array("data: [DONE]\n\n".utf8))
            #expect(paid.pieces.count > 5)
            #expect(simulator.settlements.map(\.amount) == [UInt256(60_000)])
            #expect(simulator.balance(of: try Payer().address) == UInt256(999_940_000))
        }
    }

    @Test("a body of a megabyte is taken whole")
    func largeBody() async throws {
        try await Self.withSimulator { simulator, client in
            try await Self.buy(client, Shop.body(String(repeating: "a", count: 1 << 20), model: "simulator/light"))
            let paid = try #require(await client.answer())
            #expect(paid.head.status == .ok)
            #expect(try JSONReader.read(paid.body)["usage"]?["prompt_tokens"]?.integer == 1 << 18)
            #expect(simulator.settlements.count == 1)
        }
    }

    @Test("a body over the limit is refused and the connection closed")
    func tooLarge() async throws {
        try await Self.withSimulator(maximumBodyBytes: 1000) { _, client in
            try await client.send(.POST, "/v1/chat/completions", body: [UInt8](repeating: 0x20, count: 1001))
            let answer = try #require(await client.answer())
            #expect(answer.head.status == .payloadTooLarge)
            #expect(answer.head.headers.first(name: "connection") == "close")
            #expect(await client.part() == nil)
        }
    }

    @Test("a client that asks first is told to go on, and the connection stays usable")
    func expectContinue() async throws {
        try await Self.withSimulator { _, client in
            try await client.send(.GET, "/free", [("Expect", "100-continue")])
            #expect(await client.answer()?.head.status == .ok)
            try await client.send(.GET, "/healthz")
            #expect(await client.answer()?.head.status == .ok)
        }
    }

    @Test("a head over the limit is never answered with what was asked")
    func oversizedHead() async throws {
        try await Self.withSimulator { _, client in
            try await client.send(.GET, "/free", [("X-Filler", String(repeating: "a", count: 70 * 1024))])
            let answer = await client.answer()
            #expect(answer.map { $0.head.status.code / 100 == 4 } ?? true)
            #expect(await client.part() == nil)
        }
    }

    @Test("requests in a row without waiting are answered in order")
    func pipelining() async throws {
        try await Self.withSimulator { _, client in
            for path in ["/free", "/nowhere", "/healthz"] { try await client.send(.GET, path) }
            for status in [HTTPResponseStatus.ok, .notFound, .ok] {
                #expect(await client.answer()?.head.status == status)
            }
        }
    }

    @Test("stopping closes a connection in the middle of a stream")
    func stop() async throws {
        try await Self.withSimulator(tokenDelay: .seconds(3600)) { simulator, client in
            try await Self.buy(client, Shop.body(stream: true))
            guard case .head = await client.part(), case .body = await client.part() else {
                Issue.record("the stream did not begin")
                return
            }
            await simulator.stop()
            #expect(await client.part() == nil)
        }
    }
}
