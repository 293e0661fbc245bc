import NIOCore
import Proxy
import Testing

@Suite("Gateways that fail", .mayBlock)
struct UpstreamFailureTests {
    static let garbage = [
        "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "a", count: 140_000) + "\r\n\r\n", "HTTP/1.1 99 No\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", "HTTP/1.1 200 OK\r\nbad field\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\nx: y\n\n", "HTTP/1.1 200 O", "",
    ]

    @Test("an answer that is no answer is a 502 that says that no money was signed", arguments: garbage)
    func bad(answer: String) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(answer)
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502)
            #expect(response.text.contains("No payment was signed"))
            #expect(response["x-should-retry"].isEmpty)
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("a refused connection is a 502 that says that no money was signed")
    func refused() async throws {
        let upstream = try Seller.serving("")
        upstream.stop()
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for _ in 0..<2 {
                try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
                let response = try wire.readResponse()
                #expect(response.status == 502 && response.text.contains("No payment was signed"))
                #expect(response["connection"].isEmpty)
            }
        }
    }

    @Test("no answer in time is a 504")
    func silence() async throws {
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(300)
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == 504 && response.text.contains("No payment was signed"))
        }
    }

    @Test("a body that stops is broken off after the idle time")
    func stalledBody() async throws {
        var options = Lab.Options()
        options.gateway.idle = .milliseconds(300)
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            _ = try wire.readToEnd()
        }
        try await Lab.run(options, upstream) { lab async throws in
            #expect(throws: WireError.closed(reset: false)) { try lab.exchange("GET", "/lab/x") }
        }
    }

    @Test(
        "a truncated body never looks whole to the agent",
        arguments: [
            ("content-length: 10\r\n\r\nhalf", false), ("transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", false),
            ("transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", true), ("content-length: 10\r\n\r\nhalf", true),
            ("transfer-encoding: chunked\r\n\r\n4\r\nhalfX", true),
        ])
    func truncated(rest: String, isOld: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\(rest)")
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(
                isOld ? "GET /lab/x HTTP/1.0\r\nx-api-key: \(Lab.token)\r\n\r\n" : lab.head("GET", "/lab/x"))
            #expect(throws: WireError.self) { try wire.readResponse() }
        }
    }

    @Test("a reset is not the end of a body that ends with its connection")
    func resetUntilClose() async throws {
        let seen = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\r\nhalf")
            seen.waitBlocking()
            wire.reset()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            _ = try wire.readHead()
            #expect(try wire.read(4) == Array("half".utf8))
            seen.open()
            #expect(throws: WireError.closed(reset: true)) { try wire.readToEnd() }
        }
    }

    @Test("a kept connection that the gateway has closed costs a GET nothing")
    func keepAliveRace() async throws {
        let upstream = try ScriptedUpstream { wire, number in
            guard try wire.readRequest() != nil else { return }
            try wire.send(Respond.with(200, body: "\(number)"))
            if number == 0 { _ = try wire.readHead() }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "0")
            // The gateway closes upon the second request instead of answering it.
            #expect(try lab.exchange("GET", "/lab/x").text == "1")
            #expect(try Requests(upstream.received[0]).all.count == 2)
        }
    }

    @Test(
        "a kept connection that the gateway has closed costs an idempotent request with a body nothing",
        arguments: ["PUT", "DELETE", "GET"], [false, true])
    func keepAliveRaceWithBody(method: String, isLong: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, number in
            guard let request = try wire.readRequest() else { return }
            try wire.send(Respond.with(200, body: "\(number)\(request.content.count)"))
            if number == 0 { _ = try wire.readRequest() }
        }
        var options = Lab.Options()
        // The long body goes through a file.
        options.replay.memory = 1000
        let length = isLong ? 5000 : 5
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "00")
            let body = String(repeating: "b", count: length)
            #expect(try lab.exchange(method, "/lab/x", body: body).text == "1\(length)")
            #expect(upstream.connections.count == 2)
            #expect(try lab.exchange(method, "/lab/x", body: body).text == "2\(length)")
        }
    }

    @Test(
        "a kept connection that the gateway has closed costs a request with an Idempotency-Key nothing",
        arguments: ["POST", "PATCH"])
    func keepAliveRaceWithKey(method: String) async throws {
        let upstream = try ScriptedUpstream { wire, number in
            guard let request = try wire.readRequest() else { return }
            try wire.send(Respond.with(200, body: "\(number)\(request.text)"))
            if number == 0 { _ = try wire.readRequest() }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "0")
            #expect(try lab.exchange(method, "/lab/x", ["idempotency-key: k"], body: "body").text == "1body")
            let requests = try upstream.received.flatMap { try Requests($0).all }.filter { !$0.raw.isEmpty }
            // The gateway can tell, too.
            #expect(requests.map { $0["idempotency-key"] } == [["k"], ["k"]])
        }
    }

    @Test("a request that fails on a new connection, or twice, is not repeated")
    func repeatedOnce() async throws {
        let upstream = try ScriptedUpstream { wire, number in
            _ = try wire.readRequest()
            if number == 0 {
                try wire.send(Respond.with(200))
                _ = try wire.readRequest()
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
            #expect(try lab.exchange("PUT", "/lab/x", body: "q").status == 502)
            #expect(upstream.connections.count == 2)
            #expect(try lab.exchange("PUT", "/lab/x", body: "q").status == 502)
            #expect(upstream.connections.count == 3)
        }
    }

    @Test("a kept connection that the gateway has closed is an error for a POST that may not be repeated")
    func keepAliveRaceOfPost() async throws {
        let upstream = try ScriptedUpstream { wire, number in
            guard try wire.readRequest() != nil else { return }
            try wire.send(Respond.with(200, body: "\(number)"))
            if number == 0 { _ = try wire.readRequest() }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "0")
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response.text.contains("No payment was signed"))
        }
    }

    @Test("bytes that nobody asked for end a kept connection")
    func unsolicited() async throws {
        let upstream = try ScriptedUpstream { wire, number in
            _ = try wire.readRequest()
            try wire.send(Respond.with(200, body: "\(number)"))
            if number == 0 {
                Threads.pause(milliseconds: 100)
                try wire.send(Respond.with(200, body: "poison"))
            }
            _ = try wire.readRequest()
            try wire.send(Respond.with(200, body: "again"))
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "0")
            Threads.pause(milliseconds: 300)
            #expect(try lab.exchange("GET", "/lab/x").text == "1")
        }
    }

    @Test("for an agent that leaves, the gateway is left")
    func agentLeaves() async throws {
        let gone = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
            _ = try? wire.readToEnd()
            gone.open()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            _ = try wire.readHead()
            wire.close()
            #expect(await gone.opened())
        }
    }
}
