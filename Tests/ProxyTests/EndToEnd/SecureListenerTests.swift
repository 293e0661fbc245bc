import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing
import Transport

@Suite("A listener that speaks TLS to agents with certificates", .mayBlock)
struct SecureListenerTests {
    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
    }

    private static func get(_ lab: Lab) throws -> String {
        "GET /lab/x HTTP/1.1\r\nhost: localhost:\(try AgentCertificates.port(of: lab))\r\nconnection: close\r\n\r\n"
    }

    @Test("what a certificate pays is its agent's", arguments: ["1.2", "1.3"])
    func payment(version: String) async throws {
        let certificates = try AgentCertificates()
        let seller = try Seller.serving(Respond.with(200, [Seller.report()], body: "sold"))
        try await Lab.run(try certificates.options(), seller) { lab async throws in
            let agent = try certificates.python(.good, version: version, to: lab)
            #expect(try agent.tell("new") == "full")
            #expect(try agent.tell("ask /lab/x|authorization: Bearer the-origin's") == "200 sold")
            let payment = try await lab.payment()
            #expect(payment.purpose.agent == "scout" && payment.state == .settled)
            // What is no agent token belongs to the gateway.
            #expect(seller.texts[0].contains("authorization: Bearer the-origin's"))
        }
    }

    @Test(
        "openssl shows a certificate and is served, over every version that is spoken",
        arguments: ["-tls1_2", "-tls1_3"])
    func openssl(version: String) async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let answer = try certificates.openssl(Self.get(lab), .good, version, to: lab)
            #expect(answer.contains("HTTP/1.1 200") && answer.contains("GET /x HTTP/1.1"), "\(answer)")
            // Clients with several certificates are told which one is meant.
            #expect(answer.contains("Acceptable client certificate CA names\nCN = agents"), "\(answer)")
        }
    }

    static let refused: [(AgentCertificates.Kind, String)] = [
        (.none, "CERTIFICATE_REQUIRED HANDSHAKE_FAILURE"), (.foreign, "UNKNOWN_CA"), (.expired, "CERTIFICATE_EXPIRED"),
        (.future, "BAD_CERTIFICATE"), (.server, "UNSUPPORTED_CERTIFICATE"), (.selfSigned, "UNKNOWN_CA"),
    ]

    @Test(
        "reject- a certificate that proves nothing, or none, before a byte of a request is read", arguments: refused,
        ["1.2", "1.3"])
    func refusals(refused: (kind: AgentCertificates.Kind, alerts: String), version: String) async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Seller.serving(Respond.with(200))) { lab async throws in
            let agent = try certificates.python(refused.kind, version: version, to: lab)
            // With TLS 1.3 a client is done before the server has looked at its certificate.
            var said = try agent.tell("new")
            if said == "full" { said = try agent.tell("ask /lab/x|x-api-key: \(Lab.token)") }
            #expect(refused.alerts.split(separator: " ").contains { said.contains($0) }, "\(said)")
            #expect(lab.upstream.connections.isEmpty)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("reject- old versions of TLS, and a renegotiation")
    func versions() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            for version in ["-tls1", "-tls1_1"] {
                let answer = try certificates.openssl(
                    Self.get(lab), .good, "\(version) -cipher ALL:@SECLEVEL=0", to: lab)
                #expect(answer.contains("alert protocol version"), "\(answer)")
            }
            let answer = try certificates.openssl("R\n", .good, "-tls1_2 -no_ign_eof", pause: 0.3, to: lab)
            #expect(answer.contains("no renegotiation"), "\(answer)")
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("a certificate that is nobody's, or whose agent is not in the books, is told so")
    func strangers() async throws {
        let certificates = try AgentCertificates()
        let good = try certificates.peer(.good)
        for (peers, kind, code) in [
            ([:], .good, "peer-not-mapped"), ([good: "scout"], .second, "peer-not-mapped"),
            ([good: "nobody"], .good, "peer-agent-unknown"),
        ] as [([PeerAgents.Peer: String], AgentCertificates.Kind, String)] {
            var options = try certificates.options()
            options.peers = PeerAgents(peers)
            try await Lab.run(options, try Self.upstream()) { lab async throws in
                let agent = try certificates.python(kind, to: lab)
                try agent.tell("new")
                let answer = try agent.tell("ask /lab/x")
                #expect(answer.hasPrefix("401 ") && answer.contains("\"code\":\"\(code)\""), "\(answer)")
                #expect(answer.contains(try certificates.peer(kind).description), "\(answer)")
                // The first answer was the last one of its connection.
                try agent.tell("new")
                #expect(try agent.tell("ask http://other.example/").hasPrefix("407 "))
                #expect(lab.upstream.connections.isEmpty)
            }
        }
    }

    @Test("a name in the certificate stands for its agent too")
    func named() async throws {
        let certificates = try AgentCertificates()
        var options = try certificates.options()
        options.peers = PeerAgents([.named(.dns("scout")): "scout"])
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            let other = try certificates.python(.second, to: lab)
            try other.tell("new")
            #expect(try other.tell("ask /lab/x").contains("peer-not-mapped"))
        }
    }

    @Test("a token counts for more than the certificate, and a wrong one is not made good by it")
    func tokens() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let mapped = try certificates.python(.good, to: lab)
            try mapped.tell("new")
            #expect(try mapped.tell("ask /lab/x|x-api-key: \(Lab.token)x").contains("mistyped-token"))
            let unmapped = try certificates.python(.second, to: lab)
            try unmapped.tell("new")
            #expect(try unmapped.tell("ask /lab/x|x-api-key: \(Lab.token)").hasPrefix("200 "))
        }
    }

    @Test(
        "a certificate that is taken off the list is nobody's from its next request on, and so is its session",
        arguments: ["1.2", "1.3"])
    func removed(version: String) async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let agent = try certificates.python(.good, version: version, to: lab)
            try agent.tell("new")
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            // Every connection proves its certificate anew: there is no session that could be resumed.
            #expect(try agent.tell("new") == "full")
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            try await lab.replace(gatewayAt: lab.upstream.port)
            #expect(try agent.tell("ask /lab/x").contains("peer-not-mapped"))
            #expect(try agent.tell("new") == "full")
            #expect(try agent.tell("ask /lab/x").contains("peer-not-mapped"))
        }
    }

    @Test("another authority holds from the next connection on, and open ones live on")
    func otherAuthority() async throws {
        let certificates = try AgentCertificates()
        let other = try CertificateAuthority(
            name: "others", hosts: [], serial: [UInt8](repeating: 1, count: 16), at: Int64(Timestamp.vectors.seconds))
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            try certificates.believe(other)
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            try agent.tell("new")
            #expect(try agent.tell("ask /lab/x").hasPrefix("tls "))
        }
    }

    @Test(
        "a connection is not served past the end of its certificate, whatever the request shows",
        arguments: [true, false])
    func ended(showsToken: Bool) async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            let ask = "ask /lab/x" + (showsToken ? "|x-api-key: \(Lab.token)" : "")
            #expect(try agent.tell(ask).hasPrefix("200 "))
            lab.clock.set(Timestamp(seconds: AgentCertificates.now + 86_401))
            let answer = try agent.tell(ask)
            #expect(answer.hasPrefix("401 ") && answer.contains("\"code\":\"certificate-expired\""), "\(answer)")
            #expect(try agent.tell("read") == "whole b''")
            #expect(try Requests(lab.upstream.received[0]).all.count == 1)
        }
    }

    @Test("a tunnel ends with the certificate of its connection")
    func endedTunnel() async throws {
        let certificates = try AgentCertificates()
        var options = try certificates.options()
        options.forward = loopbackRules()
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options, upstream) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            try agent.tell(#"send CONNECT 127.0.0.1:\#(upstream.port) HTTP/1.1\r\nhost: x\r\n\r\n"#)
            #expect(eventually { lab.tunnels.count == 1 })
            #expect(try await lab.review() == 0)
            lab.clock.set(Timestamp(seconds: AgentCertificates.now + 86_400 - 60))
            #expect(try await lab.review() == 0 && lab.tunnels.count == 1)
            lab.clock.set(Timestamp(seconds: AgentCertificates.now + 86_401))
            #expect(try await lab.review() == 1)
            #expect(lab.tunnels.ended == ["certificate-expired": 1])
            let end = try agent.tell("read")
            // Without a close_notify: the tunnel did not come to its end.
            #expect(!end.hasPrefix("whole"), "\(end)")
        }
    }

    @Test("Host may be a name of the listener's certificate, and nothing else besides the usual")
    func hosts() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            for (host, status) in [
                ("purser.test", "200"), ("PURSER.test:7", "200"), ("localhost", "200"), ("other.test", "421"),
                ("test", "421"), ("purser.test.other", "421"), ("10.0.0.1", "421"), ("", "421"),
            ] {
                try agent.tell("new")
                #expect(try agent.tell("ask /lab/x|host: \(host)").hasPrefix(status), "\(host)")
            }
        }
    }

    @Test("reject- what a web page sends with the certificate of its reader's browser")
    func webPage() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Seller.serving(Respond.with(200))) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            for field in [
                "sec-fetch-site: cross-site", "sec-fetch-site: same-origin", "sec-fetch-site: none",
                "origin: https://evil.example",
                "origin: null", "origin: https://localhost:1",
            ] {
                let answer = try agent.tell("ask /lab/x|\(field)")
                #expect(answer.hasPrefix("403 ") && answer.contains("web-page"), "\(field): \(answer)")
            }
            #expect(lab.upstream.connections.isEmpty)
            // What a program says of itself, and what comes with a token.
            let port = try AgentCertificates.port(of: lab)
            for field in ["origin: https://localhost:\(port)", "sec-fetch-mode: cors"] {
                #expect(try agent.tell("ask /lab/x|\(field)").hasPrefix("200 "), "\(field)")
            }
            #expect(try agent.tell("ask /lab/x|origin: https://evil.example|x-api-key: \(Lab.token)").hasPrefix("200 "))
        }
    }

    // MARK: Peers that misbehave

    @Test(
        "a peer that never shakes hands, or only begins to, is let go",
        arguments: [[], [22, 3, 1, 2, 0, 1, 0, 1, 252]])
    func stalledHandshake(hello: [UInt8]) async throws {
        let certificates = try AgentCertificates()
        var options = try certificates.options()
        options.proxy.handshake = .milliseconds(300)
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            let wire = try Wire.connect(port: AgentCertificates.port(of: lab))
            if !hello.isEmpty { try wire.send(hello) }
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("what is not TLS is refused, and no request is read")
    func plain() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let wire = try Wire.connect(port: AgentCertificates.port(of: lab))
            try wire.send("GET /lab/x HTTP/1.1\r\nhost: localhost\r\nx-api-key: \(Lab.token)\r\n\r\n")
            let answer = String(decoding: (try? wire.readToEnd()) ?? [], as: UTF8.self)
            #expect(!answer.contains("HTTP"), "\(answer)")
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("strangers that keep handshakes open make room for agents, the oldest first")
    func handshakes() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            let port = try AgentCertificates.port(of: lab)
            // Before the others, whose sockets a program that is started later would keep open.
            let agent = try certificates.python(.good, to: lab)
            var wires: [Wire] = []
            for _ in 0..<128 { wires.append(try Wire.connect(port: port)) }
            // Whoever comes behind them takes the place of the oldest.
            #expect(eventually { (try? agent.tell("new")) == "full" })
            #expect(wires[0].isClosedByPeer())
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            withExtendedLifetime(wires) {}
        }
    }

    @Test("a request that is cut off is not sent on whole, and pays nothing")
    func truncatedRequest() async throws {
        let certificates = try AgentCertificates()
        let seller = try Seller.serving(Respond.with(200))
        try await Lab.run(try certificates.options(), seller) { lab async throws in
            for text in [
                #"GET /lab/x HTTP/1.1\r\nhost: localhost\r\n"#,
                #"POST /lab/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf"#,
            ] {
                let agent = try certificates.python(.good, to: lab)
                try agent.tell("new")
                #expect(try agent.tell("send \(text)") == "sent")
                try agent.tell("cut")
            }
            #expect(eventually { seller.connections.count == 1 })
            _ = eventually { seller.texts[0].hasSuffix("half") }
            #expect(
                try Requests(seller.received[0]).all.allSatisfy { String(decoding: $0.raw, as: UTF8.self) == "half" })
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a body that ends with its connection looks whole to the agent only if it is", arguments: [true, false])
    func untilClose(isWhole: Bool) async throws {
        let certificates = try AgentCertificates()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\r\nhalf")
            if !isWhole { wire.reset() }
        }
        try await Lab.run(try certificates.options(), upstream) { lab async throws in
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            try agent.tell(#"send GET /lab/x HTTP/1.1\r\nhost: localhost\r\n\r\n"#)
            let answer = try agent.tell("read")
            #expect(answer.hasPrefix("whole") == isWhole, "\(answer)")
        }
    }

    @Test("a server that stops finishes what is under way and lets go of handshakes")
    func stopping() async throws {
        let certificates = try AgentCertificates()
        try await Lab.run(try certificates.options(), try Self.upstream()) { lab async throws in
            // In this order: the program must not inherit what it would then keep open.
            let agent = try certificates.python(.good, to: lab)
            try agent.tell("new")
            #expect(try agent.tell("ask /lab/x").hasPrefix("200 "))
            let wire = try Wire.connect(port: AgentCertificates.port(of: lab))
            Threads.pause(milliseconds: 50)
            await lab.stop(patience: .milliseconds(100))
            #expect(wire.isClosedByPeer())
            #expect(try agent.tell("read") == "whole b''")
        }
    }

    // MARK: The forward proxy inside

    @Test("tunnels and TLS that ends here go through it as well")
    func forward() async throws {
        let certificates = try AgentCertificates()
        let local = try TerminationPlace(hosts: ["localhost"])
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "bought"))
        let front = try await SecureUpstream(folder: local.folder, target: upstream.port)
        var options = try certificates.options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = front.port
        options.trustFile = local.folder.path("ca.pem")
        options.forward = loopbackRules(hosts: ["127.0.0.1:*"])
        options.termination = try local.termination(["localhost:*"])
        try await Lab.run(options, upstream) { lab async throws in
            let proxy =
                "--proxy https://localhost:\(try AgentCertificates.port(of: lab)) --proxy-cacert ca.pem "
                + "--proxy-cert good.pem"
            let trust = "--cacert \(local.folder.path("local.pem"))"
            let bought = try certificates.curl("\(proxy) \(trust) https://localhost:\(front.port)/x")
            #expect(bought == "bought")
            #expect(try await lab.payment().purpose.agent == "scout")
            let tunnelled = try certificates.curl("\(proxy) --proxytunnel http://127.0.0.1:\(upstream.port)/x")
            #expect(tunnelled == "{}")
            let refused = try certificates.curl(
                "\(proxy.replacing("good.pem", with: "second.pem")) --proxytunnel http://127.0.0.1:\(upstream.port)/x")
            #expect(refused.contains("407"), "\(refused)")
        }
        try await front.stop()
    }
}
