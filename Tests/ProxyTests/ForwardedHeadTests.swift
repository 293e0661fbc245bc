import Ledger
import NIOCore
import Primitives
import TestSupport
import Testing
import Transport
import X402

@testable import Payments
@testable import Proxy

@Suite("Request heads for the gateway")
struct UpstreamRequestTests {
    private func lines(_ bytes: ByteBuffer) -> [String] {
        String(buffer: bytes).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func forward(
        _ head: RequestHead, gateway: Gateway = .sample(), paying payment: AuthorizedPayment? = nil
    ) throws -> (lines: [String], carriesPayment: Bool) {
        let caller = Caller.token(try AgentCredential.find(in: head.fields))
        let request = UpstreamRequest(
            head, route: try GatewayTable([gateway]).route(head.target), tokenField: caller.field,
            copies: caller.copies, allocator: ByteBufferAllocator())
        return (lines(request.bytes(adding: payment?.header)), request.carriesPayment)
    }

    @Test("the agent's own fields travel on as they are; what is for this hop, or ours, does not")
    func fields() throws {
        let head = try RequestHead.sample(
            "POST /lab/a?b HTTP/1.0", "X-Own:  v  w ", "Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5",
            "TE: trailers", "Trailer: x", "Upgrade: h2c", "Proxy-Connection: x", "Expect: 100-continue",
            "Purser-Trace: 1", "Purser-Token: other", "Content-Length: 5", "Accept: */*", token: token)
        #expect(
            try forward(head).lines == [
                "POST /a?b HTTP/1.1", "host: api.example.com", "X-Own:  v  w ", "content-length: 5", "Accept: */*",
                "accept-encoding: identity", "", "",
            ])
    }

    @Test("reject- a Connection field that would take the length, and with it the framing, away")
    func framingIsKept() throws {
        let head = try RequestHead.sample(
            "POST /lab/a HTTP/1.1", "Connection: Content-Length, Host, X-Api-Version", "Content-Length: 030",
            "X-Api-Version: 1", token: token)
        let lines = try forward(head).lines
        #expect(lines.contains("content-length: 30"))
        #expect(lines.contains("host: api.example.com"))
        #expect(!lines.contains("X-Api-Version: 1"))
    }

    @Test("a chunked request stays chunked, said once and by us")
    func chunked() throws {
        let head = try RequestHead.sample("POST /lab/a HTTP/1.1", "Transfer-Encoding: Chunked", token: token)
        #expect(
            try forward(head).lines.filter { $0.lowercased().contains("chunked") } == ["transfer-encoding: chunked"])
    }

    @Test("the gateway's own key takes the place of whatever stood in its field")
    func ownKey() throws {
        let bearer = try Gateway.sample(credential: .sample(.authorization, "gateway-key"))
        let byName = try RequestHead.sample(
            "GET /lab HTTP/1.1", "X-Api-Key: \(token)", "Authorization: Bearer agents-own", "Authorization: Basic x")
        #expect(
            try forward(byName, gateway: bearer).lines == [
                "GET / HTTP/1.1", "host: api.example.com", "accept-encoding: identity",
                "authorization: Bearer gateway-key", "", "",
            ])
        let key = try Gateway.sample(credential: .sample(.xAPIKey, "gateway-key"))
        let lines = try forward(.sample("GET /lab HTTP/1.1", "X-Api-Key: mine", token: token), gateway: key).lines
        #expect(
            lines == [
                "GET / HTTP/1.1", "host: api.example.com", "accept-encoding: identity", "x-api-key: gateway-key", "",
                "",
            ])
    }

    @Test("another field may name the agent, and then Authorization is the agent's own")
    func ownAuthorization() throws {
        for field in ["Purser-Token: \(token)", "Proxy-Authorization: Bearer \(token)"] {
            let head = try RequestHead.sample("GET /lab HTTP/1.1", field, "Authorization: Bearer sk-own")
            let lines = try forward(head).lines
            #expect(
                lines == [
                    "GET / HTTP/1.1", "host: api.example.com", "Authorization: Bearer sk-own",
                    "accept-encoding: identity", "", "",
                ])
        }
    }

    @Test(
        "the token never travels on, in whichever field it came",
        arguments: [
            "Authorization: Bearer ", "X-Api-Key: ", "Proxy-Authorization: bearer ", "Purser-Token: ", "Api-Key: ",
            "X-Goog-Api-Key: ", "Sec-WebSocket-Protocol: openai-insecure-api-key.",
        ])
    func tokenStays(field: String) throws {
        let head = try RequestHead.sample("GET /lab HTTP/1.1", field + token)
        #expect(try !forward(head).lines.joined().contains(token))
    }

    private static func basic(_ pair: String) -> String { Base64.encode(Array(pair.utf8)) }

    /// Fields that have the token a second time, and what of them travels on.
    static let secondPlaces: [(String, String?)] = [
        ("Authorization: Bearer TOKEN", nil), ("Authorization: Token TOKEN", nil), ("authorization: TOKEN", nil),
        ("Authorization: Token token=\"TOKEN\"", nil), ("Authorization: ApiKey TOKEN,x", nil),
        ("Authorization: Basic \(basic("scout:\(token)"))", nil), ("Authorization: basic \(basic("\(token):"))", nil),
        ("Authorization: Basic \(basic("\(token):x"))", nil), ("Authorization: Basic \(basic("a:b\(token)"))", nil),
        ("X-Api-Key: TOKEN", nil), ("Api-Key: TOKEN", nil), ("X-Goog-Api-Key: TOKEN", nil),
        ("Purser-Token: TOKEN", nil),
        ("Proxy-Authorization: Bearer TOKEN", nil), ("X-Other: TOKEN", nil), ("X-Auth: xTOKENx", nil),
        ("Referer: https://a.example/?key=TOKEN&b", nil), ("Cookie: t=TOKEN", nil),
        ("Cookie: a=b; t=TOKEN; c=d", "cookie: a=b; c=d"), ("Cookie: t=TOKEN; c=d", "cookie: c=d"),
        ("Cookie: a=b;t=\"TOKEN\"", "cookie: a=b"), ("TOKEN: x", nil),
        (
            "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.TOKEN, openai-beta.realtime-v1",
            "sec-websocket-protocol: realtime, openai-beta.realtime-v1"
        ),
        ("Sec-WebSocket-Protocol: bearer.TOKEN,realtime", "sec-websocket-protocol: realtime"),
    ]

    @Test(
        "the token travels on in no second place either, and what stands beside it there does", arguments: secondPlaces)
    func copies(field: String, rest: String?) throws {
        let own = ["X-Own: 1", "Authorization: Bearer sk-own"]
        let fields = field.lowercased().hasPrefix("authorization") ? [own[0]] : own
        for first in ["Purser-Token: \(token)", "Proxy-Authorization: Basic \(Self.basic("scout:\(token)"))"] {
            for fields in [[first, field] + fields, [field] + fields + [first]] {
                let head = try RequestHead.sample(
                    ["GET /lab HTTP/1.1"] + fields.map { $0.replacing("TOKEN", with: token) })
                let lines = try forward(head).lines
                let expected =
                    ["GET / HTTP/1.1", "host: api.example.com"]
                    + fields.filter { own.contains($0) || $0 == field }
                    .compactMap { $0 == field ? rest : $0 } + ["accept-encoding: identity", "", ""]
                // Where the field is one that is read for tokens, all of that name are taken for the agent's.
                #expect(lines.filter { $0 != own[1] } == expected.filter { $0 != own[1] })
                #expect(!lines.joined().contains(token))
            }
        }
    }

    @Test("a payment is one line more and nothing else", arguments: ["GET", "POST"])
    func payment(method: String) throws {
        let head = try RequestHead.sample("\(method) /lab HTTP/1.1", "A: b", token: token)
        let plain = try forward(head)
        let paid = try forward(head, paying: .sample())
        #expect(!plain.carriesPayment)
        #expect(paid.lines == plain.lines.dropLast(2) + ["payment-signature: \(PaymentHeader.sample.value)", "", ""])
    }

    @Test("a payment the agent brought travels on, and is known", arguments: ["PAYMENT-SIGNATURE", "X-Payment"])
    func ownPayment(name: String) throws {
        let head = try RequestHead.sample("GET /lab HTTP/1.1", "\(name): own", token: token)
        let forwarded = try forward(head)
        #expect(forwarded.carriesPayment)
        #expect(forwarded.lines.contains("\(name): own"))
    }
}

@Suite("Agents' credentials")
struct AgentCredentialTests {
    @Test(
        "a token is found in its fields, with its scheme or without",
        arguments: [
            ("Authorization: Bearer ", .authorization), ("authorization: bearer   ", .authorization),
            ("Authorization: ", .authorization), ("X-Api-Key: ", .xAPIKey), ("Purser-Token: ", .purserToken),
            ("Proxy-Authorization: BEARER ", .proxyAuthorization), ("Api-Key: ", .apiKey),
            ("X-Goog-Api-Key: ", .xGoogAPIKey),
            ("Sec-WebSocket-Protocol: realtime,\topenai-insecure-api-key.", .secWebSocketProtocol),
        ] as [(String, FieldName)])
    func found(prefix: String, field: FieldName) throws {
        let credential = try AgentCredential.find(in: RequestHead.sample("GET / HTTP/1.1", prefix + token).fields)
        #expect(credential.field == field)
        #expect(credential.token == Array(token.utf8))
    }

    @Test(
        "reject- heads without exactly one good token",
        arguments: [
            ([], .missing), (["Authorization: Bearer sk-other"], .missing),
            (["Authorization: Basic \(token)"], .missing),
            (["X-Other: \(token)"], .missing), (["Authorization: Bearer"], .missing), (["X-Api-Key:"], .missing),
            (["X-Api-Key: Bearer \(token)"], .missing),
            (["Sec-WebSocket-Protocol: realtime, \(token)"], .missing), (["Cookie: t=\(token)"], .missing),
            (["Authorization: Bearer \(token)", "X-Api-Key: \(other)"], .ambiguous(field: "x-api-key")),
            (["X-Api-Key: \(token)", "X-Api-Key: \(other)"], .ambiguous(field: "x-api-key")),
            (["X-Api-Key: \(token)", "X-Api-Key: \(token)", "X-Any: a \(other)"], .ambiguous(field: "x-any")),
            (["X-Api-Key: \(token)", "Cookie: a=\(token); b=\(other)"], .ambiguous(field: "cookie")),
            (["X-Api-Key: \(token)", "Referer: /?\(other)"], .ambiguous(field: "referer")),
            (
                ["X-Api-Key: \(token)", "Authorization: Basic \(Base64.encode(Array("\(other):\(token)".utf8)))"],
                .ambiguous(field: "authorization")
            ),
            (
                ["X-Api-Key: \(token)", "Sec-WebSocket-Protocol: openai-insecure-api-key.\(other)"],
                .ambiguous(field: "sec-websocket-protocol")
            ),
            (["Authorization: Bearer \(token)", "Purser-Token: psr_x"], .ambiguous(field: "purser-token")),
            (["X-Api-Key: \(token)x"], .malformed), (["X-Api-Key: psr_"], .malformed),
            (["X-Api-Key: \(token.dropLast())0"], .malformed), (["X-Api-Key: \(token), \(token)"], .malformed),
        ] as [([String], AgentCredential.Problem)])
    func refused(fields: [String], problem: AgentCredential.Problem) throws {
        let lines = (["GET / HTTP/1.1"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let head = try RequestHead(ByteBuffer(string: lines))
        #expect(throws: problem) { try AgentCredential.find(in: head.fields) }
    }

    @Test("in front of a forward proxy one field names the agent, and no other one may have another token")
    func forward() throws {
        let basic = "Proxy-Authorization: Basic \(Base64.encode(Array("scout:\(token)".utf8)))"
        func find(_ fields: String...) throws -> AgentCredential {
            let lines = (["GET http://a/ HTTP/1.1"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
            return try AgentCredential.find(in: RequestHead(ByteBuffer(string: lines)).fields, of: .forward)
        }
        #expect(try find(basic).copies.isEmpty)
        #expect(try find(basic, "Authorization: Bearer sk-own").copies.isEmpty)
        #expect(try find(basic, "Authorization: Bearer psr_mistyped").copies.rest(of: 1) == nil)
        #expect(try find(basic, "Authorization: Bearer \(token)").copies.rest(of: 1) == [])
        #expect(
            try find(basic, "Authorization: Basic \(Base64.encode(Array("\(token):".utf8)))").copies.rest(of: 1) == [])
        #expect(throws: AgentCredential.Problem.ambiguous(field: "authorization")) {
            try find(basic, "Authorization: Bearer \(other)")
        }
        #expect(throws: AgentCredential.Problem.ambiguous(field: "authorization")) {
            try find(basic, "Authorization: Basic \(Base64.encode(Array("a:\(other)".utf8)))")
        }
    }

    @Test("an earlier request's copies are not taken for the next one's")
    func knownCredential() throws {
        let twice = try RequestHead.sample("GET / HTTP/1.1", "X-Api-Key: \(token)", "X-Any: \(token)")
        let first = try AgentCredential.find(in: twice.fields)
        #expect(!first.copies.isEmpty)
        let once = try RequestHead.sample("GET / HTTP/1.1", "X-Api-Key: \(token)", "X-Any: own")
        #expect(try AgentCredential.find(in: once.fields, known: first).copies.isEmpty)
    }

    @Test(
        "a token in a target is seen, however it is written",
        arguments: [
            "/lab?key=TOKEN", "/lab/TOKEN/x", "/lab?a=b&k=xTOKENx", "/lab?k=psr%5fREST", "/lab?k=%70%73r_REST",
            "/lab?k=psr%255fREST", "http://a.example/?k=TOKEN", "TOKEN:443",
        ])
    func inTarget(target: String) throws {
        let rest = token.dropFirst(4)
        let text = target.replacing("TOKEN", with: token).replacing("REST", with: rest)
        #expect(TokenInTarget.isThere(in: try .sample("GET \(text) HTTP/1.1", "X-Api-Key: \(token)")))
        let mistyped = target.replacing("TOKEN", with: token.dropLast() + "!").replacing("REST", with: rest.dropLast())
        #expect(!TokenInTarget.isThere(in: try .sample("GET \(mistyped) HTTP/1.1", "X-Api-Key: \(token)")))
    }

    @Test("what only looks like a token is none, however much of it there is, and the one behind it is found")
    func hostile() {
        let texts = [String(repeating: "psr_", count: 100), String(repeating: token.dropLast() + "!", count: 20)]
        for text in texts {
            #expect(!AgentToken.isIn(Array(text.utf8)))
            let count = text.utf8.count
            #expect(AgentToken.ranges(in: Array((text + token).utf8)) == [count..<count + token.utf8.count])
        }
    }
}

@Suite("Hosts")
struct HostRuleTests {
    private let rule = HostRule(ports: [4020], more: ["Purser.internal", "10.0.0.5:8080", "[fd00::1]"])

    @Test(
        "the proxy answers for its own names and the listed ones",
        arguments: [
            "127.0.0.1:4020", "localhost:4020", "LOCALHOST:4020", "[::1]:4020", "purser.internal",
            "purser.internal:4020", "PURSER.internal:9", "10.0.0.5:8080", "[fd00::1]", "[fd00::1]:4020",
        ])
    func accepted(host: String) {
        #expect(rule.accepts(host))
    }

    @Test(
        "reject- hosts a web page could bind to this address",
        arguments: [
            "", "evil.example", "evil.example:4020", "localhost", "localhost:4021", "127.0.0.1", "127.0.0.2:4020",
            "localhost.evil.example:4020", "10.0.0.5", "10.0.0.5:4020", "10.0.0.5:8080:1", "purser.internal:",
            "purser.internal:x", "purser.internal.:80", "purser.internal, localhost:4020", "evil@localhost:4020",
            "[::1]",
            "[fd00::2]", "fd00::1", "purser.internal:80:80",
        ])
    func refused(host: String) {
        #expect(!rule.accepts(host))
    }

    @Test("on port 80 the port may be left out")
    func port80() {
        #expect(HostRule(ports: [80], more: []).accepts("localhost"))
        #expect(HostRule(ports: [80], more: []).accepts("[::1]"))
    }
}

@Suite("What a gateway is asked for in Accept-Encoding")
struct AcceptedCodingsTests {
    @Test(
        "codings that cannot be read are not asked for",
        arguments: [
            ("gzip, deflate, br", "gzip, deflate"), ("gzip, deflate, br, zstd", "gzip, deflate, zstd"),
            ("br, gzip;q=0.5", "gzip;q=0.5"), ("GZip ; Q=0.8, BR", "GZip ; Q=0.8"), ("x-gzip, compress", "x-gzip"),
            ("gzip;q=1.0, identity; q=0.5, *;q=0", nil), ("dcb, dcz, zstd", "zstd"), ("gzip,,br", "gzip"),
            ("*", "gzip, deflate, zstd"), ("br;q=1.0, *;q=0.5", "gzip;q=0.5, deflate;q=0.5, zstd;q=0.5"),
            ("gzip;q=0, *", "gzip;q=0, deflate, zstd"), ("zstd, *;q=0.1", "zstd, gzip;q=0.1, deflate;q=0.1"),
            ("identity;q=0, *", "identity;q=0, gzip, deflate, zstd"), ("gzip;level=9, deflate", "deflate"),
            ("gzip;q=2, deflate", "deflate"), ("gzip;q=0.1234, deflate", "deflate"),
        ])
    func filtered(sent: String, asked: String?) {
        #expect(AcceptedCodings.readable([sent]) == asked)
    }

    @Test(
        "what can be read stays as it was sent",
        arguments: [
            "gzip", "gzip, deflate", "gzip,deflate", "Deflate , gzip;q=0.000, zstd", "identity", "IDENTITY;q=0.5", "",
            "gzip, identity;q=0, *;q=0", " gzip ",
        ])
    func kept(sent: String) {
        #expect(AcceptedCodings.readable([sent]) == nil)
    }

    @Test(
        "an agent that takes none of them gets what has no coding, whatever it says of that",
        arguments: [
            ["br"], ["br, identity;q=0"], ["identity;q=0"], ["*;q=0"], ["gzip;q=0"], ["gzip;q=0.0, br"],
            ["compress", "br"],
            ["br, *;q=0"], ["nonsense"], ["gzip;q=x"], [";q=1"], ["identity, br"], [],
        ])
    func plain(sent: [String]) {
        #expect(AcceptedCodings.readable(sent) == "identity")
    }

    @Test("several fields are one list")
    func several() {
        #expect(AcceptedCodings.readable(["gzip", "br"]) == "gzip")
        #expect(AcceptedCodings.readable(["gzip", "zstd"]) == nil)
        #expect(AcceptedCodings.readable(["br", "*"]) == "gzip, deflate, zstd")
    }

    private func encodings(_ fields: [String], _ target: String = "/lab/x", host: Bool = false) throws -> [String] {
        let lines = ["GET \(target) HTTP/1.1", "Host: 127.0.0.1:4020"] + fields
        let head = try RequestHead(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
        let table = GatewayTable([.sample()])
        var route = try table.route(head.target)
        if host {
            route = GatewayTable.Route(
                gateway: route.gateway, target: "/x", prefix: "", form: .host(try #require(HostName("h"))))
        }
        let request = UpstreamRequest(head, route: route, tokenField: nil, allocator: ByteBufferAllocator())
        return String(buffer: request.bytes()).split(separator: "\r\n").map(String.init)
            .filter { $0.lowercased().hasPrefix("accept-encoding") }
    }

    @Test("it is asked of gateways, and only where an answer may have to be read here")
    func places() throws {
        #expect(try encodings(["Accept-Encoding: gzip, br"]) == ["accept-encoding: gzip"])
        #expect(try encodings([]) == ["accept-encoding: identity"])
        #expect(try encodings(["Accept-Encoding:  gzip , deflate"]) == ["Accept-Encoding:  gzip , deflate"])
        #expect(try encodings(["Accept-Encoding: br", "Accept-Encoding: zstd"]) == ["accept-encoding: zstd"])
        #expect(
            try encodings(["Connection: accept-encoding", "Accept-Encoding: gzip"]) == ["accept-encoding: identity"])
        for payment in ["PAYMENT-SIGNATURE: mine", "X-Payment: mine"] {
            #expect(try encodings(["Accept-Encoding: br", payment]) == ["Accept-Encoding: br"])
            #expect(try encodings([payment, "Accept-Encoding: br"]) == ["Accept-Encoding: br"])
            #expect(try encodings([payment]).isEmpty)
        }
        #expect(try encodings(["Accept-Encoding: br"], host: true) == ["Accept-Encoding: br"])
        #expect(try encodings([], host: true).isEmpty)
    }
}
