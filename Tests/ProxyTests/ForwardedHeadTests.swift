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
        let request = UpstreamRequest(
            head, route: try GatewayTable([gateway]).route(head.target),
            tokenField: try AgentCredential.find(in: head.fields).field, allocator: ByteBufferAllocator())
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
                "POST /a?b HTTP/1.1", "host: api.example.com", "X-Own:  v  w ", "Content-Length: 5", "Accept: */*",
                "accept-encoding: identity", "", "",
            ])
    }

    @Test("reject- a Connection field that would take the length, and with it the framing, away")
    func framingIsKept() throws {
        let head = try RequestHead.sample(
            "POST /lab/a HTTP/1.1", "Connection: Content-Length, Host, X-Api-Version", "Content-Length: 30",
            "X-Api-Version: 1", token: token)
        let lines = try forward(head).lines
        #expect(lines.contains("Content-Length: 30"))
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
        arguments: ["Authorization: Bearer ", "X-Api-Key: ", "Proxy-Authorization: bearer ", "Purser-Token: "])
    func tokenStays(field: String) throws {
        let head = try RequestHead.sample("GET /lab HTTP/1.1", field + token)
        #expect(try !forward(head).lines.joined().contains(token))
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
            ("Proxy-Authorization: BEARER ", .proxyAuthorization),
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
            (["Authorization: Bearer \(token)", "X-Api-Key: \(token)"], .ambiguous),
            (["X-Api-Key: \(token)", "X-Api-Key: \(token)"], .ambiguous),
            (["Authorization: Bearer \(token)", "Purser-Token: psr_x"], .ambiguous),
            (["X-Api-Key: \(token)x"], .malformed), (["X-Api-Key: psr_"], .malformed),
            (["X-Api-Key: \(token.dropLast())0"], .malformed), (["X-Api-Key: \(token), \(token)"], .malformed),
        ] as [([String], AgentCredential.Problem)])
    func refused(fields: [String], problem: AgentCredential.Problem) throws {
        let lines = (["GET / HTTP/1.1"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let head = try RequestHead(ByteBuffer(string: lines))
        #expect(throws: problem) { try AgentCredential.find(in: head.fields) }
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
