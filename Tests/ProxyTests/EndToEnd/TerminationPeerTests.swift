import NIOCore
import Proxy
import TestSupport
import Testing

@Suite("The forward proxy: peers that misbehave where TLS ends", .mayBlock)
struct TerminationPeerTests {
    private func run(
        _ upstream: ScriptedUpstream, cutsOff: Bool = false, _ change: (inout Lab.Options) -> Void = { _ in },
        _ body: (Lab, TerminationPlace, _ port: Int) async throws -> Void
    ) async throws {
        let place = try TerminationPlace(hosts: ["localhost"])
        let front = try await SecureUpstream(folder: place.folder, target: upstream.port, cutsOff: cutsOff)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = front.port
        options.trustFile = place.folder.path("ca.pem")
        options.termination = try place.termination(["localhost:*"])
        change(&options)
        try await Lab.run(options, upstream) { lab async throws in try await body(lab, place, front.port) }
        try await front.stop()
    }

    /// An open tunnel in which nothing has been said.
    private func tunnel(_ lab: Lab, _ port: Int) throws -> Wire {
        let wire = try lab.connect()
        try wire.send(
            "CONNECT localhost:\(port) HTTP/1.1\r\nhost: localhost:\(port)\r\n"
                + ForwardTests.basic("scout", Lab.token) + "\r\n\r\n")
        #expect(try wire.readHead() == "HTTP/1.1 200 Connection Established\r\n\r\n")
        return wire
    }

    enum Ending: String, CaseIterable {
        case orderly
        case withoutGoodbye
        case stalled
    }

    @Test("a body that ends with its connection looks whole to a program only if it is", arguments: Ending.allCases)
    func untilClose(ending: Ending) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\r\nhalf")
            if ending == .stalled { _ = try wire.readToEnd() }
        }
        try await run(
            upstream, cutsOff: ending == .withoutGoodbye, { $0.gateway.idle = .milliseconds(400) }
        ) { lab, place, port async throws in
            let text = "GET /x HTTP/1.1\r\nhost: localhost:\(port)\r\n\r\n"
            let (answer, end) = try place.askPython(text, of: "localhost", port: port, through: lab)
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("half"), "\(answer)")
            #expect(end == (ending == .orderly ? "whole" : "broken"))
        }
    }

    @Test("a program that never shakes hands, or only begins to, is let go", arguments: [[], [22, 3, 1, 2]])
    func stalledHandshake(hello: [UInt8]) async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await run(upstream, { $0.proxy.handshake = .milliseconds(300) }) { lab, _, port async throws in
            let wire = try tunnel(lab, port)
            if !hello.isEmpty { try wire.send(hello) }
            #expect(wire.isClosedByPeer())
            #expect(upstream.connections.isEmpty)
        }
    }

    @Test("what is not TLS inside is refused, whatever it asks for")
    func plainInside() async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await run(upstream) { lab, _, port async throws in
            let wire = try tunnel(lab, port)
            try wire.send("GET /x HTTP/1.1\r\nhost: localhost:\(port)\r\n\r\n")
            let answer = String(decoding: (try? wire.readToEnd()) ?? [], as: UTF8.self)
            #expect(!answer.contains("HTTP"), "\(answer)")
            #expect(upstream.connections.isEmpty)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a server that stops lets go of a program that has not shaken hands")
    func stopping() async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await run(upstream) { lab, _, port async throws in
            let wire = try tunnel(lab, port)
            await lab.stop(patience: .milliseconds(100))
            #expect(wire.isClosedByPeer())
        }
    }
}
