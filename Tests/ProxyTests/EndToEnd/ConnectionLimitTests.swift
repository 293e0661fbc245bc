import Ledger
import Payments
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing

@Suite("How many connections agents may have", .mayBlock)
struct ConnectionLimitTests {
    private func run(
        total: Int, perAgent: Int, _ body: (Lab) async throws -> Void
    ) async throws {
        var options = Lab.Options()
        options.connections = ConnectionLimits(total: total, perAgent: perAgent)
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200, body: "served") }, body)
    }

    /// A connection on which the agent has been served once.
    private func served(by lab: Lab) throws -> Wire {
        let wire = try lab.connect()
        try ask(lab, on: wire)
        return wire
    }

    private func ask(_ lab: Lab, on wire: Wire) throws {
        try wire.send(lab.head("GET", "/lab/x"))
        #expect(try wire.readResponse().text == "served")
    }

    @Test("connections without a token make room for agents, the oldest first, and those of agents stay")
    func strangers() async throws {
        // Four of sixteen are for connections without a token, and twelve for agents.
        try await run(total: 16, perAgent: 16) { lab async throws in
            let agent = try served(by: lab)
            var silent = try (0..<4).map { _ in
                let wire = try lab.connect()
                Threads.pause(milliseconds: 10)
                return wire
            }
            // One of them talks, without a token.
            try silent[1].send("GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\n\r\n")
            #expect(try silent[1].readResponse().status == 401)
            let second = try served(by: lab)
            #expect(silent[0].isClosedByPeer())
            silent.append(try lab.connect())
            let third = try served(by: lab)
            #expect(silent[1].isClosedByPeer())
            silent.removeFirst(2)
            for _ in 0..<20 { silent.append(try lab.connect()) }
            for wire in [agent, second, third] { try ask(lab, on: wire) }
            try ask(lab, on: try lab.connect())
        }
    }

    @Test("an agent alone leaves the last quarter to the next agent, and is told so")
    func full() async throws {
        try await run(total: 16, perAgent: 16) { lab async throws in
            var wires = try (0..<9).map { _ in try served(by: lab) }
            var others: [Wire] = []
            let late = try lab.connect()
            try late.send(lab.head("GET", "/lab/x"))
            let answer = try late.readResponse()
            #expect(answer.status == 503 && answer.text.contains("\"code\":\"too-many-connections\""))
            #expect(answer["retry-after"] == ["1"] && answer["connection"] == ["close"])
            #expect(late.isClosedByPeer())
            let token = AgentToken.make(random: .numbered(8))
            try await lab.ledger.add(
                Agent(
                    name: "other", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(token.utf8)),
                    addedAt: .vectors), limits: [], by: "tester")
            for _ in 0..<3 {
                let other = try lab.connect()
                try other.send(
                    "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nauthorization: Bearer \(token)\r\n\r\n")
                #expect(try other.readResponse().text == "served")
                others.append(other)
            }
            for wire in wires { try ask(lab, on: wire) }
            wires.removeLast().close()
            for other in others { other.close() }
            #expect(try eventually { try lab.exchange("GET", "/lab/x").status == 200 })
        }
    }

    @Test("an agent has only so many, on all loops together, and another agent has its own")
    func perAgent() async throws {
        var options = Lab.Options()
        options.connections = ConnectionLimits(total: 100, perAgent: 2)
        options.loops = 2
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200, body: "served") }
        try await Lab.run(options, upstream) { lab async throws in
            let token = AgentToken.make(random: .numbered(8))
            try await lab.ledger.add(
                Agent(
                    name: "other", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(token.utf8)),
                    addedAt: .vectors), limits: [], by: "tester")
            let first = try served(by: lab)
            let second = try served(by: lab)
            let third = try lab.connect()
            try third.send(lab.head("GET", "/lab/x"))
            let answer = try third.readResponse()
            #expect(answer.status == 503 && answer.text.contains("scout has 2 connections"))
            #expect(third.isClosedByPeer())
            let other = try lab.connect()
            let head = "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nauthorization: Bearer \(token)\r\n\r\n"
            try other.send(head)
            #expect(try other.readResponse().text == "served")
            // The first one changes hands, and leaves room for one more.
            try first.send(head)
            #expect(try first.readResponse().text == "served")
            let fourth = try served(by: lab)
            withExtendedLifetime([second, fourth]) {}
        }
    }
}
