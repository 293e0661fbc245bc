import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Stopping", .mayBlock)
struct StoppingTests {
    /// Answers payments with the beginning of a body, and with its end once the gate opens.
    private static func streaming(begun: Gate, rest: Gate) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                try wire.send("HTTP/1.1 200 OK\r\n\(Seller.report())\r\ncontent-length: 8\r\n\r\nhalf")
                begun.open()
                rest.waitBlocking()
                try wire.send("rest")
            }
        }
    }

    /// Takes payments and never answers them; unpaid requests for /free are not answered either.
    private static func silent(arrived: Progress) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) || request.startLine.contains("/free") {
                    arrived.add(1)
                } else {
                    try wire.send(Seller.unpaid)
                }
            }
        }
    }

    @Test("a paid stream comes to its end, and a request behind it is answered 503")
    func streamEnds() async throws {
        let (begun, rest) = (Gate(), Gate())
        let upstream = try Self.streaming(begun: begun, rest: rest)
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await begun.opened())
            _ = try wire.readHead()
            async let stopped: Void = lab.stop(patience: .seconds(10))
            #expect(eventually { (try? lab.connect()) == nil })
            try wire.send(lab.head("GET", "/lab/next"))
            Threads.pause(milliseconds: 300)
            rest.open()
            #expect(try wire.read(8) == Array("halfrest".utf8))
            let refusal = try wire.readResponse()
            #expect(refusal.status == 503 && refusal.text.contains(#""code":"stopping""#))
            #expect(refusal.text.contains(#""retryable":true"#) && refusal["x-should-retry"].isEmpty)
            #expect(refusal["connection"] == ["close"] && wire.isClosedByPeer())
            await stopped
            #expect(!upstream.texts.joined().contains("/next"))
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a paid call is answered, and its connection ends behind it")
    func callEnds() async throws {
        let (arrived, rest) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                arrived.open()
                rest.waitBlocking()
                try wire.send(Respond.with(200, [Seller.report()], body: "late"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await arrived.opened())
            async let stopped: Void = lab.stop(patience: .seconds(10))
            Threads.pause(milliseconds: 300)
            rest.open()
            let response = try wire.readResponse()
            #expect(response.text == "late" && response["connection"] == ["close"])
            #expect(wire.isClosedByPeer())
            await stopped
        }
    }

    @Test("a connection that waits for nothing is closed at once")
    func idle() async throws {
        var options = Lab.Options()
        options.loops = 2
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let used = try lab.connect()
            try used.send(lab.head("GET", "/lab/x"))
            _ = try used.readResponse()
            let unused = try lab.connect()
            Threads.pause(milliseconds: 100)
            let begin = ContinuousClock.now
            await lab.stop(patience: .seconds(10))
            #expect(ContinuousClock.now - begin < .seconds(2))
            #expect(try used.readToEnd().isEmpty && unused.readToEnd().isEmpty)
        }
    }

    @Test("a head of which only the beginning came is answered 503 when the rest comes")
    func halfHead() async throws {
        let arrived = Progress()
        try await Lab.run(try Self.silent(arrived: arrived)) { lab async throws in
            let wire = try lab.connect()
            let head = lab.head("GET", "/lab/x")
            try wire.send(String(head.prefix(20)))
            Threads.pause(milliseconds: 100)
            async let stopped: Void = lab.stop(patience: .seconds(10))
            #expect(eventually { (try? lab.connect()) == nil })
            Threads.pause(milliseconds: 100)
            try wire.send(String(head.dropFirst(20)))
            #expect(try wire.readResponse().status == 503)
            await stopped
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("when patience is over, a payment that is out is in doubt and named to the agent")
    func patienceEnds() async throws {
        let arrived = Progress()
        try await Lab.run(try Self.silent(arrived: arrived)) { lab async throws in
            let paid = try lab.connect()
            try paid.send(lab.head("POST", "/lab/x", length: 1) + "q")
            let free = try lab.connect()
            try free.send(lab.head("GET", "/lab/free"))
            let gone = try lab.connect()
            try gone.send(lab.head("POST", "/lab/y", length: 1) + "q")
            #expect(eventually { arrived.value == 3 })
            gone.close()
            let begin = ContinuousClock.now
            await lab.stop(patience: .milliseconds(400))
            #expect((.milliseconds(400) ... .seconds(4)).contains(ContinuousClock.now - begin))
            let payments = try await lab.ledger.payments(PaymentFilter())
            #expect(payments.map(\.state) == [.inDoubt, .inDoubt])
            let answer = try paid.readResponse()
            #expect(answer.status == 504 && answer.text.contains(#""code":"gateway-timeout""#))
            #expect(answer.text.contains("A payment was signed and sent"))
            #expect(payments.map { [$0.id.description] }.contains(answer["purser-payment"]))
            #expect(answer["purser-outcome"] == [PaymentState.inDoubt.rawValue])
            #expect(answer["purser-exposed"] == ["0.01 USDT"] && answer["x-should-retry"] == ["false"])
            let other = try free.readResponse()
            #expect(other.status == 504 && other.text.contains("No payment was signed"))
        }
    }

    @Test("when patience is over, a stream is cut and stays booked")
    func streamCut() async throws {
        let (begun, rest) = (Gate(), Gate())
        try await Lab.run(try Self.streaming(begun: begun, rest: rest)) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await begun.opened())
            await lab.stop(patience: .milliseconds(300))
            #expect(throws: WireError.self) { try wire.readResponse() }
            rest.open()
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a payment that is decided after patience is over is voided, and never sent")
    func lateDecision() async throws {
        let (reserved, signing) = (Gate(), Gate())
        var options = Lab.Options()
        options.onReserved = {
            reserved.open()
            _ = await signing.opened()
        }
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await reserved.opened())
            async let stopped: Void = lab.stop(patience: .milliseconds(200))
            let answer = try wire.readResponse()
            #expect(answer.status == 503 && answer.text.contains("stopping"))
            signing.open()
            await stopped
            #expect(try await lab.ledger.payments(PaymentFilter()).map(\.state) == [.voided])
            #expect(try Requests(lab.upstream.received[0]).all.count == 1)
        }
    }
}
