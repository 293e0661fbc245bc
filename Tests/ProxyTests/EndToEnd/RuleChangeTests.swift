import Proxy
import TestSupport
import Testing
import Transport

@Suite("Other rules while connections are open", .mayBlock)
struct RuleChangeTests {
    private static func upstream(_ name: String) throws -> ScriptedUpstream {
        try ScriptedUpstream.serving { _ in Respond.with(200, body: name) }
    }

    @Test("the next request of an open connection goes by the new rules")
    func next() async throws {
        let second = try Self.upstream("second")
        try await Lab.run(try Self.upstream("first")) { lab async throws in
            let wire = try lab.connect()
            func ask() throws -> Message {
                try wire.send(lab.head("GET", "/lab/x"))
                return try wire.readResponse()
            }
            #expect(try ask().text == "first")
            try await lab.replace(gatewayAt: nil)
            #expect(try ask().text.contains("unknown-gateway"))
            try await lab.replace(gatewayAt: second.port)
            #expect(try ask().text == "second")
        }
        second.stop()
    }

    @Test("an exchange that is under way comes to its end, and its connection lives on")
    func underWay() async throws {
        let (begun, rest) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf")
            begun.open()
            rest.waitBlocking()
            try wire.send("rest")
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(await begun.opened())
            _ = try wire.readHead()
            try await lab.replace(gatewayAt: nil)
            rest.open()
            #expect(try wire.read(8) == Array("halfrest".utf8))
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readResponse().status == 404)
        }
    }

    @Test("a tunnel ends when its host is no longer listed, and the next one is refused")
    func tunnels() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while case let bytes = try wire.receive(64), !bytes.isEmpty { try wire.send(bytes) }
        }
        var options = Lab.Options()
        options.forward = loopbackRules()
        try await Lab.run(options, upstream) { lab async throws in
            let target = "127.0.0.1:\(upstream.port)"
            let ask =
                "CONNECT \(target) HTTP/1.1\r\nhost: \(target)\r\n\(ForwardTests.basic("scout", Lab.token))\r\n\r\n"
            let wire = try lab.connect()
            try wire.send(ask)
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 200 ") == true)
            try wire.send("one")
            #expect(try wire.read(3) == Array("one".utf8))
            try await lab.replace(gatewayAt: nil)
            #expect(try await lab.review() == 1)
            #expect(wire.isClosedByPeer())
            #expect(try lab.raw(ask).response.text.contains("forward-not-allowed"))
        }
    }

    @Test("an address that is refused now is not reached over a connection from before either")
    func addresses() async throws {
        var options = Lab.Options()
        options.forward = loopbackRules()
        options.upstreamHost = "localhost"
        try await Lab.run(options, try Self.upstream("origin")) { lab async throws in
            let wire = try lab.connect()
            func ask() throws -> Message {
                try wire.send(
                    "GET http://127.0.0.1:\(lab.upstream.port)/ HTTP/1.1\r\nhost: x\r\n"
                        + "\(ForwardTests.basic("scout", Lab.token))\r\n\r\n")
                return try wire.readResponse()
            }
            #expect(try ask().text == "origin")
            try await lab.replace(gatewayAt: nil, forward: loopbackRules(addresses: []))
            #expect(try ask().text.contains("address-refused"))
            #expect(lab.upstream.connections.count == 1)
        }
    }

    @Test("a peer that is taken off the list is nobody from its next request on")
    func peers() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        var options = Lab.Options()
        options.places = [.socket(path: path, mode: 0o600)]
        options.peers = ListenerTests.mine
        try await Lab.run(options, try Self.upstream("first")) { lab async throws in
            let wire = try Wire.connect(path: path)
            try wire.send("GET /lab/x HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try wire.readResponse().status == 200)
            try await lab.replace(gatewayAt: lab.upstream.port)
            try wire.send("GET /lab/x HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try wire.readResponse().text.contains("peer-not-mapped"))
        }
    }
}
