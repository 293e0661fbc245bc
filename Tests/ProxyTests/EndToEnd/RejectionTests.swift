import Ethereum
import Ledger
import Payments
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing

@Suite("Sellers that reject payments", .mayBlock)
struct RejectionTests {
    private static func problem(_ response: Message) throws -> JSONValue { try JSONReader.read(response.content) }

    struct Refusal: Sendable, CustomStringConvertible {
        let description: String
        let answer: String
        let code: String
        let reason: String?
    }

    static let silent = [
        Refusal(
            description: "{} and a report",
            answer: Respond.with(
                402, [Seller.report(success: false, reason: "insufficient_funds"), "x-mine: 1"], body: "{}"),
            code: "insufficient-funds", reason: "insufficient_funds"),
        Refusal(
            description: "{} and another challenge",
            answer: Respond.with(
                402, [Seller.challenge(error: "invalid_exact_evm_insufficient_balance")], body: "{}"),
            code: "insufficient-funds", reason: "invalid_exact_evm_insufficient_balance"),
        Refusal(
            description: "an unknown reason",
            answer: Respond.with(
                402, [Seller.report(success: false, reason: "invalid_signature")], body: ""),
            code: "payment-rejected", reason: "invalid_signature"),
        Refusal(description: "nothing", answer: Respond.with(402, body: ""), code: "payment-rejected", reason: nil),
        Refusal(description: "412", answer: Respond.with(412, body: "{}"), code: "payment-rejected", reason: nil),
        Refusal(
            description: "403 and a report",
            answer: Respond.with(
                403, [Seller.report(success: false, reason: "insufficient_funds")], body: ""),
            code: "insufficient-funds", reason: "insufficient_funds"),
    ]

    @Test("what may be repeated by itself keeps the seller's answer, words or none", arguments: [429, 503, 529])
    func mayBeRepeated(status: Int) async throws {
        let answer = Respond.with(
            status, [Seller.report(success: false, reason: "facilitator_busy"), "Retry-After: 2"], body: "{}")
        try await Lab.run(try Seller.serving(answer)) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == status && response["retry-after"] == ["2"])
            #expect(response["x-should-retry"].isEmpty && response["purser-outcome"] == ["rejected"])
        }
    }

    @Test("a rejection without words is answered with reason, wallet, network and what to do", arguments: silent)
    func withoutWords(refusal: Refusal) async throws {
        try await Lab.run(try Seller.serving(refusal.answer)) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response["content-type"] == ["application/problem+json"])
            let problem = try Self.problem(response)
            #expect(problem["code"]?.string == refusal.code && problem["reason"]?.string == refusal.reason)
            #expect(problem["wallet"]?.string == "main" && problem["network"]?.string == "eip155:42161")
            #expect(problem["account"]?.string == lab.wallet.checksummed && problem["asset"]?.string == "USDT")
            #expect(problem["retryable"]?.bool == false)
            let message = try #require(problem["error"]?["message"]?.string)
            for word in ["\"main\"", lab.wallet.checksummed, "eip155:42161", "send USDT", "0.01 USDT"] {
                #expect(message.contains(word), "\(word)")
            }
            if let reason = refusal.reason { #expect(message.contains(reason)) }
            let payment = try await lab.payment()
            #expect(payment.state == .rejected && payment.evidence.reason == refusal.reason)
            #expect(response["purser-payment"] == [payment.id.description])
            #expect(response["purser-outcome"] == ["rejected"] && response["purser-exposed"] == ["0.01 USDT"])
            #expect(response["x-should-retry"] == ["false"] && response["payment-required"].isEmpty)
            #expect(response["payment-response"].isEmpty == !refusal.answer.contains("PAYMENT-RESPONSE"))
        }
    }

    static let wordy = [
        #"{"error":{"message":"Your wallet is empty."}}"#, #"{"error":"insufficient_funds"}"#, "plain words",
        #"{"x402Version":1,"error":"insufficient_funds","accepts":[]}"#,
    ]

    @Test("a rejection with words of its own passes as it came", arguments: wordy, ["identity", "gzip"])
    func withWords(body: String, coding: String) async throws {
        let bytes = try Compression.encode(Array(body.utf8), coding: coding)
        let fields = ["x-mine: 1", "content-encoding: \(coding)", "content-length: \(bytes.count)"]
        let head = (["HTTP/1.1 402 No"] + fields + ["", ""]).joined(separator: "\r\n")
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                try wire.send(Array(head.utf8) + bytes)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response.content == bytes && response["x-mine"] == ["1"])
            #expect(response["purser-outcome"] == ["rejected"] && response["x-should-retry"] == ["false"])
            let reason = ["insufficient_funds", "Your wallet is empty."].first { body.contains($0) }
            #expect(try await lab.payment().evidence.reason == reason)
        }
    }

    @Test("a rejection that breaks off in its body is one, and the agent is told of it")
    func brokenOff() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                try wire.send("HTTP/1.1 402 No\r\ncontent-length: 10\r\n\r\n{")
                return
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(try response.status == 402 && Self.problem(response)["code"]?.string == "payment-rejected")
            #expect(try await lab.payment().state == .rejected)
        }
    }

    // MARK: Figures

    /// A seller that serves `/good` and rejects payments for everything else.
    private static func seller() throws -> ScriptedUpstream {
        try .serving { request in
            guard Seller.isPaid(request) else { return Seller.unpaid }
            return request.head.hasPrefix("GET /good")
                ? Respond.with(200, [Seller.report()], body: "{}") : Respond.with(402, body: "{}")
        }
    }

    private static let neighbour = AgentToken.make(random: .numbered(8))

    /// A request of a second agent.
    private static func ask(_ path: String, _ lab: Lab) throws -> Message {
        try lab.raw(
            "GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nauthorization: Bearer \(neighbour)\r\n\r\n"
        ).response
    }

    @Test("beside a route that always rejects and is called once a second, another agent's route is served each time")
    func neighbours() async throws {
        try await Lab.run(try Self.seller()) { lab async throws in
            try await lab.ledger.add(
                Agent(
                    name: "ada", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(Self.neighbour.utf8)),
                    addedAt: .vectors), limits: [CapLimit(.day, .cents(500))], by: "tester")
            var served = 0
            for second in 0..<300 {
                _ = try lab.exchange("GET", "/lab/bad?\(second)")
                if second % 9 == 4 || second == 299 {
                    if try Self.ask("/lab/good?\(second)", lab).status == 200 { served += 1 }
                }
                lab.clock.advance(seconds: 1)
            }
            #expect(served == 34)
            #expect(try lab.exchange("GET", "/lab/good").status == 200, "the agent's other routes go on")
        }
    }

    @Test("a seller that rejects under a thousand paths gets at most nine authorizations of an agent in ten minutes")
    func manyPaths() async throws {
        try await Lab.run(try Self.seller()) { lab async throws in
            for number in 0..<1000 {
                let response = try lab.exchange("GET", "/lab/\(number)")
                #expect(response.status == 402)
                if number % 5 < 3 { lab.clock.advance(seconds: 1) }
            }
            let signed = try Seller.payments(at: lab.upstream).count
            #expect((4...9).contains(signed), "\(signed)")
        }
    }

    // MARK: The seller's clock

    @Test(
        "the seller's time is its Date and its Age, where that is one plain number of at most a day",
        arguments: [
            (["Age: 1200"], true), (["Age: 001200"], true), ([], false), (["Age: 86401"], false),
            (["Age: -1200"], false),
            (["Age: 1200.0"], false), (["Age: 1200", "Age: 1200"], false), (["Age: 1200s"], false), (["Age:"], false),
            (["Age: 99999999999999999999"], false),
        ] as [([String], Bool)])
    func age(fields: [String], isPaid: Bool) async throws {
        let date = "Date: \(Timestamp.vectors.adding(seconds: -1200).httpDate)"
        let upstream = try ScriptedUpstream.serving { request in
            Seller.isPaid(request)
                ? Respond.with(200, [Seller.report()], body: "{}")
                : Respond.with(402, [Seller.challenge(), date] + fields, body: "{}")
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == (isPaid ? 200 : 402))
            if !isPaid { #expect(try Self.problem(response)["code"]?.string == "clock") }
        }
    }
}
