import Ledger
import NIOCore
import NIOPosix
import Primitives
import Simulator
import TestSupport
import Testing

/// One case of Specs/misbehaviours.json with what Purser answers.
struct MisbehaviourCase: Sendable, CustomStringConvertible {
    /// What an agent sees of one request.
    struct Answer: Sendable {
        let status: Int
        let code: String?
        let outcome: String?
    }

    let description: String
    let described: CaseDescription
    let answers: [Answer]

    /// All cases of the file, in its order.
    static let all: [MisbehaviourCase] = {
        guard let suite = try? CaseDescription.suite(),
            let rows = try? Vectors.document("Specs/misbehaviours.json")["cases"]?.elements
        else { return [] }
        return zip(suite, rows).map { described, row in
            let answers = (row["purser"]?.elements ?? []).map { answer in
                Answer(
                    status: Int(answer["status"]?.integer ?? 0), code: answer["code"]?.string,
                    outcome: answer["outcome"]?.string)
            }
            return MisbehaviourCase(description: described.name, described: described, answers: answers)
        }
    }()
}

@Suite("A merchant that misbehaves", .timeLimit(.minutes(2)))
struct MisbehaviourTests {
    @Test("every misbehaviour of the suite ends as the suite says", arguments: MisbehaviourCase.all)
    func outcome(_ subject: MisbehaviourCase) async throws {
        let described = subject.described
        let path = "/evil/\(described.name)"
        try #require(subject.answers.count == described.requests)
        try await SidecarUnderTest.run { sidecar, merchant in
            var last = RawAnswer([])
            for expected in subject.answers {
                last = try await sidecar.ask(described.method, path)
                try await Self.check(last, expected, of: described, sidecar)
            }
            let verdict = try #require(merchant.verdict(on: described.name))
            #expect(verdict.passes, "\(verdict.fault ?? "")")
            // Purser does what is expected, and not merely what is as good.
            #expect((verdict.sends > 0) == described.expected.isSigned)
            try await Self.checkBooks(sidecar, described, outcome: subject.answers.compactMap(\.outcome).first)
            switch described.expected {
            case .passedThrough:
                let original = try await RawClient.send(
                    described.method, path, port: merchant.port, group: .singleton)
                #expect(last.status == original.status)
                #expect(last.body == original.body)
            case .paidOnceThenKept:
                // The agent asks again, as its libraries do: nothing else is ever signed for it.
                _ = try await sidecar.ask(described.method, path)
                let second = try #require(merchant.verdict(on: described.name))
                #expect(second.passes, "\(second.fault ?? "")")
                try await Self.checkBooks(sidecar, described, outcome: nil)
            case .refused where last.status == 402:
                // The reason is ours; what an agent that pays by itself needs is the merchant's.
                let original = try await RawClient.send(
                    described.method, path, port: merchant.port, patience: .milliseconds(500), takesPart: true,
                    group: .singleton)
                #expect(last.values("payment-required") == original.values("payment-required"))
                #expect(last.values("x-payment-required") == original.values("x-payment-required"))
            case .paid, .refused: break
            }
            // The wallet signs in where it bought before, at the merchant itself and nowhere else.
            let isAtHome = described.name == "sign-in-again-for-this-origin"
            #expect(try #require(merchant.verdict(on: described.name)).signIns == (isAtHome ? 1 : 0))
            for line in sidecar.log.lines { #expect(Self.isPlain(line), "\(line.debugDescription)") }
        }
    }

    private static func check(
        _ answer: RawAnswer, _ expected: MisbehaviourCase.Answer, of described: CaseDescription,
        _ sidecar: SidecarUnderTest
    ) async throws {
        let head = try #require(answer.head)
        #expect(answer.status == expected.status)
        #expect(answer.values("purser-outcome") == (expected.outcome.map { [$0] } ?? []))
        let isOwn = answer.values("content-type") == ["application/problem+json"]
        #expect(isOwn == (expected.code != nil))
        if isOwn, described.method != "HEAD" {
            #expect(try JSONReader.read(answer.body)["code"]?.string == expected.code)
            #expect(isPlain(String(decoding: answer.body, as: UTF8.self)))
        }
        if isOwn, described.method == "HEAD" {
            #expect(try await sidecar.payments().map(\.evidence.reason) == [expected.code])
        }
        // No field that a client would read as another one, and no byte that no field may hold.
        #expect(answer.values("set-cookie").isEmpty)
        for (index, byte) in head.enumerated() where byte < 0x20 || byte == 0x7f {
            let isLineEnd =
                byte == 13 && index + 1 < head.count && head[index + 1] == 10 || byte == 10 && head[index - 1] == 13
            #expect(isLineEnd, "byte \(byte) at \(index)")
        }
        for line in answer.lines where line.lowercased().hasPrefix("purser-") { #expect(isPlain(line)) }
        // Behind a payment no second challenge reaches the agent, whose own client might answer it.
        if expected.outcome != nil { #expect(answer.values("payment-required").isEmpty) }
    }

    /// What is signed is counted at its full amount, once; what is refused is not.
    private static func checkBooks(
        _ sidecar: SidecarUnderTest, _ described: CaseDescription, outcome: String?
    ) async throws {
        let records = try await sidecar.payments()
        let payments = records.filter { $0.state != .refused }
        guard described.expected.isSigned else {
            #expect(payments.isEmpty)
            return
        }
        #expect(payments.count == described.authorizations)
        for payment in payments {
            #expect(payment.state.isCounted)
            #expect(payment.terms?.amount == described.terms.amount)
            if let outcome { #expect(payment.state.rawValue == outcome) }
        }
        for record in records {
            #expect(isPlain(record.evidence.reason ?? ""))
            #expect(isPlain(record.evidence.transaction ?? ""))
        }
    }

    /// Whether a text holds nothing that moves a terminal's cursor or turns its letters around.
    private static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value) && !scalar.properties.isBidiControl
        }
    }
}
