import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("A request that comes again", .mayBlock)
struct AdoptionTests {
    private static let served = Respond.with(200, [Seller.report()], body: "bought")

    private static var impatient: Lab.Options {
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(700)
        return options
    }

    /// The code of a problem.
    private static func code(_ response: Message) throws -> String? {
        try JSONReader.read(response.content)["code"]?.string
    }

    @Test("the seller of an attempt that timed out gets the same bytes again, and a parallel request others")
    func afterTimeout() async throws {
        let (second, rest) = (Gate(), Gate())
        let upstream = try Seller.paidInTurn { number in
            if number == 0 { return nil }
            if number == 1 {
                second.open()
                rest.waitBlocking()
            }
            return Self.served
        }
        var options = Self.impatient
        options.gateway.firstByte = .milliseconds(2000)
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 504)
            #expect(try await lab.wait(for: .inDoubt))
            let again = try lab.connect()
            try again.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await second.opened())
            #expect(try await lab.states() == [.resumed])
            // The adopter is connected, so this one is a purchase of its own.
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            rest.open()
            let response = try again.readResponse()
            let records = try await lab.payments()
            #expect(response.text == "bought" && response["purser-payment"] == [records[0].id.description])
            #expect(response["purser-outcome"] == ["settled"] && response["purser-paid"] == ["0.01 USDT"])
            #expect(records.map(\.state) == [.settled, .settled])
            let sent = try Seller.payments(at: upstream)
            #expect(sent.count == 3 && Set(sent).count == 2)
            #expect(
                try await lab.ledger.history(of: records[0].id).map(\.line.cause) == [
                    "reserved", "lost-sight", "adopted", "settled",
                ])
        }
    }

    @Test("an agent that left while its payment was out may take it over once its exchange has ended")
    func afterLeaving() async throws {
        let upstream = try Seller.paidInTurn { $0 == 0 ? nil : Self.served }
        var options = Lab.Options()
        options.proxy.outcome = .milliseconds(300)
        options.keptAnswers.time = .milliseconds(300)
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(eventually { (try? Seller.payments(at: upstream).count) == 1 })
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            // Another field waits for the end, and then takes the payment over.
            #expect(try lab.exchange("POST", "/lab/x", ["accept: text/plain"], body: "q").text == "bought")
            #expect(try await lab.payment().state == .settled)
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test("what a restart left behind is taken over as well")
    func afterRestart() async throws {
        let upstream = try Seller.paidInTurn { $0 == 0 ? nil : Self.served }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(eventually { (try? Seller.payments(at: upstream).count) == 1 })
            // What the next process does first; no signature is on record then.
            #expect(try await lab.ledger.doubtAttended(at: .vectors).value == 1)
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            let sent = try Seller.payments(at: upstream)
            #expect(sent.count == 2 && Set(sent).count == 1)
            #expect(try await lab.payments().map(\.state) == [.settled])
        }
    }

    @Test("another body, another path and another agent's request are not the same request")
    func otherRequests() async throws {
        let upstream = try Seller.paidInTurn { $0 == 0 ? Respond.with(500) : Self.served }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 500)
            #expect(try lab.exchange("POST", "/lab/x", body: "r").status == 200)
            #expect(try lab.exchange("POST", "/lab/y", body: "q").status == 200)
            #expect(try lab.exchange("PUT", "/lab/x", body: "q").status == 200)
            #expect(try await lab.payments().map(\.state) == [.inDoubt, .settled, .settled, .settled])
            #expect(Set(try Seller.payments(at: upstream)).count == 4)
        }
    }

    static let usedAnswers = [
        Respond.with(409, body: "seen it"),
        Respond.with(402, [Seller.challenge(error: "invalid_exact_evm_nonce_already_used")], body: "seen it"),
        Respond.with(402, [Seller.report(success: false, reason: "nonce_already_used")], body: "seen it"),
        Respond.with(402, body: #"{"x402Version":1,"error":"nonce_already_used","accepts":[],"seen it":1}"#),
    ]

    @Test("a seller that has taken the money already is not believed to want more", arguments: usedAnswers)
    func paidNotServed(answer: String) async throws {
        let upstream = try Seller.paidInTurn { $0 == 0 ? nil : answer }
        try await Lab.run(Self.impatient, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 504)
            #expect(try await lab.wait(for: .inDoubt))
            try await Self.expectNotServed(try lab.exchange("POST", "/lab/x", body: "q"), lab)
        }
    }

    @Test("the same holds for the second sending within one request", arguments: usedAnswers)
    func secondSending(answer: String) async throws {
        let upstream = try ScriptedUpstream { wire, number in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request), number == 0 { return }
                try wire.send(Seller.isPaid(request) ? answer : Seller.unpaid)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            try await Self.expectNotServed(try lab.exchange("POST", "/lab/x", body: "q"), lab)
        }
    }

    static let otherBodies = [
        #"{"x402Version":1,"error":"insufficient_funds","accepts":[]}"#, "no JSON",
        String(repeating: "x", count: 300_000),
    ]

    @Test("a refusal that says anything else in its body reaches the agent whole", arguments: otherBodies)
    func refusedAgain(body: String) async throws {
        let upstream = try Seller.paidInTurn { $0 == 0 ? nil : Respond.with(402, ["x-mine: 1"], body: body) }
        try await Lab.run(Self.impatient, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 504)
            #expect(try await lab.wait(for: .inDoubt))
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(response.status == 402 && response.text == body && response["x-mine"] == ["1"])
            #expect(response["purser-outcome"] == ["rejected"] && response["x-should-retry"] == ["false"])
            #expect(try await lab.payment().state == .rejected)
        }
    }

    @Test("a refusal whose body drips is taken for what its head says, and is relayed as it comes")
    func drippingRefusal() async throws {
        let paid = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                guard paid.next() > 0 else { continue }
                try wire.send("HTTP/1.1 402 Pay\r\ncontent-length: 10\r\n\r\nfirst")
                Threads.pause(milliseconds: 400)
                try wire.send("later")
            }
        }
        var options = Self.impatient
        options.proxy.challenge = .milliseconds(100)
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 504)
            #expect(try await lab.wait(for: .inDoubt))
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "firstlater")
            #expect(try await lab.payment().state == .rejected)
        }
    }

    private static func expectNotServed(_ response: Message, _ lab: Lab) async throws {
        let payment = try await lab.payment()
        #expect(payment.state == .presumed)
        #expect(response.status == 402 && response["x-should-retry"] == ["false"])
        #expect(response["payment-required"].isEmpty && !response.text.contains("seen it"))
        #expect(response["purser-payment"] == [payment.id.description])
        #expect(response["purser-outcome"] == ["presumed"] && response["purser-paid"] == ["0.01 USDT"])
        let problem = try JSONReader.read(response.content)
        #expect(problem["code"]?.string == "paid-not-served" && problem["retryable"]?.bool == false)
        #expect(problem["payment"]?.string == payment.id.description)
    }

    @Test("an adopted payment that cannot be sent stays exposed, and the agent hears of it")
    func notSendable() async throws {
        let second = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest(), !Seller.isPaid(request) {
                let closing = second.next() > 0 ? "connection: close\r\n" : ""
                try wire.send(
                    "HTTP/1.1 402 Pay\r\n\(Seller.challenge())\r\n\(closing)content-length: 0\r\n\r\n")
                if !closing.isEmpty { return }
            }
            _ = try wire.readRequest()
        }
        var options = Self.impatient
        let reservations = Progress()
        options.onReserved = { if reservations.next() == 1 { upstream.stop() } }
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 504)
            #expect(try await lab.wait(for: .inDoubt))
            let response = try lab.exchange("POST", "/lab/x", body: "q")
            let payment = try await lab.payment()
            #expect(response.status == 502 && response["purser-outcome"] == ["in-doubt"])
            #expect(response["purser-payment"] == [payment.id.description] && response["x-should-retry"] == ["false"])
            #expect(payment.state == .inDoubt)
        }
    }

    // MARK: Idempotency keys

    @Test("a repeated key sends the settled payment's bytes again, and the key itself travels on")
    func repeatedKey() async throws {
        let upstream = try Seller.serving(Self.served)
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<2 {
                let response = try lab.exchange("POST", "/lab/x", ["Idempotency-Key: order-1"], body: "q")
                #expect(response.text == "bought" && response["purser-outcome"] == ["settled"])
            }
            let sent = try Seller.payments(at: upstream)
            #expect(sent.count == 2 && Set(sent).count == 1)
            #expect(try await lab.payment().state == .settled)
            let keys = try upstream.received.flatMap { try Requests($0).all }.map { $0["idempotency-key"] }
            #expect(keys == Array(repeating: ["order-1"], count: 4))
        }
    }

    @Test("a key that belongs to another request is a 422, and nothing is paid")
    func reusedKey() async throws {
        try await Lab.run(try Seller.serving(Self.served)) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", ["idempotency-key: k"], body: "q").status == 200)
            let response = try lab.exchange("POST", "/lab/x", ["idempotency-key: k"], body: "other")
            #expect(response.status == 422 && response["x-should-retry"] == ["false"])
            let records = try await lab.payments()
            #expect(records.map(\.state) == [.settled, .refused])
            let problem = try JSONReader.read(response.content)
            #expect(problem["code"]?.string == "idempotency-key-reused")
            #expect(problem["earlier_payment"]?.string == records[0].id.description)
            #expect(problem["payment"]?.string == records[1].id.description)
        }
    }

    @Test("a key whose payment is under way is a 409 that no client repeats")
    func keyInUse() async throws {
        let arrived = Gate()
        let rest = Gate()
        let upstream = try Seller.paidInTurn { _ in
            arrived.open()
            rest.waitBlocking()
            return Self.served
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["idempotency-key: k"], length: 1) + "q")
            #expect(await arrived.opened())
            let response = try lab.exchange("POST", "/lab/x", ["idempotency-key: k"], body: "q")
            #expect(response.status == 409 && response["x-should-retry"] == ["false"])
            #expect(try Self.code(response) == "idempotency-key-in-use")
            rest.open()
            #expect(try wire.readResponse().text == "bought")
        }
    }

    @Test(
        "reject- idempotency keys that are none",
        arguments: [
            ["idempotency-key:"], ["idempotency-key: a b"], ["idempotency-key: ü"],
            ["idempotency-key: a", "Idempotency-Key: a"],
            ["idempotency-key: " + String(repeating: "k", count: 256)],
        ])
    func badKeys(fields: [String]) async throws {
        try await Lab.run(try Seller.serving(Self.served)) { lab async throws in
            let response = try lab.exchange("GET", "/lab/x", fields)
            #expect(response.status == 400)
            #expect(try Self.code(response) == "bad-idempotency-key")
            #expect(lab.upstream.connections.isEmpty)
            let long = "idempotency-key: " + String(repeating: "~", count: 255)
            #expect(try lab.exchange("GET", "/lab/x", [long]).status == 200)
        }
    }
}
