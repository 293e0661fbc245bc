import Ledger
import Primitives
import Proxy
import TestSupport
import Testing

/// What a seller does that knows its requests by number.
private enum Scene {
    /// A seller whose answer to a request without a payment is `question`, and to one with a payment `answer`; both are
    /// given how many requests came before.
    static func seller(
        question: @escaping @Sendable (Int) -> String = { _ in Seller.unpaid },
        answer: @escaping @Sendable (Int) -> String = { _ in Respond.with(200, [Seller.report()], body: "bought") }
    ) throws -> ScriptedUpstream {
        let count = Progress()
        return try ScriptedUpstream.serving { request in
            let number = count.next()
            return Seller.isPaid(request) ? answer(number) : question(number)
        }
    }

    /// A 402 that asks `amount` units.
    static func asking(_ amount: Int, error: String = "pay") -> String {
        Respond.with(402, [Seller.challenge(Seller.entry(amount: "\(amount)"), error: error)])
    }

    /// A body of that type that does not begin like a form names no model; of one without a type that is unknown.
    static let wish = ["purser-price: learned", "content-type: application/octet-stream"]
}

@Suite("Paying with the first request", .mayBlock)
struct LearnedPriceTests {
    /// Whether each request that the seller saw was paid, in order.
    private func isPaid(_ upstream: ScriptedUpstream) throws -> [Bool] {
        try upstream.received.flatMap { try Requests($0).all }.map(Seller.isPaid)
    }

    @Test("after three settlements for one challenge the payment goes with the first request, body and all")
    func attached() async throws {
        let upstream = try Scene.seller()
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for _ in 0..<5 {
                try wire.send(lab.head("POST", "/lab/v1/chat", Scene.wish, length: 3) + "ask")
                let response = try wire.readResponse(to: "POST")
                #expect(response.status == 200 && response.text == "bought")
                #expect(response["purser-outcome"] == ["settled"] && response["purser-paid"] == ["0.01 USDT"])
            }
            #expect(try isPaid(upstream) == [false, true, false, true, false, true, true, true])
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.allSatisfy { $0.text == "ask" && $0["purser-price"].isEmpty })
            let nonces = try requests.filter(Seller.isPaid).map {
                try Seller.payload(of: $0)["payload"]?["authorization"]?["nonce"]?.string
            }
            #expect(Set(nonces).count == 5)
            #expect(try await lab.payments().map(\.state) == Array(repeating: .settled, count: 5))
        }
    }

    @Test(
        "it is for those who ask for it, on the route where it was learned",
        arguments: [
            (Gateway.LearnedPriceUse.asked, [], "/lab/x", false), (.asked, Scene.wish, "/lab/x", true),
            (.always, [], "/lab/x", true), (.never, Scene.wish, "/lab/x", false),
            (.asked, Scene.wish, "/lab/x?more=1", false), (.asked, ["purser-price: maybe"], "/lab/x", false),
        ])
    func choice(use: Gateway.LearnedPriceUse, fields: [String], path: String, isAttached: Bool) async throws {
        let upstream = try Scene.seller()
        var options = Lab.Options()
        options.learnedPrice = use
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("GET", "/lab/x").status == 200) }
            #expect(try lab.exchange("GET", path, fields).status == 200)
            #expect(try isPaid(upstream).dropFirst(6) == (isAttached ? [true] : [false, true]))
        }
    }

    @Test("a challenge that changes is not learned", arguments: ["price", "words", "model"])
    func unstable(what: String) async throws {
        let upstream = try Scene.seller(question: { number in
            switch what {
            case "price": Scene.asking(10_000 + number)
            case "words": Scene.asking(10_000, error: "request \(number)")
            default: Seller.unpaid
            }
        })
        try await Lab.run(upstream) { lab async throws in
            for number in 0..<5 {
                let body = #"{"model":"m\#(what == "model" ? number : 0)"}"#
                let fields = ["purser-price: learned", "content-type: application/json"]
                #expect(try lab.exchange("POST", "/lab/x", fields, body: body).status == 200)
            }
            #expect(try isPaid(upstream).count { !$0 } == 5)
        }
    }

    @Test("one refusal of the learned price ends it, and the agent is told of the payment and not asked to repeat")
    func mismatch() async throws {
        // The fourth purchase meets a new price, which is what is asked from then on.
        let upstream = try Scene.seller(
            question: { Scene.asking($0 > 6 ? 20_000 : 10_000) },
            answer: { $0 == 6 ? Scene.asking(20_000) : Respond.with(200, [Seller.report()], body: "b") })
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "q").status == 200) }
            let refused = try lab.exchange("POST", "/lab/x", Scene.wish, body: "q")
            #expect(refused.status == 402 && refused["x-should-retry"] == ["false"])
            #expect(try JSONReader.read(refused.content)["code"]?.string == "learned-price-refused")
            #expect(refused["purser-outcome"] == ["rejected"] && refused["purser-exposed"] == ["0.01 USDT"])
            // The same again is the same attempt; another is asked for its price, and goes on being.
            for number in 0..<5 {
                #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "\(number)").status == 200)
            }
            #expect(try isPaid(upstream).dropFirst(7).count { !$0 } == 5)
            #expect(try await lab.payments().count { $0.state == .rejected } == 1)
        }
    }

    @Test("what is served without a settlement is not paid ahead of its question again")
    func unneeded() async throws {
        let upstream = try Scene.seller(answer: {
            $0 < 6 ? Respond.with(200, [Seller.report()]) : Respond.with(200, body: "free")
        })
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            let free = try lab.exchange("GET", "/lab/x", Scene.wish)
            #expect(free.text == "free" && free["purser-outcome"] == ["presumed"])
            _ = try lab.exchange("GET", "/lab/x", Scene.wish)
            #expect(try isPaid(upstream) == [false, true, false, true, false, true, true, false, true])
        }
    }

    @Test("what is served without being paid in between is asked for its price again")
    func free() async throws {
        let upstream = try Scene.seller(question: { $0 == 6 ? Respond.with(200, body: "free") : Seller.unpaid })
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            #expect(try lab.exchange("GET", "/lab/x").text == "free")
            #expect(try lab.exchange("GET", "/lab/x", Scene.wish).text == "bought")
            #expect(try isPaid(upstream).suffix(3) == [false, false, true])
        }
    }

    @Test("what a cap or a freeze does not admit is asked for, and refused as ever", arguments: ["cap", "freeze"])
    func notAdmitted(kind: String) async throws {
        var options = Lab.Options()
        options.caps = [CapLimit(.request, .cents(100)), CapLimit(.day, .cents(kind == "cap" ? 3 : 100))]
        let upstream = try Scene.seller()
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            if kind == "freeze" {
                let freeze = Freeze(scope: .agent("scout"), since: .vectors, actor: "op", reason: nil)
                #expect(try await lab.ledger.freeze(freeze))
            }
            let refused = try lab.exchange("GET", "/lab/x", Scene.wish)
            #expect(refused.status == 402)
            let code = try JSONReader.read(refused.content)["code"]?.string
            #expect(code == (kind == "cap" ? "cap-exceeded" : "frozen"))
            #expect(try isPaid(upstream) == [false, true, false, true, false, true, false])
        }
    }

    @Test("after an hour the price is asked once more")
    func aged() async throws {
        let upstream = try Scene.seller()
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<4 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            lab.clock.advance(seconds: 3600)
            for _ in 0..<2 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            #expect(try isPaid(upstream).suffix(4) == [true, false, true, true])
        }
    }

    @Test("who waits for a turn while the body comes in pieces is paid all the same")
    func waitingForTurn() async throws {
        let upstream = try Scene.seller()
        var options = Lab.Options()
        options.limits.connections = 1
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "q").status == 200) }
            // Takes the one turn, until its body is whole.
            let first = try lab.connect()
            try first.send(lab.head("POST", "/lab/first", length: 2) + "a")
            Threads.pause(milliseconds: 50)
            let second = try lab.connect()
            try second.send(lab.head("POST", "/lab/x", Scene.wish, length: 40_000))
            for _ in 0..<8 {
                Threads.pause(milliseconds: 10)
                try second.send(String(repeating: "b", count: 5000))
            }
            try first.send("b")
            #expect(try first.readResponse(to: "POST").status == 200)
            #expect(try second.readResponse(to: "POST").status == 200)
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.filter { $0.content.count == 40_000 }.map(Seller.isPaid) == [true])
        }
    }

    @Test("of two identical attempts the second takes the first one's bytes over, with its first request")
    func adopted() async throws {
        let upstream = try Scene.seller(answer: {
            $0 == 6 ? Respond.with(500, body: "broken") : Respond.with(200, [Seller.report()], body: "bought")
        })
        try await Lab.run(upstream) { lab async throws in
            for _ in 0..<3 { #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "q").status == 200) }
            #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "q").status == 500)
            #expect(try lab.exchange("POST", "/lab/x", Scene.wish, body: "q").status == 200)
            let paid = try upstream.received.flatMap { try Requests($0).all }.filter(Seller.isPaid)
            #expect(paid.count == 5 && paid[3]["payment-signature"] == paid[4]["payment-signature"])
            #expect(try await lab.payments().count == 4)
        }
    }

    @Test("the first request after a gateway points elsewhere carries no payment")
    func otherSeller() async throws {
        let upstream = try Scene.seller()
        let other = try Scene.seller()
        try await Lab.run(upstream) { lab async throws in
            let kept = try lab.connect()
            for _ in 0..<4 { #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200) }
            try kept.send(lab.head("GET", "/lab/x", Scene.wish))
            #expect(try kept.readResponse(to: "GET").status == 200)
            try await lab.replace(gatewayAt: other.port)
            try kept.send(lab.head("GET", "/lab/x", Scene.wish))
            #expect(try kept.readResponse(to: "GET").status == 200)
            #expect(try lab.exchange("GET", "/lab/x", Scene.wish).status == 200)
            #expect(try isPaid(other) == [false, true, false, true])
        }
        other.stop()
    }
}
