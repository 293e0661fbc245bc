import Ledger
import NIOCore
import Proxy
import Synchronization
import Testing

@Suite("What a gateway's entry allows: connections at once, a body's length, an exchange's time", .mayBlock)
struct GatewayLimitTests {
    private func options(_ limits: Gateway.Limits, connect: TimeAmount = .seconds(5)) -> Lab.Options {
        var options = Lab.Options()
        options.limits = limits
        options.gateway.connect = connect
        options.loops = 2
        return options
    }

    /// Answers each request once the gate is open.
    private func held(by gate: Gate) throws -> ScriptedUpstream {
        try .serving { request in
            gate.waitBlocking()
            return Respond.with(200, body: request.startLine)
        }
    }

    // MARK: Connections at once

    @Test("more requests than connections wait for their turn, on all loops together, and are served in order")
    func turns() async throws {
        let order = Mutex<[String]>([])
        let gate = Gate()
        let upstream = try ScriptedUpstream.serving { request in
            order.withLock { $0.append(request.startLine) }
            gate.waitBlocking()
            return Respond.with(200, body: request.startLine)
        }
        try await Lab.run(options(.init(connections: 1)), upstream) { lab async throws in
            let wires = try (0..<5).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("GET", "/lab/\(number)"))
                // One after the other, so that there is an order.
                Threads.pause(milliseconds: 40)
                return wire
            }
            #expect(order.withLock { $0.count } == 1)
            gate.open()
            for (number, wire) in wires.enumerated() {
                #expect(try wire.readResponse().text == "GET /\(number) HTTP/1.1")
            }
            #expect(order.withLock { $0 } == (0..<5).map { "GET /\($0) HTTP/1.1" })
        }
    }

    @Test("no more connections are in use than allowed")
    func most() async throws {
        let gate = Gate()
        let upstream = try held(by: gate)
        try await Lab.run(options(.init(connections: 3)), upstream) { lab async throws in
            let wires = try (0..<8).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("GET", "/lab/\(number)"))
                return wire
            }
            #expect(eventually { upstream.connections.count == 3 })
            Threads.pause(milliseconds: 100)
            #expect(upstream.connections.count == 3)
            gate.open()
            for wire in wires { #expect(try wire.readResponse().status == 200) }
        }
    }

    @Test("whoever waits longer than for a connection is told that the gateway is busy, and nothing is sent")
    func busy() async throws {
        let gate = Gate()
        let upstream = try held(by: gate)
        try await Lab.run(
            options(.init(connections: 1), connect: .milliseconds(300)), upstream
        ) { lab async throws in
            let first = try lab.connect()
            try first.send(lab.head("GET", "/lab/first"))
            #expect(eventually { upstream.connections.count == 1 })
            let answer = try lab.exchange("POST", "/lab/second", body: "x")
            #expect(answer.status == 503 && answer.text.contains("\"code\":\"gateway-busy\""))
            #expect(answer["retry-after"] == ["1"] && answer.text.contains("\"retryable\":true"))
            #expect(upstream.connections.count == 1 && !upstream.texts[0].contains("second"))
            gate.open()
            #expect(try first.readResponse().status == 200)
            #expect(try lab.exchange("GET", "/lab/third").status == 200)
        }
    }

    @Test("a paid request keeps its place from the challenge to the answer")
    func paid() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "sold"))
        try await Lab.run(options(.init(connections: 1)), upstream) { lab async throws in
            let wires = try (0..<4).map { number in
                let wire = try lab.connect()
                try wire.send(lab.head("POST", "/lab/\(number)", length: 1) + "x")
                return wire
            }
            for wire in wires { #expect(try wire.readResponse().text == "sold") }
            #expect(try await lab.payments().map(\.state) == [.settled, .settled, .settled, .settled])
            let seen = try upstream.received.flatMap { try Requests($0).all }
            // On one connection at a time the repetition follows its challenge.
            #expect(seen.count == 8)
        }
    }

    @Test(
        "a place is free again however the exchange ended", arguments: ["leaves", "leaves waiting", "fails", "tunnel"])
    func freed(way: String) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                switch request.startLine {
                case "GET /fails HTTP/1.1": return wire.reset()
                case "GET /tunnel HTTP/1.1":
                    try wire.send("HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
                    _ = try wire.readToEnd()
                    return
                case "GET /leaves HTTP/1.1": _ = try wire.readToEnd()
                default: try wire.send(Respond.with(200))
                }
            }
        }
        try await Lab.run(
            options(.init(connections: 1), connect: .milliseconds(400)), upstream
        ) { lab async throws in
            let wire = try lab.connect()
            let name = way == "leaves waiting" ? "leaves" : way
            try wire.send(lab.head("GET", "/lab/\(name)", ["connection: upgrade", "upgrade: websocket"]))
            #expect(eventually { upstream.connections.count == 1 })
            switch way {
            case "fails": #expect(try wire.readResponse().status == 502)
            case "tunnel":
                _ = try wire.readHead()
                // A tunnel is a connection in use.
                #expect(try lab.exchange("GET", "/lab/x").status == 503)
            case "leaves waiting":
                let other = try lab.connect()
                try other.send(lab.head("GET", "/lab/other"))
                Threads.pause(milliseconds: 50)
                other.close()
            default: break
            }
            wire.close()
            #expect(try lab.exchange("GET", "/lab/after").status == 200)
            #expect(!upstream.texts.contains { $0.contains("/other") })
        }
    }

    // MARK: A body's length

    @Test("a body that says that it is too long is refused before anything is sent, 100 Continue included")
    func stated() async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200) }
        try await Lab.run(options(.init(requestBody: 1000)), upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["expect: 100-continue"], length: 1001))
            let head = Message(head: try #require(try wire.readHead()))
            #expect(head.status == 413 && head["connection"] == ["close"])
            #expect(upstream.connections.isEmpty)
            let body = String(repeating: "x", count: 1000)
            #expect(try lab.exchange("POST", "/lab/x", body: body).status == 200)
        }
    }

    @Test(
        "a body without a length is cut off where it becomes too long, and nothing is paid", arguments: [true, false])
    func chunked(isChallengedEarly: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readHead()
            if isChallengedEarly { try wire.send(Seller.unpaid) }
            _ = try? wire.readToEnd()
        }
        try await Lab.run(options(.init(requestBody: 20_000)), upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["transfer-encoding: chunked"]))
            let chunk = "1000\r\n" + String(repeating: "x", count: 0x1000) + "\r\n"
            for _ in 0..<4 { try wire.send(chunk) }
            #expect(eventually { upstream.connections.count == 1 })
            if isChallengedEarly { Threads.pause(milliseconds: 100) }
            try wire.send(chunk + "0\r\n\r\n")
            let answer = try wire.readResponse()
            #expect(answer.status == 413 && answer.text.contains("\"code\":\"request-too-large\""))
            #expect(answer["connection"] == ["close"] && answer["x-should-retry"] == ["false"])
            #expect(try await lab.payments().isEmpty)
            #expect(upstream.texts.allSatisfy { !$0.contains("0\r\n\r\n") && !$0.contains("payment-signature") })
        }
    }

    // MARK: The whole time

    @Test("an exchange that takes too long in all is broken off, however lively it is")
    func lively() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in 0..<100 {
                try wire.send("1\r\nx\r\n")
                Threads.pause(milliseconds: 50)
            }
            try wire.send("0\r\n\r\n")
        }
        var options = options(.none)
        options.gateway.total = .milliseconds(600)
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(throws: WireError.closed(reset: false)) { try wire.readResponse() }
        }
    }

    @Test("without an answer it is told so, and a payment that went out is in doubt", arguments: [true, false])
    func unanswered(isPaid: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if isPaid, !Seller.isPaid(request) { try wire.send(Seller.unpaid) }
            }
        }
        var options = options(.none)
        options.gateway.total = .milliseconds(500)
        try await Lab.run(options, upstream) { lab async throws in
            let answer = try lab.exchange("POST", "/lab/x", body: "x")
            #expect(answer.status == 504 && answer.text.contains("\"code\":\"exchange-timeout\""))
            #expect(try await lab.payments().map(\.state) == (isPaid ? [.inDoubt] : []))
        }
    }
}
