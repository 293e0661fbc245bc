import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("A 402 whose body does not come whole", .mayBlock)
struct CutChallengeTests {
    /// How the body fails to come.
    enum End: CaseIterable {
        case closed, malformed, slow, outOfTime

        /// What a refusal says of it.
        var words: String {
            switch self {
            case .closed: "broke off"
            case .malformed: "not valid HTTP"
            case .slow: "in time"
            case .outOfTime: "total-timeout"
            }
        }

        var options: Lab.Options {
            var options = Lab.Options()
            options.proxy.challenge = .milliseconds(100)
            switch self {
            case .slow: options.gateway.firstByte = .milliseconds(300)
            case .outOfTime: options.gateway.total = .milliseconds(400)
            case .closed, .malformed: break
            }
            return options
        }

        /// A seller that answers requests without a payment by a head with these fields and the beginning of a body.
        func upstream(_ fields: [String], _ part: String, _ over: Gate) throws -> ScriptedUpstream {
            try ScriptedUpstream { wire, _ in
                while let request = try wire.readRequest() {
                    guard !Seller.isPaid(request) else {
                        try wire.send(Respond.with(200, [Seller.report()], body: "bought"))
                        continue
                    }
                    let lines = (fields + ["transfer-encoding: chunked"]).joined(separator: "\r\n")
                    let chunk = "\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n"
                    try wire.send("HTTP/1.1 402 Pay\r\n\(lines)\r\n\r\n\(chunk)")
                    if self == .malformed {
                        Threads.pause(milliseconds: 100)
                        try wire.send("x\r\n")
                    }
                    if self == .slow || self == .outOfTime { over.waitBlocking() }
                    return
                }
            }
        }
    }

    /// Challenges of which no more than a part can be read.
    enum Part: CaseIterable {
        case body, headerAndBody, header

        var fields: [String] { self == .body ? [] : ["PAYMENT-REQUIRED: true"] }
        var body: String { self == .header ? "pay" : String(Seller.bodyV1.dropLast(10)) }
    }

    private static func run(
        _ end: End, _ fields: [String], _ part: String, _ test: (Lab, ScriptedUpstream) async throws -> Void
    ) async throws {
        let over = Gate()
        let upstream = try end.upstream(fields, part, over)
        try await Lab.run(end.options, upstream) { lab async throws in
            try await test(lab, upstream)
            over.open()
        }
    }

    @Test("what looks like a challenge is refused with the reason and booked", arguments: End.allCases, Part.allCases)
    func refused(end: End, part: Part) async throws {
        try await Self.run(end, part.fields, part.body) { lab, _ in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            let problem = try JSONReader.read(response.content)
            #expect(response.status == 402 && problem["code"]?.string == "challenge-unreadable")
            let detail = try #require(problem["detail"]?.string)
            #expect(detail.contains(part == .header ? "PAYMENT-REQUIRED" : end.words), "\(detail)")
            #expect(response["payment-required"] == (part == .body ? [] : ["true"]))
            let row = try await lab.payment()
            #expect(row.state == .refused && row.evidence.reason == "challenge-unreadable")
            #expect(problem["payment"]?.string == row.id.description)
        }
    }

    @Test("a challenge that the head holds whole is paid", arguments: [End.closed, .malformed, .slow])
    func paid(end: End) async throws {
        try await Self.run(end, [Seller.challenge()], "{") { lab, upstream in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 200 && response.text == "bought")
            #expect(try await lab.payment().state == .settled)
            #expect(try Seller.payments(at: upstream).count == 1)
        }
    }

    @Test("a challenge that the head holds is not paid once the exchange's time is over, and booked")
    func outOfTime() async throws {
        let over = Gate()
        let upstream = try End.outOfTime.upstream([Seller.challenge()], "{", over)
        var options = End.outOfTime.options
        options.proxy.challenge = .seconds(20)
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 504)
            #expect(try JSONReader.read(response.content)["code"]?.string == "exchange-timeout")
            #expect(response["payment-required"].count == 1)
            #expect(try await lab.payment().evidence.reason == "exchange-timeout")
            #expect(try Seller.payments(at: upstream).isEmpty)
            over.open()
        }
    }

    @Test("what does not look like a challenge keeps the answer of a gateway that fails", arguments: End.allCases)
    func plain(end: End) async throws {
        try await Self.run(end, [], "pay at the desk") { lab, _ in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            let statuses: [End: Int] = [.closed: 502, .malformed: 502, .slow: 504, .outOfTime: 504]
            #expect(response.status == statuses[end])
            #expect(try await lab.states().isEmpty)
        }
    }

    @Test("an agent whose upload is still coming is answered as well")
    func duringUpload() async throws {
        let over = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readHead()
            try wire.send("HTTP/1.1 402 Pay\r\nPAYMENT-REQUIRED: true\r\ncontent-length: 100\r\n\r\n{")
            over.waitBlocking()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 10) + "half ")
            #expect(eventually { upstream.received.contains { !$0.isEmpty } })
            Threads.pause(milliseconds: 100)
            over.open()
            Threads.pause(milliseconds: 100)
            try wire.send("there")
            let response = try wire.readResponse()
            #expect(try JSONReader.read(response.content)["code"]?.string == "challenge-unreadable")
            #expect(try await lab.payment().state == .refused)
        }
    }
}
