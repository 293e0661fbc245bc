import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing

@Suite("Who and what is let in", .mayBlock)
struct AdmissionTests {
    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
    }

    @Test(
        "a foreign Host is turned away", arguments: ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""])
    func rebinding(host: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let (wire, response) = try lab.raw(
                "GET /lab/x HTTP/1.1\r\nhost: \(host)\r\nx-api-key: \(Lab.token)\r\n\r\n")
            #expect(response.status == 421)
            #expect(wire.isClosedByPeer())
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("one Host that names this proxy is let in", arguments: ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
    func ownHosts(host: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let text = "GET /lab/x HTTP/1.1\r\nHOST: \(host):\(lab.port)\r\nx-api-key: \(Lab.token)\r\n\r\n"
            #expect(try lab.raw(text).response.status == 200)
        }
    }

    @Test("no Host or two are a 400")
    func hostCount() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let token = "x-api-key: \(Lab.token)\r\n"
            #expect(try lab.raw("GET /lab/x HTTP/1.1\r\n\(token)\r\n").response.status == 400)
            let host = "host: 127.0.0.1:\(lab.port)\r\n"
            #expect(try lab.raw("GET /lab/x HTTP/1.1\r\n\(host)\(host)\(token)\r\n").response.status == 400)
        }
    }

    @Test(
        "a token in a target is refused, and written nowhere",
        arguments: ["/lab/x?key=TOKEN", "/lab/x?key=psr%5FREST", "/TOKEN/x", "http://127.0.0.1:1/?key=TOKEN"])
    func tokenInTarget(target: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let token = Lab.token
            let text = target.replacing("TOKEN", with: token).replacing("REST", with: token.dropFirst(4))
            let response = try lab.raw(
                "GET \(text) HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nx-api-key: \(token)\r\n\r\n"
            ).response
            #expect(response.status == 400 && response.text.contains("token-in-target"))
            #expect(!response.text.contains(token.dropFirst(4)))
            #expect(lab.upstream.connections.isEmpty)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a refusal of a HEAD has no body, a 405 says what is served, and all refusals have a date")
    func refusedHeads() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let token = "x-api-key: \(Lab.token)\r\n"
            for fields in ["host: evil.example\r\n\(token)", "host : x\r\n", "content_length: 5\r\n"] {
                let wire = try lab.connect()
                try wire.send("HEAD /lab/x HTTP/1.1\r\n\(fields)\r\n")
                let text = String(decoding: try wire.readToEnd(), as: UTF8.self)
                #expect(
                    text.hasPrefix("HTTP/1.1 4") && text.contains("\r\ndate: ") && text.hasSuffix("\r\n\r\n"), "\(text)"
                )
            }
            let trace = try lab.raw("TRACE /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\n\(token)\r\n").response
            #expect(trace.status == 405 && trace["allow"] == ["GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"])
        }
    }

    @Test("OPTIONS counts the proxies that it may pass")
    func maxForwards() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("OPTIONS", "/lab/x", ["max-forwards: 0"]))
            let last = try wire.readResponse()
            #expect(last.status == 200 && last["allow"].count == 1)
            #expect(lab.upstream.connections.isEmpty)
            try wire.send(lab.head("OPTIONS", "/lab/x", ["max-forwards: 10"]))
            #expect(try wire.readResponse().status == 200)
            try wire.send(lab.head("GET", "/lab/x", ["max-forwards: 0"]))
            #expect(try wire.readResponse().status == 200)
            #expect(lab.upstream.texts.joined().contains("max-forwards: 9\r\n"))
            for bad in ["max-forwards: x", "max-forwards: 1\r\nmax-forwards: 1", "max-forwards: -1", "max-forwards:"] {
                #expect(try lab.raw(lab.head("OPTIONS", "/lab/x", [bad])).response.status == 400)
            }
        }
    }

    @Test("a token is taken from each of its fields, and exactly one must be there")
    func tokens() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            func status(_ fields: [String]) throws -> (Int, String) {
                let text = (["GET /lab/x HTTP/1.1", "host: 127.0.0.1:\(lab.port)"] + fields).joined(separator: "\r\n")
                let response = try lab.raw(text + "\r\n\r\n").response
                return (response.status, response.text)
            }
            let token = Lab.token
            #expect(try status(["Authorization: Bearer \(token)"]).0 == 200)
            #expect(try status(["authorization: bearer  \(token)"]).0 == 200)
            #expect(try status(["X-Api-Key: \(token)"]).0 == 200)
            #expect(try status(["Purser-Token: \(token)", "authorization: Bearer own"]).0 == 200)
            #expect(try status(["Proxy-Authorization: Bearer \(token)", "x-api-key: own"]).0 == 200)
            #expect(try status(["Api-Key: \(token)"]).0 == 200)
            #expect(try status(["x-goog-api-key: \(token)"]).0 == 200)
            #expect(try status(["x-api-key: \(token)", "authorization: Bearer \(token)"]).0 == 200)
            #expect(try status(["x-api-key: \(token)", "x-api-key: \(token)"]).0 == 200)
            #expect(try status(["x-api-key: \(token)", "cookie: a=b; t=\(token)"]).0 == 200)
            let other = AgentToken.make(random: .numbered(99))
            let two = try status(["x-api-key: \(token)", "authorization: Token \(other)"])
            #expect(two.0 == 400 && two.1.contains("two-tokens") && two.1.contains("authorization"))
            #expect(try status([]).0 == 401)
            #expect(try status(["authorization: Bearer sk-other"]).0 == 401)
            #expect(try status(["x-api-key: \(AgentToken.make(random: .numbered(99)))"]).1.contains("unknown-token"))
            #expect(try status(["x-api-key: \(token.dropLast())A"]).1.contains("mistyped-token"))
            for text in lab.upstream.texts { #expect(!text.contains("psr_")) }
            let own = lab.upstream.texts.joined()
            #expect(own.contains("authorization: Bearer own") && own.contains("x-api-key: own"))
        }
    }

    @Test("a token that was replaced is dead from the next request of the same connection")
    func revoked() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readResponse().status == 200)
            let other = AgentToken.make(random: .numbered(8))
            try await lab.ledger.replaceToken(
                of: "scout", hash: SHA256.hash(Array(other.utf8)), by: "op", at: .vectors)
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readResponse().status == 401)
            try wire.send("POST /lab/y HTTP/1.1\r\nhost: localhost:\(lab.port)\r\nx-api-key: \(other)\r\n")
            try wire.send("content-length: 2\r\n\r\nhi")
            #expect(try wire.readResponse().text == "POST /y HTTP/1.1")
        }
    }

    @Test("a lowered cap holds from the next request")
    func loweredCap() async throws {
        try await Lab.run(try Seller.serving(Respond.with(200, [Seller.report()]))) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
            try await lab.ledger.setCap(CapLimit(.lifetime, .cents(1)), of: "scout")
            #expect(try lab.exchange("GET", "/lab/x").status == 402)
        }
    }

    @Test("an unknown gateway is a 404 that names those that exist")
    func unknownGateway() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let response = try lab.exchange("GET", "/nowhere/x")
            #expect(response.status == 404 && response.text.contains("/lab/"))
            #expect(try lab.exchange("GET", "/").status == 404)
        }
    }

    @Test(
        "a path that leaves its place is refused",
        arguments: [
            "/lab/../x", "/lab/./x", "/lab/%2e%2e/x", "/lab/%2E./x", "/lab/a%2f..%2fb", "/lab/..%2fx",
            "/lab/%252e%252e/x",
            "/lab/a\\b", "/lab/%5cx", "/lab/..;/x", "/lab/a/..", "/lab/%00",
        ])
    func unsafePath(path: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            #expect(try lab.exchange("GET", path).status == 400)
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test(
        "dots and escapes that stay in place pass as written", arguments: ["/a.b/...", "/a%2Fb", "/x?y=../z", "/%20"])
    func harmlessPath(path: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            #expect(try lab.exchange("GET", "/lab" + path).text == "GET \(path) HTTP/1.1")
        }
    }

    @Test(
        "what is no path is refused",
        arguments: [
            "GET http://127.0.0.1:1/lab/x", "CONNECT 127.0.0.1:443", "CONNECT /lab/x", "OPTIONS *", "GET lab/x",
            "TRACE /lab/x",
        ])
    func otherForms(start: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let text = "\(start) HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nx-api-key: \(Lab.token)\r\n\r\n"
            #expect((400..<500).contains(try lab.raw(text).response.status))
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test(
        "who takes this for a forward proxy hears that, whatever Host says",
        arguments: [
            ("GET http://example.com/", 407, "no-token"), ("CONNECT a.example:443", 407, "no-token"),
            ("GET ftp://example.com/", 400, "target-not-a-path"), ("CONNECT a.example", 400, "target-not-an-authority"),
        ])
    func forwardProxy(start: String, status: Int, code: String) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let response = try lab.raw("\(start) HTTP/1.1\r\nhost: example.com\r\n\r\n").response
            #expect(response.status == status && response.text.contains(code))
        }
    }

    @Test("an empty line before a request is skipped, however it is cut", arguments: [true, false])
    func emptyLine(isWhole: Bool) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let wire = try lab.connect()
            let request = lab.head("GET", "/lab/x")
            for _ in 0..<2 {
                for piece in isWhole ? ["\r\n" + request] : ["\r", "\n", request] {
                    try wire.send(piece)
                    Threads.pause(milliseconds: 50)
                }
                #expect(try wire.readResponse().status == 200)
            }
        }
    }

    @Test("two empty lines before a request are none, however they are cut", arguments: [true, false])
    func emptyLines(isWhole: Bool) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let wire = try lab.connect()
            for piece in isWhole ? ["\r\n\r\n"] : ["\r", "\n", "\r", "\n"] {
                try wire.send(piece)
                Threads.pause(milliseconds: 50)
            }
            #expect(try wire.readResponse().status == 400)
        }
    }

    @Test("a default gateway is reached by its prefix, and its base path is put in front")
    func defaultGateway() async throws {
        var options = Lab.Options()
        options.basePath = "/openai"
        options.paths = ["/v1/"]
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            #expect(try lab.exchange("GET", "/v1/models").text == "GET /openai/v1/models HTTP/1.1")
            #expect(try lab.exchange("GET", "/lab/v1/models").text == "GET /openai/v1/models HTTP/1.1")
            #expect(try lab.exchange("GET", "/v2/models").status == 404)
        }
    }

    @Test("redirects stay under the gateway's name or are refused")
    func redirects() async throws {
        var options = Lab.Options()
        options.basePath = "/api"
        options.redirectHosts = ["friend.example"]
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                let port = request["host"][0].split(separator: ":")[1]
                let target = request["x-to"][0].replacing("PORT", with: port)
                try wire.send(Respond.with(307, ["location: \(target)"]))
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            func location(_ target: String) throws -> [String] {
                let response = try lab.exchange("GET", "/lab/x", ["x-to: \(target)"])
                return response.status == 502 ? ["refused"] : response["location"]
            }
            #expect(try location("/api/y?z") == ["/lab/y?z"])
            #expect(try location("http://127.0.0.1:PORT/api/y") == ["/lab/y"])
            #expect(try location("y/z") == ["y/z"])
            #expect(try location("https://friend.example/a") == ["https://friend.example/a"])
            for target in ["/other", "/apix", "http://evil.example/api/y", "//evil.example", "http://127.0.0.1:1/api/"]
            {
                #expect(try location(target) == ["refused"], "\(target)")
            }
        }
    }

    static let malformed: [(String, Int)] = [
        ("GET /lab/x HTTP/1.1\nhost: h\n\n", 400), ("GET  /lab/x HTTP/1.1\r\n\r\n", 400), ("GET /lab/x\r\n\r\n", 400),
        ("GET /lab/x HTTP/2.0\r\n\r\n", 505), ("\u{16}\u{3}\u{1}hello\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ncontent-length : 5\r\n\r\nhello", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ncontent-length: +5\r\n\r\nhello", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ncontent-length: 5,5\r\n\r\nhello", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (
            "POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400
        ),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.0\r\nHEAD\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400),
        ("POST /lab/x HTTP/1.1\r\nHEAD\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        ("GET /lab/x HTTP/1.1\r\nHEAD\r\nx-a: b\r\n folded\r\n\r\n", 400),
        ("GET /lab/x HTTP/1.1\r\nHEAD\r\nx-a: b\rc\r\n\r\n", 400), ("GET /lab/x HTTP/1.1\r\nHEAD\r\n: b\r\n\r\n", 400),
        ("GET /lab/x HTTP/1.1\r\nHEAD\r\nx-a: \u{0}\r\n\r\n", 400),
        ("GET /lab/x HTTP/1.1\r\nHEAD\r\nx-a: " + String(repeating: "a", count: 70_000) + "\r\n\r\n", 431),
        ("GET /lab/x HTTP/1.1\r\nHEAD\r\n" + String(repeating: "a: b\r\n", count: 300) + "\r\n", 431),
    ]

    @Test("what two readers could take differently is refused and the connection ends", arguments: malformed)
    func smuggling(text: String, status: Int) async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            let head = "host: 127.0.0.1:\(lab.port)\r\nx-api-key: \(Lab.token)"
            let (wire, response) = try lab.raw(text.replacing("HEAD", with: head))
            #expect(response.status == status)
            #expect(response["connection"] == ["close"])
            #expect(wire.isClosedByPeer())
            #expect(!lab.upstream.texts.contains { $0.contains("hello") && !$0.contains("chunked") })
        }
    }

    @Test("a head or body that does not arrive in time is a 408", arguments: ["GET /lab/x HTT", "HEAD5\r\n\r\nhe"])
    func slow(text: String) async throws {
        var options = Lab.Options()
        options.proxy.read = .milliseconds(300)
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            let head =
                "POST /lab/x HTTP/1.1\r\nhost: localhost:\(lab.port)\r\nx-api-key: \(Lab.token)\r\ncontent-length: "
            let (wire, response) = try lab.raw(text.replacing("HEAD", with: head))
            #expect(response.status == 408 && response["connection"] == ["close"])
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a silent connection is closed without a word")
    func silent() async throws {
        var options = Lab.Options()
        options.proxy.read = .milliseconds(200)
        options.proxy.idle = .milliseconds(200)
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            #expect(try lab.connect().readToEnd().isEmpty)
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            _ = try wire.readResponse()
            #expect(try wire.readToEnd().isEmpty)
        }
    }

    @Test("a body that goes wrong while the answer is on its way breaks the connection, and nothing is put into it")
    func badChunkBehindAnswer() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readHead()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart")
            _ = try? wire.readToEnd()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["transfer-encoding: chunked"]) + "1\r\na\r\n")
            _ = try wire.readHead()
            #expect(try wire.read(4) == Array("part".utf8))
            try wire.send("wrong\r\n")
            let rest = (try? wire.readToEnd()) ?? []
            #expect(rest.isEmpty)
        }
    }
}
