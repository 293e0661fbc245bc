import Ledger
import NIOCore
import NIOHPACK
import NIOHTTP2
import Proxy
import TestSupport
import Testing

@Suite("Messages over HTTP/2", .mayBlock)
struct HTTP2MessageTests {
    @Test("a request arrives as HTTP/2 has it: pseudo-fields, lower case, nothing of the connection")
    func request() async throws {
        var options = Lab.Options()
        options.key = (.authorization, "secret-key")
        try await HTTP2Lab.run(options, script: { _ in .answer(200) }) { lab, upstream async throws in
            let fields = [
                "X-Thing: One", "x-thing: two", "te: trailers", "connection: keep-alive, x-hop", "x-hop: gone",
                "keep-alive: timeout=5",
            ]
            #expect(try lab.exchange("POST", "/lab/a?b=c", fields, body: "body").status == 200)
            let request = try #require(upstream.requests.first)
            let pseudo = request.headers.prefix { $0.name.hasPrefix(":") }.map { "\($0.name) \($0.value)" }
            #expect(
                pseudo == [":method POST", ":scheme https", ":authority localhost:\(upstream.port)", ":path /a?b=c"])
            #expect(request["x-thing"] == ["One", "two"] && request["content-length"] == ["4"])
            #expect(request["authorization"] == ["Bearer secret-key"])
            for name in ["connection", "keep-alive", "x-hop", "host", "transfer-encoding", "upgrade"] {
                #expect(request[name].isEmpty)
            }
            #expect(request.body == Array("body".utf8))
        }
    }

    @Test("3 MiB go up, with a length or in chunks, and come back")
    func bodies() async throws {
        let script: HTTP2Upstream.Script = { [.head(200), .data($0.body, end: true)] }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let body = BodyTests.body(3 << 20)
            for isChunked in [false, true] {
                let wire = try lab.connect()
                wire.stopLogging()
                if isChunked {
                    try wire.send(lab.head("PUT", "/lab/x", ["transfer-encoding: chunked"]))
                    for start in stride(from: 0, to: body.count, by: 700_001) {
                        let piece = body[start..<min(start + 700_001, body.count)]
                        try wire.send(Array("\(String(piece.count, radix: 16));x=y\r\n".utf8) + piece + [13, 10])
                    }
                    try wire.send("0\r\nx-sum: 7\r\n\r\n")
                } else {
                    try wire.send(lab.head("PUT", "/lab/x", length: body.count))
                    try wire.send(body)
                }
                let isWhole = try wire.readResponse().content == body
                #expect(isWhole)
            }
            let requests = upstream.requests
            let areWhole = requests.allSatisfy { $0.body == body }
            #expect(areWhole && requests.count == 2)
            #expect(requests.map { $0.trailers?["x-sum"] } == [nil, ["7"]])
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("an answer that comes before the body is whole ends its stream, and a payment repeats all of it")
    func early() async throws {
        let script: HTTP2Upstream.Script = { $0.isPaid ? .answer(200, body: "\($0.body.count)") : .unpaid }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wire = try lab.connect()
            let body = [UInt8](repeating: 0x62, count: 3 << 20)
            try wire.send(lab.head("POST", "/lab/x", ["early: yes"], length: body.count))
            try wire.send(Array(body.prefix(1 << 20)))
            #expect(eventually { upstream.resets == [.cancel] })
            try wire.send(Array(body.dropFirst(1 << 20)))
            // The script is asked by the head of the repetition, too.
            #expect(try wire.readResponse().status == 200)
            #expect(try await lab.payment().state == .presumed)
            #expect(upstream.connectionCount == 1 && upstream.requests.count == 2)
        }
    }

    @Test("interim responses, trailers, HEAD and answers without a body pass")
    func shapes() async throws {
        let script: HTTP2Upstream.Script = { request in
            switch request[":path"].first {
            case "/hints": [.head(103, [("link", "</a>")])] + .answer(200, body: "final")
            case "/trailers":
                [.head(200), .data("content"), .trailers([("x-sum", "7"), ("payment-response", "later")])]
            case "/announced":
                [
                    .head(200, [("content-length", "7"), ("trailer", "x-sum")]), .data("content"),
                    .trailers([("x-sum", "7")]),
                ]
            case "/unchanged": [.head(304, [("etag", "a"), ("content-length", "5")], end: true)]
            case "/nothing": [.head(204, end: true)]
            default: [.head(200, [("content-length", "12345")], end: true)]
            }
        }
        try await HTTP2Lab.run(script: script) { lab, _ async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/hints"))
            #expect(try wire.readHead() == "HTTP/1.1 103 \r\nlink: </a>\r\n\r\n")
            #expect(try wire.readResponse().text == "final")
            for path in ["trailers", "announced"] {
                let answer = try lab.exchange("GET", "/lab/\(path)")
                #expect(answer.text == "content" && answer["content-length"].isEmpty)
                #expect(String(decoding: answer.raw, as: UTF8.self).contains("0\r\nx-sum: 7\r\n"))
            }
            #expect(try lab.exchange("HEAD", "/lab/x")["content-length"] == ["12345"])
            #expect(try lab.exchange("GET", "/lab/unchanged")["etag"] == ["a"])
            #expect(try lab.exchange("GET", "/lab/nothing").status == 204)
        }
    }

    @Test("the first event of a paid stream is not held")
    func events() async throws {
        let more = Gate()
        let script: HTTP2Upstream.Script = { request in
            guard request.isPaid else { return .unpaid }
            return [
                .head(200, [("content-type", "text/event-stream")]), .data("data: 1\n\n"), .hold(more),
                .data("data: 2\n\n", end: true),
            ]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/events"))
            #expect(try wire.readHead()?.contains("purser-outcome: presumed") == true)
            #expect(try wire.read(14) == Array("9\r\ndata: 1\n\n\r\n".utf8))
            more.open()
            #expect(try wire.readToChunkedEnd() == "data: 2\n\n")
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("64 MiB over HTTP/2 pass through a slow reader in bounded memory, and others pass meanwhile")
    func slowReader() async throws {
        let total = 64 << 20
        let sent = Progress()
        let script: HTTP2Upstream.Script = { request in
            guard request[":path"] == ["/large"] else { return .answer(200, body: "quick") }
            return [
                .head(200, [("content-length", "\(total)")]), .flow(pieces: total >> 14, sent: sent),
                .data("", end: true),
            ]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wire = try lab.connect(receiveBuffer: 64 << 10)
            wire.stopLogging()
            wire.setTimeout(seconds: 60)
            try wire.send(lab.head("GET", "/lab/large"))
            _ = try wire.readHead()
            Threads.pause(milliseconds: 300)
            #expect(sent.value < 8 << 20)
            #expect(try lab.exchange("GET", "/lab/x").text == "quick")
            var left = total
            while left > 0 {
                let piece = try wire.receive(1 << 20)
                guard !piece.isEmpty else { break }
                left -= piece.count
            }
            #expect(left == 0 && upstream.connectionCount == 1)
        }
    }
}
