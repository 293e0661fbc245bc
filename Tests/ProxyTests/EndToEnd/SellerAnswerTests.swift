import Ledger
import Payments
import Policy
import Primitives
import Proxy
import TestSupport
import Testing

/// Answers of sellers as bytes on the wire, and what the agent is told when they are not paid.
@Suite("Answers of sellers", .timeLimit(.minutes(1)))
struct SellerAnswerTests {
    /// An answer of Specs/vectors/answers without its Date, which is not the time of the tests.
    private static func answer(_ name: String) throws -> [UInt8] {
        let bytes = try Vectors.bytes(of: "Specs/vectors/answers/\(name).http")
        let date = Array("Date: ".utf8)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: date) })
        let end = try #require(bytes[start...].firstIndex(of: 0x0a))
        return Array(bytes[..<start]) + bytes[(end + 1)...]
    }

    /// A seller that gives an answer to what is not paid.
    private static func seller(_ unpaid: [UInt8]) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) {
                    try wire.send(Respond.with(200, [Seller.report()], body: "bought"))
                } else {
                    try wire.send(unpaid)
                }
            }
        }
    }

    private static func code(_ response: Message) throws -> String? {
        try JSONReader.read(response.content)["code"]?.string
    }

    @Test("a flag in the header does not hide the challenge in the body")
    func flag() async throws {
        try await Lab.run(try Self.seller(Self.answer("flag-header-and-v1-body"))) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a challenge in a coding that was not asked for is told of")
    func brotli() async throws {
        let upstream = try Self.seller(Self.answer("v1-challenge-in-br"))
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", ["Accept-Encoding: gzip, deflate, br"], body: "q")
            #expect(response.status == 402 && response["content-encoding"].isEmpty)
            #expect(try Self.code(response) == "challenge-unreadable" && response.text.contains("the coding br"))
            #expect(response["purser-payment"] == [try await lab.payment().id.description])
            #expect(try await lab.payment().state == .refused)
            #expect(try Requests(upstream.received[0]).all.map { $0["accept-encoding"] } == [["gzip, deflate"]])
        }
    }

    @Test("a seller that codes what it is asked to is asked for what can be read, and paid")
    func asked() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) {
                    try wire.send(Respond.with(200, [Seller.report()], body: "bought"))
                } else if request["accept-encoding"].joined().contains("br") {
                    try wire.send(Self.answer("v1-challenge-in-br"))
                } else {
                    try wire.send(Respond.with(402, body: Seller.bodyV1))
                }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            for accepted in ["gzip, deflate, br, zstd", "br", "*"] {
                let response = try lab.exchange("POST", "/lab/x", ["Accept-Encoding: \(accepted)"], body: accepted)
                #expect(response.text == "bought")
            }
            #expect(try lab.exchange("POST", "/lab/x", body: "none").text == "bought")
        }
    }

    @Test("nine kilobytes of outputSchema are refused before signing, or left out where the gateway says so")
    func longEntry() async throws {
        let unpaid = try Self.answer("long-output-schema")
        try await Lab.run(try Self.seller(unpaid)) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(try response.status == 402 && Self.code(response) == "challenge-too-long")
            #expect(response["payment-required"].count == 1)
            #expect(try await lab.payment().state == .refused)
        }
        var options = Lab.Options()
        options.policy.gate.trimsEntry = true
        let upstream = try Self.seller(unpaid)
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            let paid = try #require(Requests(upstream.received[0]).all.last)
            #expect("payment-signature: \(paid["payment-signature"].joined())".utf8.count <= 6144)
            let accepted = try #require(Seller.payload(of: paid)["accepted"])
            #expect(
                accepted.members?.map(\.key)
                    == ["scheme", "network", "amount", "asset", "payTo", "maxTimeoutSeconds", "extra"])
        }
    }

    @Test(
        "a body that begins like a challenge and is too long is told of; another one passes unchanged",
        arguments: [false, true])
    func tooLong(isChunked: Bool) async throws {
        func answer(_ body: String) -> [UInt8] {
            let framing = isChunked ? "transfer-encoding: chunked" : "content-length: \(body.utf8.count)"
            let framed = isChunked ? "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n" : body
            return Array("HTTP/1.1 402 Pay\r\nx-own: 1\r\n\(framing)\r\n\r\n\(framed)".utf8)
        }
        let spaces = String(repeating: " ", count: 300_000)
        try await Lab.run(try Self.seller(answer(#"{"x402Version":1,"accepts":[\#(spaces)]}"#))) { lab async throws in
            for _ in 0..<3 {
                let response = try lab.exchange("POST", "/lab/x", body: "q")
                #expect(try response.status == 402 && Self.code(response) == "challenge-unreadable")
                #expect(response.text.contains("longer than 64 KiB") && response["x-own"].isEmpty)
            }
            #expect(try await lab.payments().map(\.state) == [.refused, .refused, .refused])
        }
        try await Lab.run(try Self.seller(answer(#"{"error":"pay"\#(spaces)}"#))) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response["x-own"] == ["1"] && response.content.count == 300_015)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test(
        "what looks like a challenge and cannot be read is an answer of ours, with the seller's fields and a row",
        arguments: [
            (["PAYMENT-REQUIRED: @@@"], "{}"), (["X-Payment-Required: true"], "{}"), (["Payment-Required:"], ""),
            ([], #"{"accepts":7}"#), ([], #"{"x402Version":2}"#), ([], #"{"x402Version":1,"accepts":[{"sch"#),
            (["Content-Encoding: gzip", "Content-Type: application/json"], "not gzip"),
        ])
    func unreadable(fields: [String], body: String) async throws {
        try await Lab.run(try Self.seller(Array(Respond.with(402, fields, body: body).utf8))) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(try response.status == 402 && Self.code(response) == "challenge-unreadable")
            #expect(response["x-should-retry"] == ["false"])
            let values = fields.filter { $0.lowercased().contains("payment-required") }.map {
                String($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " })
            }
            #expect(response["payment-required"] + response["x-payment-required"] == values)
            #expect(try await lab.payment().evidence.reason == "challenge-unreadable")
        }
    }

    @Test(
        "other 402 answers pass unchanged, and leave no row",
        arguments: [
            (["WWW-Authenticate: L402 x"], ""), (["Content-Type: text/html"], "<html>"),
            (["Content-Type: text/html", "Content-Encoding: br"], "not brotli"), ([], #"{"error":"x402Version"}"#),
            ([], #"[{"accepts":[]}]"#),
        ])
    func others(fields: [String], body: String) async throws {
        try await Lab.run(try Self.seller(Array(Respond.with(402, fields, body: body).utf8))) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response.text == body)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("what the agent pays itself passes as it came, in any coding")
    func ownPayment() async throws {
        let unpaid = try Self.answer("v1-challenge-in-br")
        let upstream = try ScriptedUpstream { wire, _ in
            while try wire.readRequest() != nil { try wire.send(unpaid) }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x", ["X-Payment: mine", "Accept-Encoding: br"])
            #expect(response.status == 402 && response["content-encoding"] == ["br"])
            #expect(try Requests(upstream.received[0]).all.map { $0["accept-encoding"] } == [["br"]])
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("HEAD, and a body too long to be sent once more, are told why with the seller's challenge")
    func notPaid() async throws {
        var options = Lab.Options()
        options.replay.total = 64 << 10
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            let head = try lab.exchange("HEAD", "/lab/x")
            #expect(head.status == 402 && head["payment-required"].count == 1 && head.content.isEmpty)
            let long = try lab.exchange("POST", "/lab/x", body: String(repeating: "x", count: 100_000))
            #expect(try long.status == 402 && Self.code(long) == "body-too-large-to-replay")
            #expect(long["payment-required"].count == 1)
            #expect(
                try await lab.payments().map(\.evidence.reason) == ["method-not-paid", "body-too-large-to-replay"])
        }
    }
}
