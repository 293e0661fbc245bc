import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Gateways that bill a prepaid balance", .mayBlock)
struct PrepaidTests {
    private static func options(_ more: [CapLimit] = [], calls: UInt64 = 100) -> Lab.Options {
        var options = Lab.Options()
        options.billing = .prepaid
        options.caps = [CapLimit(.hour, .payments, UInt256(calls))] + more
        return options
    }

    private static func notices(_ lab: Lab) async throws -> [String] {
        try await lab.ledger.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 1000).filter { $0.line.kind == .notice }
                .map { "\($0.line.cause) \($0.line.subject)" }
        }
    }

    private static func calls(_ lab: Lab) async throws -> Int {
        try await lab.ledger.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 1000).filter { $0.line.kind == .metered }.count
        }
    }

    @Test("calls are counted before they are made, and end at the cap without touching the gateway")
    func countCap() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.text) }
        try await Lab.run(Self.options(calls: 2), upstream) { lab async throws in
            let wire = try lab.connect()
            for body in ["one", "two"] {
                try wire.send(lab.head("POST", "/lab/x", length: 3) + body)
                #expect(try wire.readResponse().text == body)
            }
            let refusal = try lab.exchange("POST", "/lab/x", body: "six")
            #expect(refusal.status == 402 && refusal["content-type"] == ["application/problem+json"])
            let problem = try JSONReader.read(refusal.content)
            #expect(problem["code"]?.string == "cap-exceeded" && problem["retryable"]?.bool == true)
            #expect(problem["cap"]?["measure"]?.string == "payments" && problem["cap"]?["limit"]?.string == "2")
            #expect(problem["cap"]?["left"]?.string == "0" && problem["cap"]?["left_usd"] == nil)
            #expect(problem["cap"]?["resets_at"]?.string == "2026-11-22T01:00:00Z")
            #expect(try upstream.received.flatMap { try Requests($0).all }.count == 2)
            #expect(try await Self.calls(lab) == 2)
            #expect(try await lab.payments().isEmpty)
        }
    }

    @Test("without a cap on their number no calls are made, and under a freeze neither")
    func obstacles() async throws {
        var options = Self.options()
        options.caps = [CapLimit(.day, .cents(100))]
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            #expect(try JSONReader.read(lab.exchange("GET", "/lab/x").content)["code"]?.string == "no-cap")
            let freeze = Freeze(scope: .agent("scout"), since: .vectors, actor: "op", reason: nil)
            #expect(try await lab.ledger.freeze(freeze))
            let frozen = try lab.exchange("GET", "/lab/x")
            #expect(frozen.status == 402)
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test(
        "a 402 without a challenge passes untouched, and the operator hears of it once",
        arguments: [#"{"error":"top up"}"#, "", String(repeating: "x", count: 300_000)])
    func lowBalance(body: String) async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(402, ["x-mine: 1"], body: body) }
        try await Lab.run(Self.options(), upstream) { lab async throws in
            for _ in 0..<2 {
                let response = try lab.exchange("POST", "/lab/x", body: "q")
                #expect(response.status == 402 && response.text == body && response["x-mine"] == ["1"])
            }
            var notices = try await Self.notices(lab)
            for _ in 0..<100 where notices.isEmpty {
                Threads.pause(milliseconds: 20)
                notices = try await Self.notices(lab)
            }
            #expect(notices == ["balance-low gateway:lab"])
        }
    }

    @Test("from a gateway that is paid by challenge, a 402 without one is not worth a notice")
    func otherGateway() async throws {
        try await Lab.run(try ScriptedUpstream.serving { _ in Respond.with(402) }) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/x").status == 402)
            await lab.stop(patience: .seconds(1))
            #expect(try await Self.notices(lab).isEmpty)
        }
    }

    @Test("a challenge of a prepaid gateway is paid like any other")
    func challenge() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "bought"))
        try await Lab.run(Self.options([CapLimit(.day, .cents(5))]), upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            #expect(try await lab.payment().state == .settled)
            #expect(try await Self.calls(lab) == 1)
            #expect(try await Self.notices(lab).isEmpty)
        }
    }

    @Test("a body that comes while the books are asked is held back, kept small in memory, and arrives whole")
    func bodyMeanwhile() async throws {
        let (asked, booked) = (Gate(), Gate())
        var options = Self.options()
        options.onMetering = {
            asked.open()
            _ = await booked.opened()
        }
        let size = 32 << 20
        let upstream = try ScriptedUpstream { wire, _ in
            wire.stopLogging()
            while let request = try wire.readRequest() {
                try wire.send(Respond.with(200, body: "\(request.raw.count)"))
            }
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            let sent = Progress()
            let head = lab.head("POST", "/lab/x", length: size)
            Threads.spawn {
                let piece = [UInt8](repeating: 0x61, count: 1 << 20)
                try? wire.send(head)
                for _ in 0..<32 {
                    try? wire.send(piece)
                    sent.add(1)
                }
            }
            #expect(await asked.opened())
            Threads.pause(milliseconds: 500)
            #expect(upstream.connections.isEmpty)
            #expect(sent.value < 24)
            booked.open()
            #expect(try wire.readResponse().text == "\(size)")
        }
    }

    @Test("for an agent that leaves while the books are asked nothing goes upstream")
    func leavesMeanwhile() async throws {
        let (asked, booked) = (Gate(), Gate())
        var options = Self.options()
        options.onMetering = {
            asked.open()
            _ = await booked.opened()
        }
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            #expect(await asked.opened())
            wire.close()
            Threads.pause(milliseconds: 100)
            booked.open()
            Threads.pause(milliseconds: 200)
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("when patience is over while the books are asked, the agent hears that the process stops")
    func stopping() async throws {
        let (asked, booked) = (Gate(), Gate())
        var options = Self.options()
        options.onMetering = {
            asked.open()
            _ = await booked.opened()
        }
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            #expect(await asked.opened())
            async let stopped: Void = lab.stop(patience: .milliseconds(200))
            #expect(try wire.readResponse().status == 503)
            booked.open()
            await stopped
            #expect(lab.upstream.connections.isEmpty)
        }
    }
}
