import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing
import Transport

extension Lab {
    /// Another agent's token.
    static let otherToken = AgentToken.make(random: .numbered(9))

    /// Puts another agent with its own token into the books.
    func addOther() async throws {
        try await ledger.add(
            Agent(
                name: "other", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(Lab.otherToken.utf8)),
                addedAt: .vectors),
            limits: Options().caps, by: "tester")
    }

    /// A request with a token, on a connection of its own.
    func ask(_ path: String, as token: String = Lab.token) throws -> Message {
        let wire = try connect()
        try wire.send(Self.request(path, token, port))
        let answer = try wire.readResponse()
        wire.close()
        return answer
    }

    static func request(_ path: String, _ token: String, _ port: Int) -> String {
        "GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nauthorization: Bearer \(token)\r\n\r\n"
    }
}

@Suite("Upstream connections of HTTP/1.1 belong to one agent", .mayBlock)
struct OwnConnectionTests {
    /// The request lines that each connection received.
    private func lines(_ upstream: ScriptedUpstream) throws -> [[String]] {
        try upstream.received.map { try Requests($0).all.map(\.startLine) }
    }

    @Test("each agent's requests go on connections of its own, and are kept on them")
    func separate() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(upstream) { lab async throws in
            try await lab.addOther()
            for number in 0..<3 {
                #expect(try lab.ask("/lab/a\(number)").status == 200)
                #expect(try lab.ask("/lab/b\(number)", as: Lab.otherToken).status == 200)
            }
            let expected = ["a", "b"].map { name in (0..<3).map { "GET /\(name)\($0) HTTP/1.1" } }
            #expect(try lines(upstream) == expected)
        }
    }

    @Test("what an agent leaves on a connection is not the answer to another agent's request, and is not paid")
    func poisoned() async throws {
        let attacker = "0x00000000000000000000000000000000000000AA"
        let entry = Seller.entry().replacing(Seller.payee, with: attacker)
        // Reads a request differently than we do: after it, it answers whatever comes on the same connection with a challenge
        // of the attacker's.
        let upstream = try ScriptedUpstream { wire, _ in
            var isPoisoned = false
            while let request = try wire.readRequest() {
                if isPoisoned {
                    try wire.send(Respond.with(402, [Seller.challenge(entry)], body: "{}"))
                } else if request.startLine.contains("/poison") {
                    isPoisoned = true
                    try wire.send(Respond.with(200))
                } else if request["payment-signature"].isEmpty {
                    try wire.send(Seller.unpaid)
                } else {
                    try wire.send(Respond.with(200, [Seller.report()], body: "bought"))
                }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            try await lab.addOther()
            #expect(try lab.ask("/lab/poison", as: Lab.otherToken).status == 200)
            #expect(try lab.ask("/lab/x").text == "bought")
            let payment = try await lab.payment()
            #expect(payment.terms?.payTo.lowercased() == Seller.payee.lowercased())
        }
    }

    @Test("an agent with another token does not get what was left over under the old one")
    func replacedToken() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.ask("/lab/old").status == 200)
            try await lab.ledger.replaceToken(
                of: "scout", hash: SHA256.hash(Array(Lab.otherToken.utf8)), by: "tester", at: .vectors)
            #expect(try lab.ask("/lab/new", as: Lab.otherToken).status == 200)
            #expect(try lines(upstream) == [["GET /old HTTP/1.1"], ["GET /new HTTP/1.1"]])
        }
    }

    @Test("bytes that arrive on an idle connection end it, and answer nothing")
    func strayBytes() async throws {
        let mayStray = Gate()
        let upstream = try ScriptedUpstream { wire, number in
            guard let request = try wire.readRequest() else { return }
            try wire.send(Respond.with(200, body: request.startLine))
            if number == 0 {
                mayStray.waitBlocking()
                try wire.send(Respond.with(200, body: "stray"))
            }
            while let request = try wire.readRequest() { try wire.send(Respond.with(200, body: request.startLine)) }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.ask("/lab/one").text == "GET /one HTTP/1.1")
            mayStray.open()
            #expect(upstream.connections[0].isClosedByPeer())
            #expect(try lab.ask("/lab/two").text == "GET /two HTTP/1.1")
            #expect(upstream.connections.count == 2)
        }
    }

    /// Answers each request once as many are there as are waited for.
    private static func holding(_ gate: Gate) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if request.startLine.contains("/held") { gate.waitBlocking() }
                try wire.send(Respond.with(200, body: request.startLine))
            }
        }
    }

    /// Sends requests at the same time, each on a connection of its own, and reads their answers after `gate` is open.
    private func burst(_ count: Int, as token: String, in lab: Lab, upstream: ScriptedUpstream, gate: Gate) throws {
        let before = upstream.connections.count
        let wires = try (0..<count).map { number in
            let wire = try lab.connect()
            try wire.send(Lab.request("/lab/held\(number)", token, lab.port))
            return wire
        }
        #expect(eventually { upstream.connections.count == before + count })
        gate.open()
        for wire in wires { #expect(try wire.readResponse().status == 200) }
    }

    private func openCount(_ upstream: ScriptedUpstream) -> Int {
        upstream.connections.count { !$0.hasEnded }
    }

    @Test("idle connections to a gateway are bounded on all loops together", arguments: [1, 2])
    func bounded(loops: Int) async throws {
        let gate = Gate()
        let upstream = try Self.holding(gate)
        var options = Lab.Options()
        options.loops = loops
        options.limits = Gateway.Limits(idleConnections: 3)
        try await Lab.run(options, upstream) { lab async throws in
            try burst(8, as: Lab.token, in: lab, upstream: upstream, gate: gate)
            #expect(eventually { openCount(upstream) == 3 })
            Threads.pause(milliseconds: 300)
            #expect(openCount(upstream) == 3)
        }
    }

    @Test("an agent that opens many loses its own oldest, and other agents none")
    func fair() async throws {
        let gate = Gate()
        let upstream = try Self.holding(gate)
        var options = Lab.Options()
        options.limits = Gateway.Limits(idleConnections: 3)
        try await Lab.run(options, upstream) { lab async throws in
            try await lab.addOther()
            #expect(try lab.ask("/lab/first").status == 200)
            try burst(6, as: Lab.otherToken, in: lab, upstream: upstream, gate: gate)
            #expect(eventually { openCount(upstream) == 3 })
            // The oldest of all is still there, since it is its agent's only one.
            #expect(try lab.ask("/lab/second").status == 200)
            #expect(try lines(upstream)[0] == ["GET /first HTTP/1.1", "GET /second HTTP/1.1"])
        }
    }

    @Test("a gateway that takes few connections is not held more idle ones")
    func fewConnections() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        var options = Lab.Options()
        options.limits = Gateway.Limits(connections: 1)
        try await Lab.run(options, upstream) { lab async throws in
            try await lab.addOther()
            #expect(try lab.ask("/lab/x").status == 200)
            #expect(try lab.ask("/lab/x", as: Lab.otherToken).status == 200)
            #expect(eventually { openCount(upstream) == 1 })
        }
    }

    @Test("a gateway may keep no connection at all")
    func none() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        var options = Lab.Options()
        options.limits = Gateway.Limits(idleConnections: 0)
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.ask("/lab/x").status == 200) }
            #expect(upstream.connections.count == 3)
        }
    }

    @Test("under new rules an agent does not get the connection to a host that the old ones allowed")
    func otherRules() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        var options = Lab.Options()
        options.upstreamHost = "localhost"
        options.forward = loopbackRules()
        try await Lab.run(options, upstream) { lab async throws in
            let held = try lab.connect()
            let request = ForwardTests.absolute("http://127.0.0.1:\(upstream.port)/x")
            try held.send(request)
            #expect(try held.readResponse().status == 200)
            try await lab.replace { $0.forward = loopbackRules(addresses: []) }
            try held.send(request)
            let refused = try held.readResponse()
            #expect(refused.status == 403 && refused.text.contains("\"address-refused\""))
            #expect(try lines(upstream).joined().count == 1)
        }
    }
}
