import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("What becomes of a payment that was sent", .mayBlock)
struct OutcomeTests {
    struct Outcome: Sendable, CustomStringConvertible {
        let status: Int
        let report: String?
        let state: PaymentState
        var description: String { "\(status) with \(report ?? "nothing")" }
    }

    static let outcomes = [
        Outcome(status: 200, report: nil, state: .presumed),
        Outcome(status: 200, report: "PAYMENT-RESPONSE: garbage", state: .presumed),
        Outcome(status: 201, report: Seller.report(), state: .settled),
        Outcome(status: 402, report: nil, state: .rejected),
        Outcome(status: 402, report: Seller.report(success: false, reason: "insufficient_funds"), state: .rejected),
        Outcome(status: 500, report: nil, state: .inDoubt),
        Outcome(status: 409, report: nil, state: .inDoubt),
        Outcome(status: 429, report: nil, state: .inDoubt),
        Outcome(status: 302, report: nil, state: .inDoubt),
        Outcome(status: 502, report: Seller.report(success: false, reason: "settlement_pending"), state: .inDoubt),
        Outcome(status: 500, report: Seller.report(), state: .settled),
    ]

    @Test("the answer decides, and what is not 2xx is not to be repeated", arguments: outcomes)
    func answered(outcome: Outcome) async throws {
        let fields = [outcome.report, Seller.challenge(), "x-should-retry: true"].compactMap { $0 }
        let upstream = try Seller.serving(Respond.with(outcome.status, fields, body: "said"))
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == outcome.status && response.text == "said")
            #expect(response["payment-required"].isEmpty)
            #expect(response["purser-outcome"] == [outcome.state.rawValue])
            #expect(response["x-should-retry"] == (outcome.status < 300 ? [] : ["false"]))
            #expect(try await lab.payment().state == outcome.state)
            #expect(try await lab.payment().evidence.status == outcome.status)
            #expect(try Requests(upstream.received[0]).all.filter(Seller.isPaid).count == 1)
        }
    }

    @Test("a connection that dies without an answer gets the same bytes once more", arguments: [false, true])
    func sameBytesOnceMore(reset: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, number in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                if number == 0 { return reset ? wire.reset() : wire.close() }
                try wire.send(Respond.with(200, [Seller.report()], body: "second"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "second")
            #expect(try await lab.payment().state == .settled)
            let first = try Requests(upstream.received[0]).all[1]
            let second = try Requests(upstream.received[1]).all[0]
            #expect(first.head == second.head && first.raw == second.raw)
        }
    }

    @Test("two deaths leave the payment in doubt, and the agent hears that money was signed")
    func twoDeaths() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest(), !Seller.isPaid(request) { try wire.send(Seller.unpaid) }
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response["x-should-retry"] == ["false"])
            #expect(response.text.contains("A payment was signed and sent"))
            let payment = try await lab.payment()
            #expect(payment.state == .inDoubt)
            #expect(response["purser-payment"] == [payment.id.description])
            #expect(upstream.connections.count == 2)
        }
    }

    @Test("an answer that breaks off in its head is not a reason to send again")
    func brokenHead() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) { return try wire.send("HTTP/1.1 200 O") }
                try wire.send(Seller.unpaid)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").status == 502)
            #expect(try await lab.payment().state == .inDoubt)
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("no answer in time is a 504 and in doubt")
    func silence() async throws {
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(1000)
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if !Seller.isPaid(request) { try wire.send(Seller.unpaid) }
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 504 && response["x-should-retry"] == ["false"])
            #expect(response.text.contains("A payment was signed and sent"))
            #expect(try await lab.payment().state == .inDoubt)
            #expect(upstream.connections.count == 1)
        }
    }

    @Test("an answer that breaks off in its body breaks off for the agent, and stays booked")
    func brokenBody() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                return try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ncontent-length: 10\r\n\r\nhalf")
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(throws: WireError.self) { try lab.exchange("GET", "/lab/x") }
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("for an agent that leaves before the signature nothing leaves the process")
    func goneWhileDeciding() async throws {
        let gone = Gate()
        var options = Lab.Options()
        let reserved = Gate()
        options.onReserved = {
            reserved.open()
            _ = await gone.opened()
        }
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await reserved.opened())
            wire.close()
            Threads.pause(milliseconds: 100)
            gone.open()
            let payment = try await lab.payment()
            #expect(payment.state == .voided && payment.evidence.signature == nil)
            #expect(try Requests(lab.upstream.received[0]).all.count == 1)
        }
    }

    @Test("the outcome is booked for an agent that left after the payment was sent, and the gateway is left")
    func goneAfterSending() async throws {
        let left = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                left.waitBlocking()
                try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ncontent-length: 1000000\r\n\r\nsome")
                _ = try wire.readRequest()
                return
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(eventually { String(decoding: upstream.received.first ?? [], as: UTF8.self).contains("payment-s") })
            wire.close()
            // At once, so that the agent's next identical request may take the payment over.
            #expect(try await lab.wait(for: .inDoubt))
            left.open()
            #expect(try await lab.wait(for: .settled))
            #expect(try await lab.payment().evidence.transaction == "0xabc")
        }
    }

    @Test("an agent that left is waited for only so long")
    func goneAndSilent() async throws {
        var options = Lab.Options()
        options.proxy.outcome = .milliseconds(300)
        let ended = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if !Seller.isPaid(request) { try wire.send(Seller.unpaid) }
            }
            ended.open()
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(eventually { String(decoding: upstream.received.first ?? [], as: UTF8.self).contains("payment-s") })
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            #expect(await ended.opened())
            #expect(try await lab.ledger.history(of: lab.payment().id).map(\.line.cause).last == "lost-sight")
        }
    }

    @Test("stopping waits until the payments under way are in the books")
    func stopping() async throws {
        let arrived = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                arrived.open()
                Threads.pause(milliseconds: 400)
                try wire.send(Respond.with(200, [Seller.report()], body: "late"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await arrived.opened())
            await lab.stop(patience: .seconds(10))
            #expect(try await lab.ledger.payments(PaymentFilter()).map(\.state) == [.settled])
            #expect(try wire.readResponse().text == "late")
            #expect(throws: WireError.system(111)) { try lab.connect() }
        }
    }

    @Test("a gateway that cannot be reached any more voids the payment")
    func unreachableForPayment() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 402 Pay\r\n\(Seller.challenge())\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        }
        var options = Lab.Options()
        options.onReserved = { upstream.stop() }
        try await Lab.run(options, upstream) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 502 && response.text.contains("No payment was signed"))
            #expect(try await lab.payment().state == .voided)
        }
    }
}
