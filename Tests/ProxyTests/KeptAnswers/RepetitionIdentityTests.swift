import Ledger
import NIOCore
import Payments
import Primitives
import SystemCrypto
import TestSupport
import Testing
import Transport

@testable import Proxy

@Suite("Which requests are the same to their last field")
struct RepetitionIdentityTests {
    private func identity(
        _ fields: [String], token: String? = "psr_x", gateway: Gateway = .sample(), agent: Timestamp = .vectors
    ) throws -> RepetitionIdentity {
        var lines = ["POST /lab/a HTTP/1.1", "Host: 127.0.0.1:4020"] + fields
        if let token { lines.append("Purser-Token: \(token)") }
        let head = try RequestHead(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
        let admitted = AdmittedRequest(
            head: head, route: try GatewayTable([gateway]).route("/lab/a"),
            caller: .token(AgentCredential(field: .purserToken, token: [], hash: .zero)),
            idempotencyKey: try IdempotencyKey.hash(in: head.fields))
        let scout = Agent(name: "scout", wallet: nil, team: nil, tokenHash: .zero, addedAt: agent)
        return RepetitionIdentity(admitted, of: AgentClaim(scout, tokenHash: nil, generation: 0))
    }

    private static let usual = [
        "Accept: application/json", "Content-Type: application/json", "Cookie: a=1", "Cookie: b=2",
    ]

    static let aside: [[String]] = [
        ["traceparent: 00-1-2-01"], ["TraceState: x=y"], ["baggage: a=b"], ["X-Request-Id: 7"], ["b3: 1"],
        ["X-B3-TraceId: 9"], ["x-datadog-parent-id: 5"], ["sentry-trace: 1"], ["X-Stainless-Retry-Count: 2"],
        ["x-retry-count: 1"], ["amz-sdk-request: attempt=2; max=3"], ["Connection: close"], ["Keep-Alive: timeout=5"],
        ["Connection: X-Hop", "X-Hop: this"], ["Content-Length: 3"], ["Transfer-Encoding: chunked"],
        ["Expect: 100-continue"], ["Purser-Price: learned"], ["TE: trailers"], ["Proxy-Connection: close"],
    ]

    @Test("connection, framing, tracing, retry-count and our own fields do not count", arguments: aside)
    func sameBeside(fields: [String]) throws {
        #expect(try identity(Self.usual) == identity(Self.usual + fields))
        #expect(try identity(Self.usual, token: "psr_new") == identity(fields + Self.usual))
    }

    @Test("the order of different fields and the case of their names do not count")
    func order() throws {
        #expect(try identity(["A: 1", "B: 2"]) == identity(["b: 2", "a: 1"]))
    }

    static let differing: [[String]] = [
        ["Authorization: Bearer mine"], ["Cookie: c=3"], ["Accept: text/event-stream"], ["Accept-Encoding: br"],
        ["Range: bytes=0-9"], ["X-Stainless-Lang: python"], ["User-Agent: other"], ["OpenAI-Beta: x"],
        ["If-None-Match: \"1\""], ["Accept-Language: de"], ["Idempotency-Key: k"], ["X-Api-Key: mine"],
        ["traceparent-like: 1"], ["X-Requested-With: x"],
    ]

    @Test("every other field counts", arguments: differing)
    func different(fields: [String]) throws {
        #expect(try identity(Self.usual) != identity(Self.usual + fields))
    }

    @Test("values, their number and the order of one field's values count")
    func values() throws {
        #expect(try identity(["Accept: a"]) != identity(["Accept: b"]))
        #expect(try identity(["Cookie: a", "Cookie: b"]) != identity(["Cookie: b", "Cookie: a"]))
        #expect(try identity(["A: 1", "B: 2"]) != identity(["A: 2", "B: 1"]))
        #expect(try identity(["A: 1", "A: 1"]) != identity(["A: 1"]))
    }

    @Test("what the gateway's own key takes the place of does not count, and its entry and the agent do")
    func entry() throws {
        let keyed = Gateway.sample(credential: try .sample(.authorization, "key"))
        #expect(
            try identity(["Authorization: Bearer a"], gateway: keyed)
                == identity(["Authorization: Bearer b"], gateway: keyed))
        #expect(try identity([], gateway: keyed) != identity([]))
        #expect(try identity([], agent: .vectors.adding(seconds: 1)) != identity([]))
    }
}
