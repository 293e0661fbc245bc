import Ledger
import NIOCore
import Proxy
import TestSupport
import Testing

@Suite("Gateways behind TLS", .mayBlock)
struct SecureUpstreamTests {
    static func run(
        trusting isTrusted: Bool = true, host: String = "localhost", cutsOff: Bool = false,
        _ upstream: ScriptedUpstream,
        _ body: (Lab) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        try SecureUpstream.makeCertificates(in: folder)
        let front = try await SecureUpstream(folder: folder, target: upstream.port, cutsOff: cutsOff)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = host
        options.upstreamPort = front.port
        options.trustFile = isTrusted ? folder.path("ca.pem") : nil
        try await Lab.run(options, upstream, body)
        try await front.stop()
    }

    @Test("a paid request, with bodies both ways, on one TLS connection")
    func paid() async throws {
        let answer = String(repeating: "answer ", count: 200_000)
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: answer))
        try await Self.run(upstream) { lab async throws in
            let body = BodyTests.body(3 << 20)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: body.count))
            try wire.send(body)
            let isWhole = try wire.readResponse().text == answer
            #expect(isWhole)
            let requests = try Requests(upstream.received[0]).all
            let areSame = requests.map(\.raw) == [body, body]
            #expect(areSame)
            #expect(requests[0]["host"][0].hasPrefix("localhost:"))
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test(
        "a certificate that does not prove the name is a 502, and no request is sent",
        arguments: [
            (false, "localhost"), (true, "127.0.0.1"),
        ])
    func unproven(isTrusted: Bool, host: String) async throws {
        let upstream = try Seller.serving(Respond.with(200))
        try await Self.run(trusting: isTrusted, host: host, upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response.text.contains("TLS"))
            #expect(upstream.texts.joined().isEmpty)
        }
    }

    @Test(
        "a gateway whose TLS goes wrong is a problem that says how, and what was signed for it is voided",
        arguments: TwoFacedGateway.Fault.allCases, [false, true])
    func faults(fault: TwoFacedGateway.Fault, isPaid: Bool) async throws {
        // With a payment the gateway is sound until it has asked for it.
        let front = try TwoFacedGateway(fault, challenging: isPaid ? Seller.unpaid : nil)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = front.port
        options.trustFile = front.trustFile
        try await Lab.run(options, try Seller.serving("")) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response.text.contains(fault.words), "\(response.text)")
            #expect(response.text.contains("No payment was signed"), "\(response.text)")
            #expect(try await lab.payments().map(\.state) == (isPaid ? [.voided] : []))
        }
    }

    @Test("a body that ends with its connection is whole only behind a close_notify", arguments: [false, true])
    func untilClose(cutsOff: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\r\nhalf")
        }
        try await Self.run(cutsOff: cutsOff, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            _ = try wire.readHead()
            if cutsOff {
                #expect(throws: WireError.closed(reset: true)) { try wire.readToEnd() }
            } else {
                #expect(try wire.readToEnd() == Array("half".utf8))
            }
        }
    }

    @Test("a body of a known length is whole though no close_notify follows", arguments: ["4", "5"])
    func knownLength(length: String) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: \(length)\r\n\r\nfour")
        }
        try await Self.run(cutsOff: true, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            if length == "4" {
                #expect(try wire.readResponse().text == "four")
            } else {
                #expect(throws: WireError.self) { try wire.readResponse() }
            }
        }
    }

    @Test("a peer that accepts and never shakes hands is given up and let go")
    func stalledHandshake() async throws {
        let ended = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try? wire.readToEnd()
            ended.open()
        }
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.gateway.connect = .milliseconds(300)
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == 504 && response.text.contains("No payment was signed"))
            #expect(await ended.opened())
        }
    }
}
