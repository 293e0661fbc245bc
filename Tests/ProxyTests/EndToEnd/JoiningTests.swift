import Ledger
import NIOCore
import Payments
import Policy
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("A paid answer whose agent has left", .mayBlock)
struct JoiningTests {
    /// What happened to the one payment, as the journal has it, the answer's way to the agent aside.
    private static func causes(_ lab: Lab) async throws -> [String] {
        try await lab.ledger.history(of: lab.payment().id).map(\.line.cause).filter { $0 != "answered" }
    }

    private static func expectBought(_ response: Message, _ lab: Lab, _ upstream: ScriptedUpstream) async throws {
        let payment = try await lab.payment()
        #expect(response.status == 200 && response.text == "bought once" && response["x-mine"] == ["1"])
        #expect(response["purser-payment"] == [payment.id.description] && response["purser-outcome"] == ["settled"])
        #expect(response["purser-paid"] == ["0.01 USDT"] && response["purser-overhead-us"].count == 1)
        #expect(payment.state == .settled)
        #expect(try Seller.payments(at: upstream).count == 1)
    }

    @Test("a repetition joins the open exchange and gets the answer, and nothing is sent again", arguments: [1, 2])
    func joins(loops: Int) async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        var options = Lab.Options()
        options.loops = loops
        try await Lab.run(options, upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let wire = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            seller.begin.open()
            seller.rest.open()
            let response = try wire.readResponse()
            try await Self.expectBought(response, lab, upstream)
            let causes = try await Self.causes(lab)
            #expect(causes == ["reserved", "lost-sight", "adopted", "settled"])
            // The connection serves the next request.
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(try wire.readResponse().text == "again")
        }
    }

    @Test("an answer that is joined may come for longer than a decision may be waited for")
    func joinsForLong() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(1_500)
        try await Lab.run(options, upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let wire = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            seller.begin.open()
            Threads.pause(milliseconds: 2_500)
            seller.rest.open()
            try await Self.expectBought(try wire.readResponse(), lab, upstream)
        }
    }

    @Test("an answer that is complete before the repetition comes is replayed to it, once", arguments: [1, 2])
    func replays(loops: Int) async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        var options = Lab.Options()
        options.loops = loops
        try await Lab.run(options, upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            seller.begin.open()
            seller.rest.open()
            #expect(try await lab.wait(for: .settled))
            Threads.pause(milliseconds: 100)
            let response = try LateSeller.repeated(lab).readResponse()
            try await Self.expectBought(response, lab, upstream)
            #expect(try LateSeller.repeated(lab).readResponse().text == "again")
        }
    }

    struct Form: Sendable, CustomStringConvertible {
        let first: String
        let second: String
        let description: String
    }

    static let forms = [
        Form(first: LateSeller.first, second: LateSeller.second, description: "length"),
        Form(
            first:
                "HTTP/1.1 200 OK\r\nx-mine: 1\r\n\(Seller.report())\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n6\r\nbought\r\n",
            second: "5\r\n once\r\n0\r\n\r\n", description: "chunked"),
        Form(
            first:
                "HTTP/1.1 200 OK\r\nx-mine: 1\r\n\(Seller.report())\r\nconnection: close\r\n\r\nbought",
            second: " once", description: "until the connection closes"),
    ]

    @Test("what an agent has read a part of is replayed from its first byte", arguments: forms, [true, false])
    func leftInTheMiddle(form: Form, isHTTP10: Bool) async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(form.first, form.second)
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            seller.begin.open()
            _ = try wire.readHead()
            #expect(try wire.receive(1).count == 1)
            wire.close()
            Threads.pause(milliseconds: 200)
            let again = try lab.connect()
            var head = lab.head("POST", "/lab/x", length: 1)
            if isHTTP10 { head = head.replacing(" HTTP/1.1", with: " HTTP/1.0") }
            try again.send(head + "q")
            // The first part comes at once, the rest as the seller sends it.
            let line = try #require(try again.readHead())
            #expect(line.contains("x-mine: 1"))
            seller.rest.open()
            var response = Message(head: line)
            response.raw = try again.readBody(of: response, isResponse: true)
            try await Self.expectBought(response, lab, upstream)
            if isHTTP10 { #expect(response["transfer-encoding"].isEmpty && again.isClosedByPeer()) }
        }
    }

    @Test("a repetition that leaves as well makes room for the next one")
    func leavesToo() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            for _ in 0..<2 {
                let wire = try LateSeller.repeated(lab)
                #expect(try await lab.wait(for: .resumed))
                wire.close()
                #expect(try await lab.wait(for: .inDoubt))
            }
            seller.begin.open()
            #expect(try await lab.wait(for: .settled))
            let early = try LateSeller.repeated(lab)
            #expect(try early.readHead() != nil)
            early.close()
            Threads.pause(milliseconds: 200)
            let wire = try LateSeller.repeated(lab)
            seller.rest.open()
            try await Self.expectBought(try wire.readResponse(), lab, upstream)
        }
    }

    static let differing = [
        ["accept: text/event-stream"], ["accept-encoding: br"], ["cookie: a=b"], ["range: bytes=0-3"],
        ["x-api-key: other"],
    ]

    @Test("an answer to other fields is not its answer: the repetition waits for the end", arguments: differing)
    func otherFields(fields: [String]) async throws {
        let seller = LateSeller()
        var options = Lab.Options()
        options.keptAnswers.time = .milliseconds(600)
        options.proxy.outcome = .milliseconds(600)
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(options, upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try LateSeller.repeated(lab, fields).readResponse().text == "again")
            #expect(clock.now - start > .milliseconds(300))
            #expect(await seller.left.opened())
            let sent = try Seller.payments(at: upstream)
            #expect(sent.count == 2 && Set(sent).count == 1)
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("an answer that is complete holds up no repetition with other fields, and stays for one with the same")
    func completeForOthers() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(Lab.Options(), upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            seller.begin.open()
            seller.rest.open()
            #expect(try await lab.wait(for: .settled))
            Threads.pause(milliseconds: 100)
            // Kept for a minute, which no test waits for.
            #expect(try LateSeller.repeated(lab, ["cookie: a=b"]).readResponse().text == "again")
            #expect(try LateSeller.repeated(lab).readResponse().text == "bought once")
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test("while one waits for the end another one joins, and the first goes on at once")
    func waitsBesideOne() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let other = try LateSeller.repeated(lab, ["accept: text/plain"])
            Threads.pause(milliseconds: 200)
            let wire = try LateSeller.repeated(lab)
            // The exchange has an agent again, and is left alone.
            #expect(try other.readResponse().text == "again")
            seller.begin.open()
            seller.rest.open()
            #expect(try wire.readResponse().text == "bought once")
            #expect(Set(try Seller.payments(at: upstream)).count == 2)
            #expect(try await lab.payments().map(\.state) == [.settled, .settled])
        }
    }

    @Test("of several repetitions one joins, and the others are purchases of their own")
    func oneOfSeveral() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let joined = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            for _ in 0..<2 { #expect(try LateSeller.repeated(lab).readResponse().text == "again") }
            seller.begin.open()
            seller.rest.open()
            #expect(try joined.readResponse().text == "bought once")
            #expect(Set(try Seller.payments(at: upstream)).count == 3)
        }
    }

    @Test("an exchange that ends without an answer leaves the repetition to its own decision, with the same bytes")
    func endsUnanswered() async throws {
        let (paid, go) = (Gate(), Gate())
        let count = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                let number = count.next()
                paid.open()
                go.waitBlocking()
                guard number > 1 else { return }
                try wire.send(Respond.with(200, [Seller.report()], body: "third"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await paid.opened())
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            let again = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            go.open()
            #expect(try again.readResponse().text == "third")
            let sent = try Seller.payments(at: upstream)
            #expect(sent.count == 3 && Set(sent).count == 1)
            #expect(try await lab.payment().state == .settled)
            let causes = try await Self.causes(lab)
            #expect(causes == ["reserved", "lost-sight", "adopted", "lost-sight", "adopted", "settled"])
        }
    }

    @Test("a repetition whose joined exchange ends is decided by the seller's clock, which has gone on as ours has")
    func sellerTime() async throws {
        let (paid, go) = (Gate(), Gate())
        let count = Progress()
        // Behind ours by less than a seller's clock may be, and by more once the joined exchange has ended.
        let date = Timestamp.vectors.adding(seconds: -270).httpDate
        let entry = Seller.entry().replacing(#""maxTimeoutSeconds":60"#, with: #""maxTimeoutSeconds":600"#)
        let unpaid = Respond.with(402, ["Date: \(date)", Seller.challenge(entry)], body: "{}")
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(unpaid)
                    continue
                }
                guard count.next() > 0 else {
                    paid.open()
                    go.waitBlocking()
                    return
                }
                try wire.send(Respond.with(200, [Seller.report()], body: "second"))
            }
        }
        var options = Lab.Options()
        options.policy.gate.maxValidity = 600
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await paid.opened())
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            let again = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            lab.clock.advance(seconds: 100)
            go.open()
            let response = try again.readResponse()
            #expect(response.status == 200 && response.text == "second")
            #expect(Set(try Seller.payments(at: upstream)).count == 1)
        }
    }

    @Test(
        "what is longer than may be kept is not read on, nor what nobody has asked for in time",
        arguments: [true, false])
    func notKept(isLong: Bool) async throws {
        let seller = LateSeller()
        var options = Lab.Options()
        if isLong { options.keptAnswers.each = 1000 } else { options.keptAnswers.time = .milliseconds(300) }
        let long = "HTTP/1.1 200 OK\r\n\(Seller.report())\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n"
        let upstream = try seller.upstream(long + String(repeating: "x", count: 2000) + "\r\n", "0\r\n\r\n")
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            seller.begin.open()
            _ = try wire.readHead()
            wire.close()
            #expect(await seller.left.opened())
            #expect(try LateSeller.repeated(lab).readResponse().text == "again")
        }
    }

    @Test("of an answer that is paid by use nothing is read on once its agent has left")
    func paidByUse() async throws {
        let entry =
            #"{"scheme":"upto","network":"eip155:56","amount":"10000000000000000","#
            + #""asset":"0x55d398326f99059fF775485246999027B3197955","payTo":"\#(Seller.payee)","maxTimeoutSeconds":60,"#
            + #""extra":{"facilitatorAddress":"\#(Seller.payee)"}}"#
        let seller = LateSeller()
        let upstream = try seller.upstream(
            LateSeller.first, LateSeller.second, asking: Respond.with(402, [Seller.challenge(entry)], body: "{}"))
        var options = Lab.Options()
        options.pay = ["eip155:56/USDT"]
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            seller.begin.open()
            #expect(try wire.readHead()?.contains("purser-payment") == true)
            wire.close()
            let clock = ContinuousClock()
            let start = clock.now
            #expect(await seller.left.opened())
            #expect(clock.now - start < .seconds(5))
        }
    }

    @Test("what is kept for nobody does not hold up the end of the process")
    func stopping() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            seller.begin.open()
            #expect(try await lab.wait(for: .settled))
            let clock = ContinuousClock()
            let start = clock.now
            await lab.stop(patience: .seconds(8))
            #expect(clock.now - start < .seconds(4))
            #expect(await seller.left.opened())
        }
    }

    @Test("a repetition that is waiting when the process ends hears of the payment")
    func cutOff() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let wire = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            await lab.stop(patience: .milliseconds(300))
            let response = try wire.readResponse()
            #expect(response.status == 504 && response["x-should-retry"] == ["false"])
            #expect(response["purser-payment"] == [try await lab.payment().id.description])
            #expect(try await lab.payment().state == .inDoubt)
        }
    }

    @Test("under a freeze nothing is joined, and afterwards it is")
    func frozen() async throws {
        let seller = LateSeller()
        let upstream = try seller.upstream(LateSeller.first, LateSeller.second)
        try await Lab.run(upstream) { lab async throws in
            try await LateSeller.sendAndLeave(lab, seller)
            let scope = FreezeScope.agent("scout")
            #expect(try await lab.ledger.freeze(Freeze(scope: scope, since: .vectors, actor: "op", reason: nil)))
            let refusal = try LateSeller.repeated(lab).readResponse()
            #expect(try JSONReader.read(refusal.content)["code"]?.string == "frozen")
            #expect(try await lab.ledger.unfreeze(scope, by: "op", at: .vectors))
            let wire = try LateSeller.repeated(lab)
            #expect(try await lab.wait(for: .resumed))
            seller.begin.open()
            seller.rest.open()
            #expect(try wire.readResponse().text == "bought once")
        }
    }

    @Test("a repetition that reads slowly holds the gateway back, and gets every byte", arguments: [1, 2])
    func slowReader(loops: Int) async throws {
        let total = 24 << 20
        let (paid, go) = (Gate(), Gate())
        let sent = Progress()
        let piece = [UInt8](repeating: 0x7a, count: 64 << 10)
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                paid.open()
                go.waitBlocking()
                try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ncontent-length: \(total)\r\n\r\n")
                while sent.value < total {
                    try wire.send(piece)
                    sent.add(piece.count)
                }
            }
        }
        var options = Lab.Options()
        options.loops = loops
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await paid.opened())
            wire.close()
            #expect(try await lab.wait(for: .inDoubt))
            let reader = try lab.connect(receiveBuffer: 64 << 10)
            reader.stopLogging()
            try reader.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(try await lab.wait(for: .resumed))
            go.open()
            _ = try reader.readHead()
            Threads.pause(milliseconds: 700)
            // What the sockets of the system hold, and less than a megabyte here.
            #expect(sent.value < 16 << 20)
            let body = try reader.read(total)
            #expect(body.count == total && body.allSatisfy { $0 == 0x7a })
        }
    }

    @Test("a request that goes with a learned price joins as well")
    func learned() async throws {
        let seller = LateSeller()
        let served = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                if served.next() == 3 {
                    try wire.send(LateSeller.first)
                    seller.rest.waitBlocking()
                    try wire.send(LateSeller.second)
                } else {
                    try wire.send(Respond.with(200, [Seller.report()], body: "usual"))
                }
            }
        }
        var options = Lab.Options()
        options.learnedPrice = .always
        try await Lab.run(options, upstream) { lab async throws in
            // A body of that type names no model.
            let type = ["content-type: application/octet-stream"]
            for _ in 0..<3 { #expect(try lab.exchange("POST", "/lab/x", type, body: "q").text == "usual") }
            // Settled, so the price stays known.
            let early = try lab.connect()
            try early.send(lab.head("POST", "/lab/x", type, length: 1) + "q")
            #expect(try early.readHead() != nil)
            early.close()
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.map(Seller.isPaid) == [false, true, false, true, false, true, true])
            Threads.pause(milliseconds: 200)
            let wire = try LateSeller.repeated(lab, type)
            #expect(try wire.readHead() != nil)
            seller.rest.open()
            #expect(try wire.read(11) == Array("bought once".utf8))
            #expect(try Seller.payments(at: upstream).count == 4)
        }
    }
}
