import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("A request that was paid and comes again", .mayBlock)
struct RepetitionTests {
    private static func problem(_ response: Message, _ member: String) throws -> String? {
        try JSONReader.read(response.content)[member]?.string
    }

    private static let moment = Timestamp.vectors

    @Test(
        "a paid failure is paid once: the same bytes are sent again, at most once a second",
        arguments: [500, 429, 404, 503])
    func failure(status: Int) async throws {
        let upstream = try Seller.serving(Respond.with(status, [Seller.report()], body: "no"))
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == status)
            #expect(try await Self.becomes(.failed, lab))
            let payment = try await lab.payment()
            // At once: its turn has not come.
            let early = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(early.status == 402 && early["retry-after"] == ["1"])
            #expect(try Self.problem(early, "code") == "paid-not-served")
            #expect(try Self.problem(early, "payment") == payment.id.description)
            #expect(try Self.problem(early, "retry_at") == Self.moment.adding(seconds: 1).description)
            for _ in 0..<3 {
                lab.clock.advance(seconds: 1)
                let again = try lab.exchange("POST", "/lab/x", body: "q")
                #expect(again.status == status && again["purser-payment"] == [payment.id.description])
            }
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
            #expect(try Seller.payments(at: upstream).count == 4)
            #expect(try await lab.states().filter { $0 != .refused } == [.settled])
            lab.clock.advance(seconds: 57)
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == status)
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
        }
    }

    @Test("a seller that says the bytes are used is answered with the payment, and with when it may be bought again")
    func used() async throws {
        let upstream = try Seller.paidInTurn {
            $0 == 0 ? Respond.with(500, [Seller.report()]) : Respond.with(409, body: "seen it")
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 500)
            let payment = try await lab.payment()
            lab.clock.advance(seconds: 20)
            let again = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(again.status == 402 && again["purser-payment"] == [payment.id.description])
            #expect(try Self.problem(again, "code") == "paid-not-served")
            #expect(try Self.problem(again, "payment") == payment.id.description)
            #expect(try Self.problem(again, "retry_at") == Self.moment.adding(seconds: 60).description)
            #expect(again["retry-after"] == ["40"] && again["x-should-retry"] == ["false"])
            #expect(again["purser-outcome"] == ["settled"])
        }
    }

    @Test("a whole answer that is no failure holds nothing back", arguments: [200, 201, 204, 206, 304])
    func polling(status: Int) async throws {
        let upstream = try Seller.serving(Respond.with(status, [Seller.report()]))
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<2 { #expect(try lab.exchange("GET", "/lab/price").status == status) }
            #expect(try await lab.payments().map(\.state) == [.settled, .settled])
            #expect(try await lab.payments().map(\.delivery) == [nil, nil])
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
        }
    }

    @Test("the entry's own time holds, and 0 pays again at once")
    func configured() async throws {
        let upstream = try Seller.serving(Respond.with(500, [Seller.report()]))
        var options = Lab.Options()
        options.policy.rules.repeatAfterFailure = 0
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 500) }
            #expect(Set(try Seller.payments(at: upstream)).count == 3)
        }
    }

    static let askings: [([String], [String])] = [
        ([], ["Purser-Repeat: buy"]), ([], ["Idempotency-Key: two"]),
        (["Idempotency-Key: one"], ["Idempotency-Key: two"]),
    ]

    @Test("a new key, or a word, asks for a new purchase; the word itself is not forwarded", arguments: askings)
    func askedFor(first: [String], second: [String]) async throws {
        let upstream = try Seller.serving(Respond.with(500, [Seller.report()]))
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", first, body: "q").status == 500)
            #expect(try lab.exchange("POST", "/lab/x", second, body: "q").status == 500)
            #expect(try await lab.payments().map(\.state) == [.settled, .settled])
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.allSatisfy { $0["purser-repeat"].isEmpty })
            // The same key stays with its payment.
            lab.clock.advance(seconds: 2)
            guard !first.isEmpty else { return }
            #expect(try lab.exchange("POST", "/lab/x", first, body: "q").status == 500)
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
        }
    }

    @Test("nothing new is signed beside an unresolved attempt, whatever the agent asks for", arguments: askings)
    func unresolved(first: [String], second: [String]) async throws {
        let upstream = try Seller.serving(Respond.with(500))
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", first, body: "q").status == 500)
            #expect(try lab.exchange("POST", "/lab/x", second, body: "q").status == 500)
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test("an answer that the seller breaks off is not paid for again while its authorization lives")
    func cut() async throws {
        let turn = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                if turn.next() > 0 {
                    try wire.send(Respond.with(200, [Seller.report()], body: "whole"))
                    continue
                }
                return try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ncontent-length: 10\r\n\r\nhalf")
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(throws: WireError.self) { try lab.exchange("GET", "/lab/x") }
            #expect(try await Self.becomes(.undelivered, lab))
            lab.clock.advance(seconds: 50)
            #expect(try lab.exchange("GET", "/lab/x").text == "whole")
            #expect(try await Self.becomes(.delivered, lab))
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
            // It has its answer now, so the next one is a purchase.
            #expect(try lab.exchange("GET", "/lab/x").text == "whole")
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
        }
    }

    /// A seller whose answers begin, and end when they are told to.
    private static func slow(_ fields: [String], _ rest: Gate) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                let lines = (fields + ["content-length: 10"]).joined(separator: "\r\n")
                try wire.send("HTTP/1.1 200 OK\r\n\(lines)\r\n\r\nfirst")
                rest.waitBlocking()
                try wire.send("later")
            }
        }
    }

    /// Waits until the books say something of the first payment's answer.
    private static func becomes(_ fate: Delivery.Fate, _ lab: Lab) async throws -> Bool {
        for _ in 0..<250 {
            if try await lab.ledger.payments(PaymentFilter()).last?.delivery?.fate == fate { return true }
            Threads.pause(milliseconds: 20)
        }
        return false
    }

    private static func underWay(_ lab: Lab, count: Int) async throws -> Bool {
        for _ in 0..<250 {
            let payments = try await lab.ledger.payments(PaymentFilter())
            if payments.filter({ $0.delivery?.fate == .underWay }).count == count { return true }
            Threads.pause(milliseconds: 20)
        }
        return false
    }

    @Test("while an answer is received a parallel identical request is a purchase of its own, and both arrive")
    func parallel() async throws {
        let rest = Gate()
        let upstream = try Self.slow([Seller.report()], rest)
        try await Lab.run(upstream) { lab async throws in
            let wires = try (0..<2).map { _ in try lab.connect() }
            for (number, wire) in wires.enumerated() {
                try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
                #expect(try await Self.underWay(lab, count: number + 1))
            }
            rest.open()
            for wire in wires { #expect(try wire.readResponse().text == "firstlater") }
            #expect(try await Self.underWay(lab, count: 0))
            #expect(try await lab.payments().map(\.delivery?.fate) == [.delivered, .delivered])
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
            #expect(
                try await lab.ledger.history(of: lab.payments()[0].id).dropFirst().map(\.line.detail) == [
                    "answer: under-way", "answer: delivered",
                ])
        }
    }

    @Test(
        "an agent that leaves what it receives is owed it: a settled answer for a while, an unproven one to the end",
        arguments: [true, false])
    func left(isSettled: Bool) async throws {
        let rest = Gate()
        let upstream = try Self.slow(isSettled ? [Seller.report()] : [], rest)
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(try await Self.underWay(lab, count: 1))
            wire.close()
            #expect(try await Self.underWay(lab, count: 0))
            let payment = try await lab.payment()
            #expect(payment.delivery?.fate == (isSettled ? .left : .undelivered))
            rest.open()
            lab.clock.advance(seconds: 40)
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "firstlater")
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test("an agent that stops a settled answer may buy again when its time is over")
    func stopped() async throws {
        let rest = Gate()
        let upstream = try Self.slow([Seller.report()], rest)
        var options = Lab.Options()
        options.policy.rules.repeatAfterFailure = 5
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(try await Self.underWay(lab, count: 1))
            wire.close()
            #expect(try await Self.underWay(lab, count: 0))
            rest.open()
            lab.clock.advance(seconds: 5)
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "firstlater")
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
        }
    }

    @Test("an agent that leaves before the end has reached its socket does not have the answer")
    func slowReader() async throws {
        let body = String(repeating: "x", count: 32 << 20)
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: body))
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(try await Self.underWay(lab, count: 1))
            wire.close()
            #expect(try await Self.underWay(lab, count: 0))
            #expect(try await lab.payment().delivery?.fate == .left)
        }
    }

    @Test("what came for an agent that had gone is owed to its next request, and no later one is told of it")
    func orphan() async throws {
        let gate = Gate()
        let upstream = try Seller.paidInTurn { number in
            if number == 0 { gate.waitBlocking() }
            return Respond.with(200, [Seller.report()], body: "bought")
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(eventually { (try? Seller.payments(at: upstream).count) == 1 })
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            gate.open()
            #expect(try await lab.wait(for: .settled))
            #expect(try await Self.becomes(.undelivered, lab))
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            #expect(try await Self.becomes(.delivered, lab))
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test("a redirect that is refused to the agent has not reached it")
    func refusedRedirect() async throws {
        let upstream = try Seller.serving(
            Respond.with(302, [Seller.report(), "Location: https://elsewhere.example/"]))
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 502)
            #expect(try await Self.becomes(.undelivered, lab))
        }
    }

    @Test("a quote that the seller has refused cannot meet another one, and the agent is told at once")
    func singleUseQuote() async throws {
        let count = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                let entry = Seller.entry().replacing(
                    #""version":"1""#, with: #""version":"1","quote":"q\#(count.next())""#)
                let challenge = Seller.challenge(entry, error: "quote is used")
                try wire.send(Respond.with(402, [challenge], body: Seller.isPaid(request) ? "used" : "{}"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status == 402)
            let payment = try await lab.payment()
            #expect(payment.state == .rejected)
            let again = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(again.status == 402)
            #expect(try Self.problem(again, "code") == "attempt-unfit")
            #expect(try Self.problem(again, "earlier_payment") == payment.id.description)
            #expect(
                try Self.problem(again, "retry_at")
                    == Timestamp(seconds: try #require(payment.liveUntil)).adding(seconds: 60).description)
            #expect(try Seller.payments(at: upstream).count == 1)
            #expect(try await lab.states() == [.rejected, .refused])
        }
    }
}
