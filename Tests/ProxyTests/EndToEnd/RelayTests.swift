import NIOCore
import Proxy
import Testing

@Suite("Relaying what costs nothing", .mayBlock)
struct RelayTests {
    @Test("a GET goes through and back, with the gateway's Host and without the token")
    func get() async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200, ["x-seen: yes"], body: "hello") }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/v1/models?limit=2", ["accept: */*"])
            #expect(response.status == 200)
            #expect(response.text == "hello")
            #expect(response["x-seen"] == ["yes"])
            let request = upstream.texts[0]
            #expect(request.hasPrefix("GET /v1/models?limit=2 HTTP/1.1\r\nhost: 127.0.0.1:\(upstream.port)\r\n"))
            #expect(request.contains("accept: */*\r\n"))
            #expect(!request.contains("psr_") && !request.lowercased().contains("authorization"))
        }
    }

    @Test("every answer says what the proxy took of its time, the gateway's not counted", arguments: [false, true])
    func overhead(isPaid: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                Threads.pause(milliseconds: 300)
                try wire.send(
                    !isPaid || Seller.isPaid(request) ? Respond.with(200, ["purser-overhead-us: 1"]) : Seller.unpaid)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let values = try lab.exchange("GET", "/lab/x")["purser-overhead-us"]
            let value = try #require(values.first.flatMap { Int($0) })
            #expect(values.count == 1 && value > 0 && value < 250_000)
        }
    }

    @Test("a POST body arrives byte for byte", arguments: [false, true])
    func post(chunked: Bool) async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: "\($0.content.count)") }
        try await Lab.run(upstream) { lab async throws in
            let body = String(repeating: "0123456789abcdef", count: 4096)
            let wire = try lab.connect()
            if chunked {
                let half = String(body.count / 2, radix: 16)
                let end = body.index(body.startIndex, offsetBy: body.count / 2)
                try wire.send(lab.head("POST", "/lab/x", ["transfer-encoding: chunked"]))
                try wire.send(
                    "\(half);note=1\r\n\(body[..<end])\r\n\(half)\r\n\(body[end...])\r\n0\r\nx-sum: 1\r\n\r\n")
            } else {
                try wire.send(lab.head("POST", "/lab/x", length: body.utf8.count) + body)
            }
            #expect(try wire.readResponse().text == "\(body.utf8.count)")
            #expect(upstream.texts[0].contains("x-sum: 1") == chunked)
        }
    }

    @Test("both connections are kept for later requests")
    func keepAlive() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for number in 0..<5 {
                try wire.send(lab.head("GET", "/lab/\(number)"))
                #expect(try wire.readResponse().text == "GET /\(number) HTTP/1.1")
            }
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("pipelined requests are answered in order, bodies included")
    func pipeline() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine + $0.text) }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(
                lab.head("GET", "/lab/1") + lab.head("POST", "/lab/2", length: 4) + "body" + lab.head("GET", "/lab/3"))
            #expect(try wire.readResponse().text == "GET /1 HTTP/1.1")
            #expect(try wire.readResponse().text == "POST /2 HTTP/1.1body")
            #expect(try wire.readResponse().text == "GET /3 HTTP/1.1")
        }
    }

    @Test("a small request leaves in one piece on a kept connection")
    func onePiece() async throws {
        let pieces = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Respond.with(200))
            while !(try wire.receive(64 << 10)).isEmpty {
                pieces.add(1)
                try wire.send(Respond.with(200))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for _ in 0..<2 {
                try wire.send(lab.head("POST", "/lab/x", length: 4) + "body")
                #expect(try wire.readResponse().status == 200)
            }
            #expect(pieces.value == 1)
        }
    }

    @Test("answers without a body end with their head", arguments: [("HEAD", 200), ("GET", 204), ("GET", 304)])
    func bodiless(method: String, status: Int) async throws {
        let upstream = try ScriptedUpstream.serving { _ in
            "HTTP/1.1 \(status) Whatever\r\n" + (status == 204 ? "" : "content-length: 5\r\n") + "\r\n"
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for _ in 0..<2 {
                try wire.send(lab.head(method, "/lab/x"))
                #expect(try wire.readResponse(to: method).status == status)
            }
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("a body that ends with its connection ends the agent's connection")
    func untilClose() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\r\nall of it")
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.text == "all of it")
            #expect(response["connection"] == ["close"])
        }
    }

    @Test("an HTTP/1.0 agent gets a plain body and a closed connection")
    func http10() async throws {
        let upstream = try ScriptedUpstream.serving { _ in
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nt: 1\r\n\r\n"
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send("GET /lab/x HTTP/1.0\r\nx-api-key: \(Lab.token)\r\n\r\n")
            let response = try wire.readResponse()
            #expect(response["transfer-encoding"].isEmpty)
            #expect(response.text == "abcdefg")
        }
    }

    @Test("the first event reaches the agent before the gateway sends the second")
    func events() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            try wire.send("9\r\ndata: 1\n\n\r\n")
            // The second event is sent when the agent has said that it saw the first.
            _ = try wire.readRequest()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readHead()?.contains("text/event-stream") == true)
            #expect(try wire.read(14) == Array("9\r\ndata: 1\n\n\r\n".utf8))
        }
    }

    @Test("what is for one hop stays on it, and interim responses are none of it")
    func hopByHop() async throws {
        let upstream = try ScriptedUpstream.serving { _ in
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
                + Respond.with(
                    200,
                    [
                        "connection: keep-alive, x-hop", "x-hop: 1", "keep-alive: timeout=5", "purser-paid: 9",
                        "purser-via: 1", "x-end: 1",
                    ])
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange(
                "GET", "/lab/x",
                [
                    "connection: x-mine, content-length", "x-mine: 1", "te: trailers", "upgrade: h2c", "purser-note: 1",
                    "proxy-authorization: Basic eA==", "x-end: 1",
                ])
            #expect(response["x-end"] == ["1"])
            #expect(response["x-hop"].isEmpty && response["purser-paid"].isEmpty && response["keep-alive"].isEmpty)
            #expect(response["purser-via"].isEmpty)
            let request = upstream.texts[0]
            #expect(request.contains("x-end: 1"))
            for name in ["x-mine", "te:", "upgrade", "purser-note", "proxy-", "connection"] {
                #expect(!request.contains(name), "\(name)")
            }
        }
    }

    @Test("Connection cannot take the framing off a message")
    func connectionNamesContentLength() async throws {
        let upstream = try ScriptedUpstream.serving {
            Respond.with(200, ["connection: content-length"], body: $0.text)
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", ["connection: content-length"], body: "GET /evil")
            #expect(response["content-length"] == ["9"])
            #expect(response.text == "GET /evil")
        }
    }

    @Test("Expect is answered here, and not for HTTP/1.0")
    func expectContinue() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.text) }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["expect: 100-continue"], length: 4))
            #expect(try wire.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
            try wire.send("body")
            #expect(try wire.readResponse().text == "body")
            #expect(!upstream.texts[0].contains("expect"))
            let old = try lab.connect()
            try old.send(
                "POST /lab/x HTTP/1.0\r\nx-api-key: \(Lab.token)\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nx")
            #expect(try old.readHead()?.hasPrefix("HTTP/1.1 200") == true)
        }
    }

    @Test("64 MiB stream through a slow reader in bounded memory")
    func backPressure() async throws {
        let total = 64 << 20
        let sent = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            wire.setTimeout(seconds: 60)
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 0x61, count: 1 << 20)
            for _ in 0..<total >> 20 {
                try wire.send(piece)
                sent.add(piece.count)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect(receiveBuffer: 64 << 10)
            wire.stopLogging()
            wire.setTimeout(seconds: 60)
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readHead()?.contains("content-length: \(total)") == true)
            Threads.pause(milliseconds: 700)
            // What the kernel's buffers hold on loopback, and little more.
            #expect(sent.value < 16 << 20)
            var left = total
            while left > 0 {
                let piece = try wire.receive(1 << 20)
                guard !piece.isEmpty else { break }
                left -= piece.count
            }
            #expect(left == 0)
        }
    }

    @Test("a large last answer reaches a slow reader whole")
    func slowReaderOfLastAnswer() async throws {
        var options = Lab.Options()
        options.proxy.linger = .milliseconds(100)
        let total = 768 << 10
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: \(total)\r\n\r\n")
            try wire.send([UInt8](repeating: 0x61, count: total))
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect(receiveBuffer: 4 << 10)
            try wire.send(lab.head("GET", "/lab/x", ["connection: close"]))
            _ = try wire.readHead()
            Threads.pause(milliseconds: 1000)
            let count = try wire.readToEnd().count
            #expect(count == total)
        }
    }
}
