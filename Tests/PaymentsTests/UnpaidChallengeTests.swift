import Ledger
import Payments
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Challenges that are not paid")
struct UnpaidChallengeTests {
    private static func entry(_ more: String, amount: String = "10000") -> String {
        #"{"scheme":"exact","network":"arbitrum","asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","#
            + #""amount":"\#(amount)","payTo":"\#(seller)","maxTimeoutSeconds":60,"#
            + #""extra":{"name":"USD\u20ae0","version":"1"}\#(more)}"#
    }

    private static func source(_ entries: String..., more: String = "") -> ChallengeSource {
        let document = #"{"x402Version":2,"accepts":[\#(entries.joined(separator: ","))]\#(more)}"#
        return ChallengeSource(header: Array(document.utf8), body: nil)
    }

    private static let schema = #","outputSchema":"\#(String(repeating: "y", count: 9000))""#

    private static func notices(_ desk: Desk) async throws -> [String] {
        try await desk.books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 5000).filter { $0.line.kind == .notice }
                .map { "\($0.line.cause) \($0.line.subject) \($0.line.detail ?? "")" }
        }
    }

    @Test("what looks like a challenge and cannot be read is refused with the reason and booked")
    func unreadable() async throws {
        let desk = try await Desk()
        let sources = [
            ChallengeSource(header: Array("true".utf8), body: nil),
            ChallengeSource(header: nil, body: Array(#"{"x402Version":1,"accepts":[{"sch"#.utf8)),
            ChallengeSource(header: Array(#"{"x402Version":3,"accepts":[]}"#.utf8), body: nil),
            ChallengeSource(fields: [], body: .unreadable(reason: "the body is in the coding br")),
            ChallengeSource(fields: [], body: .beginning(Array(#"{"accepts":["#.utf8), reason: "it is too long")),
        ]
        for (number, source) in sources.enumerated() {
            let failure = try #require(await desk.answer(source, for: desk.request(method: "M\(number)")).failure)
            #expect(failure.code == "challenge-unreadable" && failure.status == 402 && failure.leavesChallengeOpen)
            #expect(try await desk.rows.first?.id == failure.payment)
        }
        #expect(try await desk.rows.map(\.evidence.reason) == Array(repeating: "challenge-unreadable", count: 5))
        #expect(await desk.answer(sources[3]).failure?.detail.contains("coding br") == true)
        #expect(desk.signer.signatures == 0)
    }

    @Test("the same refusal again is counted for an hour and reported once, and then booked again")
    func repeated() async throws {
        let desk = try await Desk()
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        var names: Set<PaymentID?> = []
        // Requests of one route are one, whatever their bodies.
        for number in 0..<1000 {
            names.insert(await desk.answer(source, for: desk.request(number: UInt64(number))).failure?.payment)
        }
        #expect(try await desk.rows.map(\.id) == names.compactMap(\.self))
        #expect(names.count == 1)
        await desk.engine.noteRepeatedRefusals()
        #expect(try await Self.notices(desk).isEmpty)
        desk.clock.advance(seconds: 3599)
        _ = await desk.answer(source)
        desk.clock.advance(seconds: 1)
        _ = await desk.answer(source)
        #expect(try await desk.rows.count == 2)
        let name = try #require(names.first).map(\.description) ?? ""
        #expect(
            try await Self.notices(desk)
                == ["refusal-repeated payment:\(name) \(name) came 1000 times more within an hour"])
    }

    @Test("refusals of another kind, route, agent's model or price are others")
    func different() async throws {
        let desk = try await Desk()
        let unreadable = ChallengeSource(header: Array("true".utf8), body: nil)
        let dear = [Self.source(Self.entry("", amount: "2000000")), Self.source(Self.entry("", amount: "2000001"))]
        for _ in 0..<3 {
            _ = await desk.answer(unreadable)
            _ = await desk.answer(unreadable, for: desk.request(method: "GET"))
            for source in dear { _ = await desk.answer(source) }
        }
        #expect(
            try await desk.rows.reversed().map(\.evidence.reason) == [
                "challenge-unreadable", "challenge-unreadable", "payment-too-large", "payment-too-large",
            ])
        await desk.engine.noteRepeatedRefusals(all: true)
        #expect(try await Self.notices(desk).count == 4)
        await desk.engine.noteRepeatedRefusals(all: true)
        #expect(try await Self.notices(desk).count == 4)
    }

    @Test("64 at once are one row")
    func parallel() async throws {
        let desk = try await Desk()
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { _ = await desk.answer(source) } }
        }
        #expect(try await desk.rows.count == 1)
    }

    @Test("more refusals than are remembered are booked, and no count is lost")
    func many() async throws {
        let desk = try await Desk()
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        for number in 0..<1100 {
            for _ in 0..<2 { _ = await desk.answer(source, for: desk.request(method: "M\(number)")) }
            desk.clock.advance(seconds: 1)
        }
        #expect(try await desk.books.payments(PaymentFilter(limit: 5000)).count == 1100)
        await desk.engine.noteRepeatedRefusals(all: true)
        #expect(try await Self.notices(desk).count == 1100)
    }

    @Test("a request that cannot be sent once more is refused where it met a challenge, and booked")
    func unrepeatable() async throws {
        let desk = try await Desk()
        let request = desk.request()
        #expect(
            await desk.engine.decline(challenge(), for: request, because: .bodyTooLarge).failure?.code
                == "body-too-large-to-replay")
        #expect(try await desk.rows.map(\.evidence.reason) == ["body-too-large-to-replay"])
        let late = try #require(
            await desk.engine.decline(challenge(), for: request, because: .exchangeTimeout).failure)
        #expect(late.code == "exchange-timeout" && late.status == 504 && late.leavesChallengeOpen)
        #expect(try await desk.rows.first?.evidence.reason == "exchange-timeout")
        let garbage = ChallengeSource(header: Array("true".utf8), body: nil)
        let unread = await desk.engine.decline(garbage, for: request, because: .bodyTooLarge)
        #expect(unread.failure?.code == "challenge-unreadable")
        let none = ChallengeSource(header: nil, body: nil)
        #expect(await desk.engine.decline(none, for: request, because: .bodyTooLarge).isPassThrough)
    }

    @Test("an entry that cannot be read leaves the others payable; where none can, the reason is told")
    func oddEntries() async throws {
        let desk = try await Desk()
        let odd = Self.entry(#","payTo":"0x0000000000000000000000000000000000000001""#, amount: "5000")
        let failure = try #require(await desk.answer(Self.source(odd)).failure)
        #expect(failure.code == "challenge-unreadable" && failure.detail.contains(#""payTo" occurs twice"#))
        let more = #","error":"a","error":"b","resource":{},"resource":[]"#
        let payment = try await desk.paid(Self.source(odd, Self.entry(""), more: more), for: desk.request(number: 10))
        #expect(payment.terms.amount == UInt256(10_000) && payment.terms.payTo == seller)
    }

    @Test("an entry too long for a header line is refused before anything is set aside or signed")
    func tooLong() async throws {
        let desk = try await Desk()
        let failure = try #require(await desk.answer(Self.source(Self.entry(Self.schema))).failure)
        #expect(failure.code == "challenge-too-long" && failure.status == 402 && failure.price == .cents(1))
        #expect(try await desk.rows.map(\.state) == [.refused])
        #expect(desk.signer.signatures == 0)
        // Another entry that fits is paid.
        let either = Self.source(Self.entry(Self.schema), Self.entry("", amount: "20000"))
        #expect(try await desk.paid(either, for: desk.request(number: 10)).terms.amount == UInt256(20_000))
    }

    @Test("what is left out stays out when the attempt is taken over: the same bytes")
    func trimmed() async throws {
        let desk = try await Desk()
        var policy = GatewayPolicy()
        policy.gate.trimsEntry = true
        let source = Self.source(Self.entry(Self.schema), more: #","extensions":{"payment-identifier":{"info":{}}}"#)
        let payment = try await desk.paid(source, for: desk.request(policy: policy))
        #expect("\(payment.header.name): \(payment.header.value)".utf8.count <= PaymentEcho.maximumLineBytes)
        let sent = try JSONReader.read(#require(Base64.decodeLenient(payment.header.value.utf8)))
        #expect(sent["accepted"]?["outputSchema"] == nil && sent["accepted"]?["extra"]?["version"]?.string == "1")
        #expect(sent["extensions"]?["payment-identifier"]?["info"]?["id"]?.string == payment.id.description)
        await desk.book(.silence(reason: "lost"), of: payment)
        let again = try await desk.paid(source, for: desk.request(policy: policy))
        #expect(again.isAdopted && again.header == payment.header)
        // Also where the gateway is not set so any more: what was sent is what is sent.
        await desk.book(.silence(reason: "lost"), of: again)
        #expect(await desk.answer(source, for: desk.request()).failure?.code == "challenge-too-long")
    }

    @Test("where an earlier payment may still settle, nobody is left to answer the challenge")
    func earlier() async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        await desk.book(.silence(reason: "lost"), of: payment)
        var policy = GatewayPolicy()
        policy.gate.maxPayment = .cents(1)
        desk.clock.advance(seconds: 55)
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "attempt-unresolved" && !failure.leavesChallengeOpen)
    }
}
