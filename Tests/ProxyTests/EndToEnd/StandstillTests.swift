import Ledger
import Payments
import Policy
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Freezes and gateways that refuse", .mayBlock)
struct StandstillTests {
    private static func problem(_ response: Message) throws -> JSONValue { try JSONReader.read(response.content) }

    @Test("a frozen gateway is not paid, and is paid again once the freeze is lifted")
    func frozen() async throws {
        try await Lab.run(try Seller.serving(Respond.with(200, [Seller.report()]))) { lab async throws in
            let scope = FreezeScope.gateway("lab")
            #expect(try await lab.ledger.freeze(Freeze(scope: scope, since: .vectors, actor: "op", reason: nil)))
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == 402 && response["x-should-retry"] == ["false"])
            #expect(try Self.problem(response)["code"]?.string == "frozen")
            #expect(try await lab.ledger.unfreeze(scope, by: "op", at: .vectors))
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
            #expect(try await lab.payments().map(\.state) == [.refused, .settled])
        }
    }

    @Test("a gateway that is frozen between reservation and signature gets nothing")
    func frozenMeanwhile() async throws {
        let ledger = Holder()
        var options = Lab.Options()
        options.onReserved = {
            _ = try? await ledger.get()?.freeze(
                Freeze(scope: .everything, since: .vectors, actor: "op", reason: nil))
        }
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            await ledger.set(lab.ledger)
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == 402)
            #expect(try Self.problem(response)["code"]?.string == "frozen")
            #expect(try await lab.payment().state == .voided)
            #expect(try Seller.payments(at: lab.upstream).isEmpty)
        }
    }

    /// The lab's books, known only once there is a lab.
    private actor Holder {
        private var ledger: InMemoryLedger?

        func set(_ ledger: InMemoryLedger) { self.ledger = ledger }
        func get() -> InMemoryLedger? { ledger }
    }

    @Test("three rejections stop payments, and one is tried after a minute")
    func rejections() async throws {
        try await Lab.run(try Seller.serving(Respond.with(402, [Seller.challenge()]))) { lab async throws in
            for number in 1...3 { #expect(try lab.exchange("GET", "/lab/\(number)")["purser-outcome"] == ["rejected"]) }
            let refusal = try lab.exchange("GET", "/lab/4")
            #expect(refusal.status == 402 && refusal["purser-outcome"].isEmpty)
            let problem = try Self.problem(refusal)
            #expect(problem["code"]?.string == "gateway-rejecting" && problem["retryable"]?.bool == true)
            #expect(problem["paused"]?.string == "agent")
            #expect(problem["retry_at"]?.string == "2026-11-22T00:01:00Z")
            lab.clock.advance(seconds: 60)
            #expect(try lab.exchange("GET", "/lab/5")["purser-outcome"] == ["rejected"])
            #expect(try Self.problem(lab.exchange("GET", "/lab/6"))["code"]?.string == "gateway-rejecting")
            #expect(try Seller.payments(at: lab.upstream).count == 4)
            #expect(try await lab.payments().filter { $0.state == .rejected }.count == 4)
        }
    }

    @Test("a gateway's own limit of rejections and its longest window hold")
    func policy() async throws {
        var options = Lab.Options()
        options.policy = GatewayPolicy(rules: ReservationRules(stopAfterRejections: 1))
        options.policy.gate.maxValidity = 20
        try await Lab.run(options, try Seller.serving(Respond.with(402, [Seller.challenge()]))) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/1")["purser-outcome"] == ["rejected"])
            let problem = try Self.problem(lab.exchange("GET", "/lab/1?again"))
            #expect(problem["code"]?.string == "gateway-rejecting" && problem["paused"]?.string == "route")
            #expect(try lab.exchange("GET", "/lab/2")["purser-outcome"] == ["rejected"])
            let terms = try #require(await lab.payments().first?.terms)
            #expect(terms.validBefore == Timestamp.vectors.seconds + 20)
            #expect(terms.validAfter == Timestamp.vectors.seconds - 20)
        }
    }

    @Test(
        "the books keep host, path and model of what was paid for",
        arguments: [
            ("application/json", #"{"model":"light","input":"q"}"#, .known("light")),
            ("application/json; charset=utf-8", #"{"input":{"model":"no"},"model":"li\u0007ght"}"#, .unknown),
            ("text/plain", #"{"model":"light"}"#, .unknown), ("application/json", #"{"model":7}"#, .unknown),
            ("application/json", #"{"model":"#, .unknown), ("application/json", #"{"input":{"model":"no"}}"#, .absent),
        ] as [(String, String, Fact<String>)], [false, true])
    func purpose(row: (type: String, body: String, model: Fact<String>), isChunked: Bool) async throws {
        try await Lab.run(try Seller.serving(Respond.with(200, [Seller.report()]))) { lab async throws in
            let wire = try lab.connect()
            if isChunked {
                let head = lab.head("POST", "/lab/v1?k=s", ["content-type: \(row.type)", "transfer-encoding: chunked"])
                let size = String(row.body.utf8.count - 1, radix: 16)
                try wire.send(head + "1\r\n\(row.body.prefix(1))\r\n\(size)\r\n\(row.body.dropFirst())\r\n0\r\n\r\n")
            } else {
                try wire.send(
                    lab.head("POST", "/lab/v1?k=s", ["content-type: \(row.type)"], length: row.body.utf8.count)
                        + row.body)
            }
            #expect(try wire.readResponse().status == 200)
            let purpose = try await lab.payment().purpose
            #expect(purpose.host == "127.0.0.1" && purpose.gateway == "lab" && purpose.agent == "scout")
            #expect(purpose.request?.url == "http://127.0.0.1:\(lab.upstream.port)/v1")
            #expect(purpose.request?.model == row.model)
        }
    }
}
