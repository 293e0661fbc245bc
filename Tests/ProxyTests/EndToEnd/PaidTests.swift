import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Paying for an answer", .mayBlock)
struct PaidTests {
    @Test("a version 2 challenge is paid on the connection that asked, and the books say settled")
    func version2() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report(), "purser-paid: 7"], body: "bought"))
        var options = Lab.Options()
        options.key = (.xAPIKey, "gateway-key")
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange(
                "POST", "/lab/v1/chat?x=1", ["purser-note: a", "x-api-key: mine"], body: "ask")
            #expect(response.status == 200 && response.text == "bought")
            #expect(response["payment-required"].isEmpty)
            #expect(response["payment-response"].count == 1)
            #expect(response["purser-paid"] == ["0.01 USDT"])
            #expect(response["purser-outcome"] == ["settled"])
            let payment = try await lab.payment()
            #expect(payment.state == .settled)
            #expect(payment.evidence.transaction == "0xabc")
            #expect(payment.evidence.signature?.count == 65)
            #expect(response["purser-payment"] == [payment.id.description])
            #expect(upstream.connections.count == 1)
            let requests = try Requests(upstream.received[0]).all
            #expect(requests.count == 2)
            #expect(requests[0]["payment-signature"].isEmpty)
            for request in requests {
                #expect(request.text == "ask")
                #expect(request["x-api-key"] == ["gateway-key"])
                #expect(request["authorization"].isEmpty && request["purser-note"].isEmpty)
                #expect(request["host"] == ["127.0.0.1:\(upstream.port)"])
            }
            let payload = try Seller.payload(of: requests[1])
            #expect(payload["x402Version"]?.integer == 2)
            #expect(payload["accepted"]?["amount"]?.string == "10000")
            #expect(payload["resource"]?["url"]?.string == "http://seller/x")
            #expect(try Seller.signer(of: payload) == lab.wallet)
            #expect(payload["payload"]?["authorization"]?["to"]?.string == Seller.payee)
        }
    }

    @Test("a version 1 body, plain or compressed, is paid with X-PAYMENT", arguments: ["identity", "gzip", "deflate"])
    func version1(coding: String) async throws {
        let body = try Compression.encode(Array(Seller.bodyV1.utf8), coding: coding)
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) {
                    try wire.send(
                        Respond.with(200, ["x-payment-response: " + Seller.report().dropFirst(18)], body: "ok"))
                } else {
                    try wire.send(
                        "HTTP/1.1 402 Pay\r\ncontent-encoding: \(coding)\r\ntransfer-encoding: chunked\r\n\r\n"
                            + String(body.count, radix: 16) + "\r\n")
                    try wire.send(body)
                    try wire.send("\r\n0\r\n\r\n")
                }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "ok")
            #expect(try await lab.payment().state == .settled)
            let requests = try Requests(upstream.received[0]).all
            let payload = try Seller.payload(of: requests[1], field: "x-payment")
            #expect(payload["x402Version"]?.integer == 1)
            #expect(payload["network"]?.string == "arbitrum")
            #expect(try Seller.signer(of: payload) == lab.wallet)
        }
    }

    @Test(
        "a 402 without a challenge passes with its body as it is", arguments: ["{\"error\":\"top up\"}", "", "<html>"])
    func noChallenge(body: String) async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(402, ["x-mine: 1"], body: body) }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response.text == body && response["x-mine"] == ["1"])
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a 402 longer than any challenge passes whole")
    func longRefusal() async throws {
        let body = String(repeating: "x", count: 300_000)
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(402, body: body) }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == body)
        }
    }

    @Test("a paid answer streams: the first event is not held")
    func paidStream() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Seller.unpaid)
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            _ = try wire.readRequest()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 2) + "{}")
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 200") == true)
            #expect(try wire.read(10) == Array("5\r\nfirst\r\n".utf8))
        }
    }

    @Test("a cap refuses with 402 and says which, and the challenge goes with it")
    func capRefusal() async throws {
        var options = Lab.Options()
        options.caps = [CapLimit(.request, .cents(100)), CapLimit(.day, .cents(1))]
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()]))
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
            let refusal = try lab.exchange("GET", "/lab/x")
            #expect(refusal.status == 402)
            #expect(refusal["content-type"] == ["application/problem+json"])
            #expect(refusal["payment-required"] == [String(Seller.challenge().dropFirst("PAYMENT-REQUIRED: ".count))])
            let problem = try JSONReader.read(refusal.content)
            #expect(problem["error"]?["code"]?.string == "cap-exceeded")
            #expect(problem["cap"]?["window"]?.string == "day")
            #expect(problem["cap"]?["left_usd"]?.string == "0.00")
            #expect(try await lab.payments().map(\.state) == [.settled, .refused])
        }
    }

    @Test("policy refuses with 402, as money does")
    func policyRefusal() async throws {
        var options = Lab.Options()
        options.pay = []
        let upstream = try Seller.serving(Respond.with(200))
        try await Lab.run(options, upstream) { lab async throws in
            let refusal = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(refusal.status == 402 && refusal["payment-required"].count == 1)
            #expect(refusal["x-should-retry"] == ["false"])
            #expect(try JSONReader.read(refusal.content)["error"]?["code"]?.string == "not-in-pay-list")
            #expect(try await lab.payment().state == .refused)
        }
    }

    @Test("HEAD is not paid for")
    func head() async throws {
        try await Lab.run(try Seller.serving(Respond.with(200))) { lab async throws in
            let response = try lab.exchange("HEAD", "/lab/x")
            #expect(response.status == 402 && response["payment-required"].count == 1)
            let row = try await lab.payment()
            #expect(row.state == .refused)
            #expect(row.evidence.reason == "method-not-paid")
        }
    }

    @Test("the agent's own payment passes, and a 402 to it is the agent's")
    func agentsOwnPayment() async throws {
        let upstream = try ScriptedUpstream.serving { _ in Seller.unpaid }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x", ["PAYMENT-SIGNATURE: mine"])
            #expect(response.status == 402 && response["payment-required"].count == 1)
            #expect(try Requests(upstream.received[0]).all.map { $0["payment-signature"] } == [["mine"]])
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("a challenge in the head is paid although its body is longer than any challenge")
    func longChallengeBody() async throws {
        let upstream = try ScriptedUpstream.serving { request in
            Seller.isPaid(request)
                ? Respond.with(200, [Seller.report()], body: "ok")
                : Respond.with(402, [Seller.challenge()], body: String(repeating: "x", count: 300_000))
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "ok")
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a foreign redirect behind a payment says that money was signed")
    func foreignRedirect() async throws {
        let upstream = try Seller.serving(Respond.with(302, ["location: https://evil.example/"]))
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response["location"].isEmpty)
            #expect(response.text.contains("A payment was signed and sent"))
            #expect(response["x-should-retry"] == ["false"])
            let payment = try await lab.payment()
            #expect(payment.state == .inDoubt)
            #expect(response["purser-payment"] == [payment.id.description])
            #expect(response["purser-outcome"] == [payment.state.rawValue])
            #expect(response["purser-exposed"] == ["0.01 USDT"])
            let problem = try JSONReader.read(response.content)
            #expect(problem["code"]?.string == "redirect-refused" && problem["reason"]?.string == "another-host")
            #expect(problem["location"]?.string == "https://evil.example/")
            #expect(problem["payment"]?.string == payment.id.description)
            #expect(payment.evidence.reason == "redirect refused (another-host): https://evil.example/")
        }
    }

    @Test("a paid creation keeps a place elsewhere, and one at the gateway is written as agents call it")
    func creation() async throws {
        let places = [
            ("/v1/realtime/calls/rtc_1", "/v1/realtime/calls/rtc_1"), ("/openai/v1/calls/2", "/lab/v1/calls/2"),
        ]
        for (sent, seen) in places {
            let upstream = try Seller.serving(Respond.with(201, [Seller.report(), "location: \(sent)"], body: "sdp"))
            var options = Lab.Options()
            options.basePath = "/openai"
            try await Lab.run(options, upstream) { lab async throws in
                let response = try lab.exchange("POST", "/lab/v1/realtime/calls", body: "q")
                #expect(response.status == 201 && response.text == "sdp" && response["location"] == [seen])
                #expect(response["purser-outcome"] == ["settled"])
            }
        }
    }

    @Test("a redirect to the gateway's own host under another scheme, after a payment, leads on here")
    func ownRedirect() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                let port = request["host"][0].split(separator: ":")[1]
                let moved = Respond.with(302, [Seller.report(), "location: https://127.0.0.1:\(port)/result?id=1"])
                try wire.send(Seller.isPaid(request) ? moved : Seller.unpaid)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 302 && response["location"] == ["/lab/result?id=1"])
        }
    }

    @Test("a foreign redirect behind a settled payment says what was paid")
    func settledForeignRedirect() async throws {
        let upstream = try Seller.serving(Respond.with(302, [Seller.report(), "location: https://evil.example/"]))
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response.text.contains("A payment was signed and sent"))
            #expect(response.text.contains("booked as settled"))
            #expect(response["purser-outcome"] == ["settled"] && response["purser-paid"] == ["0.01 USDT"])
            #expect(response["x-should-retry"] == ["false"])
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a 402 whose body drips is decided by its head after a moment")
    func drippingChallenge() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard !Seller.isPaid(request) else {
                    try wire.send(Respond.with(200, [Seller.report()], body: "ok"))
                    continue
                }
                try wire.send("HTTP/1.1 402 Pay\r\n\(Seller.challenge())\r\ncontent-length: 1000\r\n\r\n")
                for _ in 0..<100 {
                    try wire.send("x")
                    Threads.pause(milliseconds: 50)
                }
            }
        }
        var options = Lab.Options()
        options.proxy.challenge = .milliseconds(300)
        try await Lab.run(options, upstream) { lab async throws in
            let begin = ContinuousClock.now
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "ok")
            #expect(ContinuousClock.now - begin < .seconds(3))
            #expect(try await lab.payment().state == .settled)
            #expect(upstream.connections.count == 2)
        }
    }

    @Test("a 402 that only its body explains is read for as long as it takes")
    func slowChallengeBody() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard !Seller.isPaid(request) else {
                    try wire.send(Respond.with(200, [Seller.report()], body: "ok"))
                    continue
                }
                let answer = Array(Respond.with(402, body: Seller.bodyV1).utf8)
                try wire.send(Array(answer.dropLast()))
                Threads.pause(milliseconds: 900)
                try wire.send(Array(answer.suffix(1)))
            }
        }
        var options = Lab.Options()
        options.proxy.challenge = .milliseconds(200)
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "ok")
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("a gateway that answers 402 and closes is paid on a new connection", arguments: [false, true])
    func closingGateway(untilClose: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, number in
            guard let request = try wire.readRequest() else { return }
            if Seller.isPaid(request) {
                try wire.send(Respond.with(200, [Seller.report()], body: "on \(number)"))
            } else {
                let end = untilClose ? "" : "connection: close\r\ncontent-length: 2\r\n"
                try wire.send("HTTP/1.1 402 Pay\r\n\(Seller.challenge())\r\n\(end)\r\n{}")
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "on 1")
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("64 agents at once never exceed a cap")
    func parallel() async throws {
        var options = Lab.Options()
        options.caps = [CapLimit(.lifetime, .cents(20))]
        options.loops = 2
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "ok"))
        try await Lab.run(options, upstream) { lab async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<64 {
                    group.addTask { try lab.exchange("POST", "/lab/\(number)", body: "n\(number)").status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 20, 402: 44])
            let states = try await lab.payments().map(\.state)
            #expect(states.filter { $0 == .settled }.count == 20)
            #expect(states.filter { $0 == .refused }.count == RefusalCounter.bookedPerMinute)
            #expect(try await lab.ledger.noteRefusals(all: true, at: .vectors).map(\.count) == [39])
        }
    }
}
