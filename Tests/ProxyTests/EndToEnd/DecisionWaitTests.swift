import Ledger
import NIOCore
import Payments
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Requests that wait to be paid", .mayBlock)
struct DecisionWaitTests {
    /// A seller that takes payments and says nothing.
    private static func silent() throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if !Seller.isPaid(request) { try wire.send(Seller.unpaid) }
            }
        }
    }

    /// Pays until the gateway has as many payments without an outcome as one that has accepted none may have.
    private static func outstanding(_ lab: Lab, at path: String = "/lab/x") async throws -> [Wire] {
        let wires = try (0..<4).map { number in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "\(path)/\(number)", length: 1) + "x")
            return wire
        }
        #expect(try await lab.wait(for: .reserved, count: 4))
        return wires
    }

    @Test("a request that waits for the outcomes of others is answered in the gateway's time, and nothing is signed")
    func late() async throws {
        var options = Lab.Options()
        options.gateway.firstByte = .milliseconds(700)
        try await Lab.run(options, try Self.silent()) { lab async throws in
            // Their agents leave, and the outcomes are awaited for longer.
            for wire in try await Self.outstanding(lab) { wire.close() }
            #expect(try await lab.wait(for: .inDoubt, count: 4))
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/next", length: 1) + "x")
            let answer = try wire.readResponse()
            #expect(answer.status == 503 && answer.text.contains("\"code\":\"decision-timeout\""))
            #expect(answer.text.contains("\"retryable\":true") && answer["retry-after"] == ["1"])
            // The connection serves the next request.
            try wire.send(lab.head("GET", "/lab/../x"))
            #expect(try wire.readResponse().status == 400)
            #expect(try await lab.states().count == 4)
        }
    }

    @Test("a seller that rejects after the agent has left is counted, and pauses the agent like one that is prompt")
    func rejectsLate() async throws {
        let left = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if Seller.isPaid(request) {
                    left.waitBlocking()
                    try wire.send(Respond.with(402, [Seller.report(success: false, reason: "invalid")], body: "{}"))
                } else {
                    try wire.send(Seller.unpaid)
                }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            for wire in try await Self.outstanding(lab) { wire.close() }
            #expect(try await lab.wait(for: .inDoubt, count: 4))
            left.open()
            #expect(try await lab.wait(for: .rejected, count: 4))
            let answer = try lab.exchange("POST", "/lab/next", body: "x")
            #expect(answer.text.contains("\"code\":\"gateway-rejecting\""), "\(answer.text)")
        }
    }
}
