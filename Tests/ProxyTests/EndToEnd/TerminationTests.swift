import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import TestSupport
import Testing
import Transport

@Suite("The forward proxy: TLS that ends here", .mayBlock)
struct TerminationTests {
    private func run(
        _ upstream: ScriptedUpstream, vouching: [String] = ["localhost"], covering: [String] = ["localhost:*"],
        forward: ForwardRules = .none, asGateway: Bool = true,
        _ body: (Lab, TerminationPlace, _ port: Int) async throws -> Void
    ) async throws {
        let place = try TerminationPlace(hosts: vouching)
        let front = try await SecureUpstream(folder: place.folder, target: upstream.port)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = asGateway ? "localhost" : "gateway.example"
        options.upstreamPort = front.port
        options.trustFile = place.folder.path("ca.pem")
        options.forward = forward
        options.termination = try place.termination(covering)
        options.key = (.xAPIKey, "gateway-key")
        try await Lab.run(options, upstream) { lab async throws in try await body(lab, place, front.port) }
        try await front.stop()
    }

    private func request(_ port: Int, host: String? = nil, path: String = "/v1/x") -> String {
        "GET \(path) HTTP/1.1\r\nhost: \(host ?? "localhost:\(port)")\r\nauthorization: Bearer theirs\r\n"
            + "connection: close\r\n\r\n"
    }

    @Test("a program that speaks TLS to a gateway pays, with a certificate that it can verify")
    func paid() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "bought"))
        try await run(upstream) { lab, place, port async throws in
            let answer = try place.ask(request(port), of: "localhost", port: port, through: lab)
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("bought"), "\(answer)")
            #expect(answer.contains("purser-outcome: settled"))
            let payment = try await lab.payment()
            #expect(payment.purpose.gateway == "lab" && payment.state == .settled)
            #expect(payment.purpose.request?.url == "https://localhost:\(port)/v1/x")
            let requests = try Requests(upstream.received[0]).all
            #expect(requests.count == 2 && requests[1]["x-api-key"] == ["gateway-key"])
            #expect(requests[1]["authorization"] == ["Bearer theirs"] && requests[1]["proxy-authorization"].isEmpty)
        }
    }

    @Test("the token that opened the tunnel does not leave it, and no other one does")
    func tokenInside() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.head) }
        try await run(upstream) { lab, place, port async throws in
            func ask(_ field: String) throws -> String {
                let text = "GET /v1/x HTTP/1.1\r\nhost: localhost:\(port)\r\n\(field)\r\nconnection: close\r\n\r\n"
                return try place.ask(text, of: "localhost", port: port, through: lab)
            }
            let own = try ask("cookie: a=b; t=\(Lab.token)")
            #expect(own.hasPrefix("HTTP/1.1 200") && own.contains("cookie: a=b") && !own.contains("psr_"), "\(own)")
            let other = try ask("authorization: Bearer \(AgentToken.make(random: .numbered(99)))")
            #expect(other.hasPrefix("HTTP/1.1 400") && other.contains("two-tokens"), "\(other)")
            let inTarget = try place.ask(
                request(port, path: "/v1/x?k=\(Lab.token)"), of: "localhost", port: port, through: lab)
            #expect(inTarget.hasPrefix("HTTP/1.1 400") && inTarget.contains("token-in-target"), "\(inTarget)")
        }
    }

    @Test("a host that is no gateway gets the request, and its 402 is nobody's to pay")
    func host() async throws {
        let upstream = try Seller.serving(Respond.with(200))
        let rules = loopbackRules(hosts: ["localhost:*"], addresses: ["127.0.0.0/8", "::1"])
        try await run(upstream, forward: rules, asGateway: false) { lab, place, port async throws in
            let answer = try place.ask(request(port), of: "localhost", port: port, through: lab)
            #expect(answer.hasPrefix("HTTP/1.1 402") && answer.contains("PAYMENT-REQUIRED"))
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test(
        "reject- a request inside for another host, or by another kind of target",
        arguments: [
            ("other.example", "/x", "421"), ("localhost", "/x", "421"), (nil, "http://localhost/x", "400"),
            (nil, "*", "400"),
        ])
    func otherHost(host: String?, path: String, status: String) async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await run(upstream) { lab, place, port async throws in
            let answer = try place.ask(
                request(port, host: host, path: path), of: "localhost", port: port, through: lab)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
            #expect(upstream.connections.isEmpty)
        }
    }

    @Test("reject- a host that the authority may not vouch for, or that nobody may reach")
    func refused() async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await run(upstream, vouching: ["other.example"]) { lab, place, port async throws in
            #expect(try place.ask(request(port), of: "localhost", port: port, through: lab).contains("502"))
        }
        try await run(try Seller.serving(Respond.with(200)), asGateway: false) { lab, place, port async throws in
            #expect(try place.ask(request(port), of: "localhost", port: port, through: lab).contains("403"))
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test(
        "reject- a handshake inside that asks for another host than the tunnel's",
        arguments: ["localhost", "LOCALHOST", "", "other.example", "localhost.example"])
    func serverName(name: String) async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "bought"))
        try await run(upstream) { lab, place, port async throws in
            let program = try place.open(request(port), of: "localhost", port: port, naming: name, through: lab)
            let answer = try program.tell("")
            // Who asks for nobody gets the certificate of the tunnel's host, and sees whether that will do.
            guard !name.hasPrefix("other"), !name.hasSuffix("example") else {
                #expect(answer == "tls TLSV1_UNRECOGNIZED_NAME", "\(answer)")
                #expect(upstream.connections.isEmpty)
                return
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
        }
    }

    @Test("another protocol inside is a tunnel that ends here, and counted as one")
    func upgrade() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            guard let request = try wire.readRequest() else { return }
            guard Seller.isPaid(request) else { return try wire.send(Seller.unpaid) }
            try wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
                    + Seller.report() + "\r\n\r\n")
            while case let bytes = try wire.receive(64), !bytes.isEmpty { try wire.send(bytes) }
        }
        try await run(upstream) { lab, place, port async throws in
            let text =
                "GET /socket HTTP/1.1\r\nhost: localhost:\(port)\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
            let program = try place.open(text, of: "localhost", port: port, through: lab)
            #expect(try program.tell("").hasPrefix("HTTP/1.1 101 "))
            #expect(try program.tell("one") == "one")
            #expect(try program.tell("two") == "two")
            #expect(try await lab.payment().state == .settled)
            // It has one place, and connections whose TLS ends here have one each.
            var wires: [Wire] = []
            func connect() throws -> String? {
                let wire = try lab.connect()
                try wire.send(
                    "CONNECT localhost:\(port) HTTP/1.1\r\nhost: localhost:\(port)\r\n"
                        + ForwardTests.basic("scout", Lab.token) + "\r\n\r\n")
                wires.append(wire)
                return try wire.readHead()
            }
            // An agent begins so many in a second, and the others a little later.
            for _ in 0..<255 { #expect(try eventually { try connect()?.hasPrefix("HTTP/1.1 200 ") == true }) }
            #expect(try connect()?.hasPrefix("HTTP/1.1 429 ") == true)
            #expect(try program.tell("three") == "three")
            wires[0].close()
            #expect(try eventually { try connect()?.hasPrefix("HTTP/1.1 200 ") == true })
        }
    }

    @Test("a host's certificate is kept, and made again before it is over")
    func cache() throws {
        let place = try TerminationPlace(hosts: ["localhost"])
        let termination = try place.termination(["localhost"])
        let host = try #require(HostName("localhost"))
        let first = try termination.context(for: host)
        #expect(try termination.context(for: host) === first)
        place.clock.advance(seconds: CertificateAuthority.hostValidity / 2 - 1)
        #expect(try termination.context(for: host) === first)
        place.clock.advance(seconds: 1)
        #expect(try termination.context(for: host) !== first)
    }
}
