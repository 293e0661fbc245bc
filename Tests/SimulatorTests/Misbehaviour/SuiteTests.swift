import NIOCore
import NIOHTTP1
import NIOPosix
import Primitives
import TestSupport
import Testing

@testable import Simulator

@Suite("The suite of misbehaviours")
struct SuiteTests {
    @Test("the file and the scripts name the same cases, each once, and there are at least sixty")
    func names() throws {
        let described = try CaseDescription.suite().map(\.name)
        let scripted = Misbehaviour.all.map(\.name)
        #expect(described.count >= 60)
        #expect(Set(described) == Set(scripted))
        #expect(Set(described).count == described.count)
        #expect(Set(scripted).count == scripted.count)
        #expect(Set(try CaseDescription.suite().map(\.expected)) == Set(ExpectedOutcome.allCases))
    }

    @Test("every case has the members that the schema asks for and no others")
    func schema() throws {
        let schema = try Vectors.document("Specs/misbehaviours.schema.json")
        let form = try #require(schema["$defs"]?["case"])
        let known = Set(try #require(form["properties"]?.members).map(\.key))
        let required = (form["required"]?.elements ?? []).compactMap(\.string)
        #expect(required.count >= 4)
        let cases = try #require(try Vectors.document("Specs/misbehaviours.json")["cases"]?.elements)
        for entry in cases {
            let keys = Set((entry.members ?? []).map(\.key))
            #expect(keys.isSuperset(of: required) && keys.isSubset(of: known), "\(entry["name"]?.string ?? "?")")
        }
        let outcomes = (schema["$defs"]?["outcome"]?["enum"]?.elements ?? []).compactMap(\.string)
        #expect(Set(outcomes) == Set(ExpectedOutcome.allCases.map(\.rawValue)))
    }

    @Test(
        "what a case does to base64 really differs from the standard",
        arguments: [("base64-url-safe", "-_"), ("base64-unpadded", ""), ("base64-with-blanks-inside", " ")])
    func encodings(_ name: String, _ characters: String) throws {
        let script = try #require(Misbehaviour.all.first { $0.name == name })
        let visit = Visit(
            name: name, isPaid: false, isElsewhere: false, unpaidBefore: 0, paidBefore: 0, payer: nil,
            place: MerchantPlace(home: 1, elsewhere: 2), now: .vectors)
        let text = String(decoding: script.script(visit).bytes, as: UTF8.self)
        let value = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("PAYMENT-REQUIRED: ") })
            .dropFirst(18)
        for character in characters { #expect(value.contains(character)) }
        #expect(!value.contains("=") || name != "base64-unpadded")
        #expect(!value.count.isMultiple(of: 4) || name == "base64-url-safe")
    }

    @Test("requests are read in pieces and in a row, and no longer than the limits")
    func requests() throws {
        var reader = MerchantRequestReader()
        var buffer = ByteBuffer()
        let text =
            "POST /evil/a?b=c HTTP/1.1\r\nContent-Length: 2\r\nX-Payment:  e30= \r\n\r\n{}GET /evil HTTP/1.1\r\n\r\n"
        var read: [MerchantRequest] = []
        for byte in text.utf8 {
            buffer.writeInteger(byte)
            while let request = try reader.next(from: &buffer) { read.append(request) }
        }
        #expect(read.map(\.path) == ["/evil/a", "/evil"])
        #expect(read[0].values("x-payment") == ["e30="])
        func problem(_ text: String) -> MerchantRequestProblem? {
            var reader = MerchantRequestReader()
            var buffer = ByteBuffer(string: text)
            do throws(MerchantRequestProblem) {
                _ = try reader.next(from: &buffer)
                return nil
            } catch {
                return error
            }
        }
        #expect(problem("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 70_000)) == .headTooLong)
        #expect(problem("POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n") == .bodyTooLong)
        #expect(problem("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == .lengthRequired)
        #expect(problem("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n") == .malformed)
        #expect(problem("hello\r\n\r\n") == .malformed)
    }

    @Test("the merchant lists its cases, judges and forgets, over a socket")
    func socket() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let merchant = try await EvilMerchant.start(clock: FixedClock(), random: FixedRandom(), group: group)
        let client = try await Client(port: merchant.port, group: group)
        func document(_ path: String) async throws -> JSONValue {
            try await client.send(.GET, path)
            return try JSONReader.read(try #require(await client.answer()).body)
        }
        let count = try await document("/evil")["cases"]?.elements?.count
        #expect(count == Misbehaviour.all.count)
        try await client.send(.GET, "/evil/second-challenge-same")
        #expect(await client.answer()?.head.status == .paymentRequired)
        let verdict = try await document("/evil/second-challenge-same/verdict")
        #expect(verdict["reason"]?.string == "no authorization came")
        try await client.send(.GET, "/evil/mpp-only")
        #expect(await client.answer()?.head.status == .paymentRequired)
        #expect(try await document("/evil/verdicts")["passed"]?.integer == 1)
        try await client.send(.POST, "/evil/reset")
        #expect(await client.answer()?.head.status == .ok)
        #expect(try await document("/evil/verdicts")["passed"]?.integer == 0)
        await client.close()
        await merchant.stop()
    }
}
