import Ledger
import Payments
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing
import Transport

@Suite("What agents share, from outside", .mayBlock)
struct ShareTests {
    /// Adds another agent; returns the head of its requests.
    private func addAgent(to lab: Lab) async throws -> (String, String, Int?) -> String {
        let token = AgentToken.make(random: .numbered(8))
        try await lab.ledger.add(
            Agent(
                name: "other", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(token.utf8)), addedAt: .vectors),
            limits: [
                CapLimit(.request, .cents(1_000)), CapLimit(.day, .cents(5_000)), CapLimit(.lifetime, .cents(10_000)),
                CapLimit(.hour, .payments, UInt256(1_000)),
            ], by: "tester")
        return { method, path, length in
            "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nauthorization: Bearer \(token)\r\n"
                + (length.map { "content-length: \($0)\r\n" } ?? "") + "\r\n"
        }
    }

    @Test(
        "an upload that stalls is ended when another agent lacks its share and says so, and one with a payment is not")
    func takenBack() async throws {
        var options = Lab.Options()
        options.limits = .init(connections: 4)
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) {
                    // A seller that takes the payment and says nothing.
                    _ = try wire.readToEnd()
                    return
                }
                let isSold = request.startLine.contains("paid")
                try wire.send(isSold ? Seller.unpaid : Respond.with(200, body: "served"))
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            // Three of four are lent to the only agent. The first of them has a payment.
            let paid = try lab.connect()
            try paid.send(lab.head("POST", "/lab/paid", length: 1) + "x")
            #expect(try await lab.wait(for: .reserved))
            let stalled = try (0..<2).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("POST", "/lab/stalled/\(number)", length: 2) + "x")
                Threads.pause(milliseconds: 30)
                return wire
            }
            Threads.pause(milliseconds: 200)
            let before = upstream.connections.count
            let held = try lab.connect()
            try held.send(head("POST", "/lab/held", 2) + "x")
            #expect(eventually { upstream.connections.count == before + 1 })
            let second = try lab.connect()
            try second.send(head("GET", "/lab/second", nil))
            #expect(try second.readResponse().text == "served")
            let ended = try stalled[0].readResponse()
            #expect(ended.status == 503 && ended.text.contains("\"code\":\"share-taken-back\""))
            #expect(ended["retry-after"] == ["1"] && ended["connection"] == ["close"])
            // The others are within the share.
            for wire in [stalled[1], held] {
                try wire.send("y")
                #expect(try wire.readResponse().text == "served")
            }
            paid.setTimeout(seconds: 1)
            #expect(!paid.isClosedByPeer())
            #expect(try await lab.states() == [.reserved])
        }
    }

    @Test(
        "a request that its server may be acting on is ended without a word to repeat it, whatever payment it carries")
    func mayBeUnderWay() async throws {
        var options = Lab.Options()
        options.limits = .init(connections: 12)
        // A server that takes requests and says nothing.
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options, upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            // Nine of twelve are lent to the only agent, whose share among two is six.
            let requests = [
                lab.head("POST", "/lab/own", ["payment-signature: e30="], length: 1) + "x",
                lab.head("POST", "/lab/whole", length: 1) + "x", lab.head("GET", "/lab/whole"),
            ]
            let wires = try (requests + Array(repeating: lab.head("GET", "/lab/x"), count: 6)).map { request in
                let wire = try lab.connect()
                try wire.send(request)
                Threads.pause(milliseconds: 30)
                return wire
            }
            let others = try (0..<6).map { _ in
                let wire = try lab.connect()
                try wire.send(head("GET", "/lab/other", nil))
                return wire
            }
            for (wire, isRepeatable) in zip(wires, [false, false, true]) {
                let ended = try wire.readResponse()
                #expect(ended.status == 503 && ended.text.contains("\"code\":\"share-taken-back\""))
                #expect(ended.text.contains("\"retryable\":\(isRepeatable)"))
                #expect(ended["retry-after"] == (isRepeatable ? ["1"] : []))
                #expect(ended["x-should-retry"] == (isRepeatable ? [] : ["false"]))
            }
            withExtendedLifetime(others) {}
        }
    }

    @Test("calls of a prepaid gateway keep what they hold, and another agent is told that there is no room")
    func prepaid() async throws {
        var options = Lab.Options()
        // Five for agents, of which four are lent, and one for those that have not shown a token.
        options.connections = ConnectionLimits(total: 6, perAgent: 8)
        options.billing = .prepaid
        options.caps = [CapLimit(.hour, .payments, UInt256(100))]
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options, upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            let wires = try (0..<4).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("POST", "/lab/\(number)", length: 1) + "x")
                #expect(eventually { upstream.connections.count == number + 1 })
                return wire
            }
            // Longer than what is borrowed may be kept without progress.
            Threads.pause(milliseconds: 10_500)
            let first = try lab.connect()
            try first.send(head("GET", "/lab/other", nil))
            #expect(eventually { upstream.connections.count == 5 })
            let second = try lab.connect()
            try second.send(head("GET", "/lab/other", nil))
            #expect(try second.readResponse().status == 503)
            for wire in wires {
                wire.setTimeout(seconds: 1)
                #expect(!wire.isClosedByPeer())
            }
        }
    }

    @Test("the first requests of many new connections, with bodies and without, are served in turns")
    func firstRequests() async throws {
        let upstream = try ScriptedUpstream.serving { request in Respond.with(200, body: "\(request.content.count)") }
        try await Lab.run(upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            let other = try lab.connect()
            try other.send(head("GET", "/lab/other", nil))
            #expect(try other.readResponse().status == 200)
            let body = String(repeating: "1\r\nx\r\n", count: 1_000) + "0\r\n\r\n"
            let wires = try (0..<60).map { _ in try lab.connect() }
            for (number, wire) in wires.enumerated() {
                let hasBody = number % 2 == 0
                let first = lab.head(
                    "POST", "/lab/\(number)", hasBody ? ["transfer-encoding: chunked"] : [], length: hasBody ? nil : 0)
                try wire.send(first + (hasBody ? body : "") + lab.head("GET", "/lab/next"))
            }
            for (number, wire) in wires.enumerated() {
                #expect(try wire.readResponse().text == (number % 2 == 0 ? "1000" : "0"))
                #expect(try wire.readResponse().text == "0")
            }
        }
    }

    @Test(
        "a request that only waits to be paid is ended when another agent lacks its share, and one that is paid is not")
    func waitingToBePaid() async throws {
        var options = Lab.Options()
        options.limits = .init(connections: 12)
        // A seller that takes payments and says nothing.
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) || request.startLine.contains("other") { continue }
                try wire.send(Seller.unpaid)
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            // Four are paid and five wait for their outcomes: three more than the share among two.
            let wires = try (0..<9).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("POST", "/lab/\(number)", length: 1) + "x")
                Threads.pause(milliseconds: 50)
                return wire
            }
            #expect(try await lab.wait(for: .reserved, count: 4))
            let others = try (0..<6).map { _ in
                let wire = try lab.connect()
                try wire.send(head("GET", "/lab/other", nil))
                return wire
            }
            for wire in wires[4..<7] {
                let ended = try wire.readResponse()
                #expect(ended.status == 503 && ended.text.contains("\"code\":\"share-taken-back\""))
                #expect(ended.text.contains("\"retryable\":true"))
            }
            #expect(try await lab.wait(for: .reserved, count: 4))
            withExtendedLifetime((wires, others)) {}
        }
    }

    @Test(
        "however many uploads of one agent stall, another agent's body is kept and paid for", arguments: [true, false])
    func stalledUploads(inMemory: Bool) async throws {
        var options = Lab.Options()
        options.replay.memory = inMemory ? 1 << 20 : 1_000
        options.replay.spoolTotal = 8 << 20
        options.replay.freeDisk = 0
        options.replayMemory = 8 << 20
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "sold"))
        try await Lab.run(options, upstream) { lab async throws in
            let head = try await addAgent(to: lab)
            let body = [UInt8](repeating: 0x78, count: 1 << 19)
            let stalled = try (0..<24).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("POST", "/lab/stalled/\(number)", length: body.count + 1))
                try wire.send(body)
                return wire
            }
            let wire = try lab.connect()
            try wire.send(head("POST", "/lab/x", body.count))
            try wire.send(body)
            let answer = try wire.readResponse()
            #expect(answer.status == 200 && answer.text == "sold")
            withExtendedLifetime(stalled) {}
        }
    }
}
