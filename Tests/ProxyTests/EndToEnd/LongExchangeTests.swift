import Ledger
import NIOCore
import Proxy
import TestSupport
import Testing

@Suite("Answers that take their time", .mayBlock)
struct LongExchangeTests {
    @Test("a stream of events may last any number of time-outs, as long as there are events")
    func longStream() async throws {
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(500)
        options.gateway.idle = .milliseconds(500)
        options.proxy.read = .milliseconds(500)
        options.proxy.idle = .milliseconds(500)
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            for _ in 0..<15 {
                Threads.pause(milliseconds: 100)
                try wire.send("data: x\n\n")
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/events")
            #expect(response.text == String(repeating: "data: x\n\n", count: 15))
        }
    }

    @Test("an interim response reaches the agent while the final one is still to come")
    func interim() async throws {
        let seen = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            seen.waitBlocking()
            try wire.send(Respond.with(200, body: "final"))
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(try wire.readHead() == "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            seen.open()
            #expect(try wire.readResponse().text == "final")
        }
    }

    @Test("an interim response to a payment is no outcome, and a death behind it no reason to send again")
    func interimToPayment() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                return try wire.send("HTTP/1.1 102 Processing\r\n\r\n")
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x")
            #expect(response.status == 502 && response["x-should-retry"] == ["false"])
            #expect(try await lab.payment().state == .inDoubt)
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("a body is asked for once, however often the request is sent: Expect and a payment")
    func expectAndPay() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "served"))
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["expect: 100-continue"], length: 4))
            #expect(try wire.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
            try wire.send("body")
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 200 ") == true)
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.map(\.text) == ["body", "body"])
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("an agent that ends what it sends has left: its gateway is told, and nothing is paid for it")
    func halfCloseIsLeaving() async throws {
        let ended = Gate()
        let asked = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            asked.open()
            #expect(try wire.readToEnd().isEmpty)
            ended.open()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(await asked.opened())
            wire.endSending()
            #expect(await ended.opened())
            #expect(try wire.readToEnd().isEmpty)
            #expect(try await lab.payments().isEmpty)
        }
    }
}
