import Ledger
import Payments
import Primitives
import Proxy
import TestSupport
import Testing
import Transport

/// Rules by which everybody reaches loopback.
func loopbackRules(hosts: [String] = ["127.0.0.1:*"], addresses: [String] = ["127.0.0.0/8"]) -> ForwardRules {
    ForwardRules(
        hosts: [.house: hosts.compactMap { HostPattern($0) }],
        addresses: AddressGuard(allowed: addresses.compactMap { AddressRange($0) }))
}

@Suite("The forward proxy: requests with a whole URL", .mayBlock)
struct ForwardTests {
    /// The password of a proxy, as client libraries send it.
    static func basic(_ user: String, _ password: String) -> String {
        "proxy-authorization: Basic " + Base64.encode(Array("\(user):\(password)".utf8))
    }

    private static func request(
        _ method: String, _ url: String, _ fields: [String] = [basic("scout", Lab.token)], host: String = "x"
    ) -> String {
        ["\(method) \(url) HTTP/1.1", "host: \(host)"].joined(separator: "\r\n") + "\r\n"
            + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// A request to the forward proxy for a URL.
    static func absolute(_ url: String, as token: String = Lab.token) -> String {
        request("GET", url, [basic("scout", token)])
    }

    private func options(_ rules: ForwardRules = loopbackRules()) -> Lab.Options {
        var options = Lab.Options()
        options.forward = rules
        // The gateway is elsewhere, so that the upstream is a host like any other.
        options.upstreamHost = "localhost"
        return options
    }

    @Test(
        "a request goes to the host of its URL, with everything that is the origin's",
        arguments: [
            basic("scout", Lab.token), basic("", Lab.token), basic(Lab.token, ""),
            "proxy-authorization: Bearer \(Lab.token)",
            "proxy-authorization: basic "
                + Base64.encode(Array("x:\(Lab.token)".utf8)),
        ])
    func plain(credential: String) async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200, ["x-a: b"], body: "hello") }
        try await Lab.run(options(), upstream) { lab async throws in
            let place = "127.0.0.1:\(upstream.port)"
            let text = Self.request(
                "GET", "http://\(place)/a/../b?c=d",
                [
                    credential, "authorization: Bearer theirs", "x-api-key: k",
                    "proxy-connection: keep-alive",
                ], host: "other.example")
            let response = try lab.raw(text).response
            #expect(response.status == 200 && response.text == "hello" && response["x-a"] == ["b"])
            let received = try Requests(upstream.received[0]).all[0]
            #expect(received.startLine == "GET /a/../b?c=d HTTP/1.1" && received["host"] == [place])
            #expect(received["authorization"] == ["Bearer theirs"] && received["x-api-key"] == ["k"])
            #expect(received["proxy-authorization"].isEmpty && received["proxy-connection"].isEmpty)
        }
    }

    @Test("a 402 of a host that is no gateway goes to the agent untouched, and so does a redirect")
    func untouched() async throws {
        let upstream = try ScriptedUpstream.serving { request in
            request.startLine.contains("/moved")
                ? Respond.with(302, ["location: https://elsewhere.example/"]) : Seller.unpaid
        }
        try await Lab.run(options(), upstream) { lab async throws in
            let place = "http://127.0.0.1:\(upstream.port)"
            let response = try lab.raw(Self.request("GET", place + "/x")).response
            #expect(response.status == 402 && response["payment-required"].count == 1)
            #expect(
                try lab.raw(Self.request("GET", place + "/moved")).response["location"] == [
                    "https://elsewhere.example/"
                ])
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a gateway's own address is the gateway: its key goes along and its challenge is paid")
    func gateway() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "bought"))
        var options = Lab.Options()
        options.basePath = "/api"
        options.key = (.xAPIKey, "gateway-key")
        options.forward = ForwardRules.none
        try await Lab.run(options, upstream) { lab async throws in
            let url = "http://127.0.0.1:\(upstream.port)/api/chat?x=1"
            let response = try lab.raw(Self.request("GET", url, [Self.basic("scout", Lab.token), "x-api-key: mine"]))
                .response
            #expect(response.status == 200 && response.text == "bought" && response["purser-outcome"] == ["settled"])
            let requests = try Requests(upstream.received[0]).all
            #expect(requests.count == 2)
            for request in requests {
                #expect(request.startLine == "GET /api/chat?x=1 HTTP/1.1" && request["x-api-key"] == ["gateway-key"])
            }
            #expect(try await lab.payment().purpose.gateway == "lab")
            // What is not below the gateway's path is a host that nobody may reach.
            let other = try lab.raw(Self.request("GET", "http://127.0.0.1:\(upstream.port)/apix")).response
            #expect(other.status == 403 && other.text.contains("forward-not-allowed"))
            let unsafe = try lab.raw(Self.request("GET", "http://127.0.0.1:\(upstream.port)/api/../x")).response
            #expect(unsafe.status == 400 && unsafe.text.contains("unsafe-path"))
            #expect(upstream.connections.count == 1)
        }
    }

    static let refusals: [(String, [String], Int, String)] = [
        ("http://127.0.0.1:1/", [], 407, "no-token"),
        ("http://127.0.0.1:1/", ["authorization: Bearer \(Lab.token)"], 407, "no-token"),
        ("http://127.0.0.1:1/", [basic("scout", "psr_wrong")], 407, "mistyped-token"),
        ("http://127.0.0.1:1/", [basic("scout", AgentToken.make(random: .numbered(8)))], 407, "unknown-token"),
        (
            "http://127.0.0.1:1/", [basic("a", Lab.token), basic("b", AgentToken.make(random: .numbered(8)))], 400,
            "two-tokens"
        ),
        ("http://other.example/", [basic("scout", Lab.token)], 403, "forward-not-allowed"),
        ("http://127.0.0.1/", [basic("scout", Lab.token)], 403, "address-refused"),
        ("http://listed.invalid/", [basic("scout", Lab.token)], 502, "gateway-unreachable"),
    ]

    @Test(
        "reject- a request without a token of the proxy's, to a host not listed, or to an address not public",
        arguments: refusals)
    func refused(url: String, fields: [String], status: Int, code: String) async throws {
        let rules = loopbackRules(hosts: ["127.0.0.1:*", "listed.invalid"], addresses: [])
        try await Lab.run(options(rules), try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let response = try lab.raw(Self.request("GET", url, fields)).response
            #expect(response.status == status && response.text.contains("\"\(code)\""), "\(response.text)")
            #expect(response["proxy-authenticate"].isEmpty == (status != 407))
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("both ways of asking share one connection")
    func mixed() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        var options = Lab.Options()
        options.forward = loopbackRules()
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(Self.request("GET", "http://127.0.0.1:\(upstream.port)/one"))
            #expect(try wire.readResponse().text == "GET /one HTTP/1.1")
            try wire.send(lab.head("GET", "/lab/two"))
            #expect(try wire.readResponse().text == "GET /two HTTP/1.1")
        }
    }
}
