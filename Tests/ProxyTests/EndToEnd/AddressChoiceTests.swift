import NIOCore
import Proxy
import TestSupport
import Testing
import Transport

@Suite("Whose choice an address is", .mayBlock)
struct AddressChoiceTests {
    /// Everybody may name the gateway's host, whose address is not public.
    private func options(addresses: [String] = [], host: String = "127.0.0.1") -> Lab.Options {
        var options = Lab.Options()
        options.basePath = "/api"
        options.forward = loopbackRules(hosts: ["\(host):*"], addresses: addresses)
        return options
    }

    private func isRefused(_ url: String, in lab: Lab) throws -> Bool {
        let answer = try lab.raw(ForwardTests.absolute(url)).response
        return answer.status == 403 && answer.text.contains("\"address-refused\"")
    }

    @Test("an agent's own host is not reached over a connection that was opened for the gateway at the same place")
    func kept() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(options(), upstream) { lab async throws in
            let page = "http://127.0.0.1:\(upstream.port)/private"
            #expect(try isRefused(page, in: lab))
            #expect(try lab.ask("/lab/x").text == "GET /api/x HTTP/1.1")
            #expect(try isRefused(page, in: lab))
            #expect(try Requests(upstream.received[0]).all.map(\.startLine) == ["GET /api/x HTTP/1.1"])
            // The connection is still there, for the gateway.
            #expect(try lab.ask("/lab/y").text == "GET /api/y HTTP/1.1")
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("nor over one of HTTP/2, which agents share")
    func shared() async throws {
        try await HTTP2Lab.run(options(host: "localhost"), script: { .answer(200, body: $0[":path"].joined()) }) {
            lab, upstream async throws in
            let page = "https://localhost:\(upstream.port)/private"
            #expect(try isRefused(page, in: lab))
            #expect(try lab.ask("/lab/x").text == "/api/x")
            #expect(try isRefused(page, in: lab))
            #expect(upstream.requests.count == 1)
            #expect(try lab.ask("/lab/y").text == "/api/y")
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("where an agent may dial the address, its connections are still apart from the gateway's")
    func admitted() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(options(addresses: ["127.0.0.0/8"]), upstream) { lab async throws in
            #expect(try lab.ask("/lab/x").status == 200)
            let page = ForwardTests.absolute("http://127.0.0.1:\(upstream.port)/page")
            for _ in 0..<2 { #expect(try lab.raw(page).response.text == "GET /page HTTP/1.1") }
            #expect(upstream.connections.count == 2)
        }
    }

    @Test("an agent's failures at a host do not let the gateway at the same place rest, nor the other way round")
    func breakers() async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200) }
        var options = options(addresses: ["127.0.0.0/8"])
        // Nobody listens there.
        options.upstreamPort = 1
        try await Lab.run(options, upstream) { lab async throws in
            try await lab.addOther()
            let page = "http://127.0.0.1:1/page"
            for _ in 0..<(CircuitBreaker.threshold + 1) { _ = try lab.raw(ForwardTests.absolute(page)) }
            #expect(try lab.raw(ForwardTests.absolute(page)).response.status == 503)
            #expect(try lab.ask("/lab/x").status == 502)
            #expect(try lab.raw(ForwardTests.absolute(page, as: Lab.otherToken)).response.status == 502)
            for _ in 0..<CircuitBreaker.threshold { _ = try lab.ask("/lab/x") }
            #expect(try lab.ask("/lab/x").status == 503)
            #expect(try lab.raw(ForwardTests.absolute(page, as: Lab.otherToken)).response.status == 502)
        }
    }
}
