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

    private static func counts(_ desk: Desk) async throws -> [CountedRefusals] {
        try await desk.books.read { (books) throws(LedgerError) in try books.countedRefusals().map(\.counted) }
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

    @Test("many refusals of one kind in a minute are five rows and one line, and the agent is told each time")
    func repeated() async throws {
        let desk = try await Desk()
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        var names: [PaymentID?] = []
        for number in 0..<100 {
            let failure = await desk.answer(source, for: desk.request(number: UInt64(number))).failure
            #expect(failure?.code == "challenge-unreadable")
            names.append(failure?.payment)
        }
        // What has no row of its own has no name in the books.
        #expect(try await desk.rows.map(\.id).reversed() == names.compactMap(\.self))
        #expect(names.prefix(5).allSatisfy { $0 != nil } && names.dropFirst(5).allSatisfy { $0 == nil })
        await desk.engine.noteRefusals()
        #expect(try await Self.counts(desk).isEmpty)
        desk.clock.advance(seconds: 60)
        await desk.engine.noteRefusals()
        #expect(try await Self.counts(desk).map(\.codes) == [["challenge-unreadable": 95]])
        _ = await desk.answer(source)
        #expect(try await desk.rows.count == 6)
    }

    @Test("refusals by the gate, by a cap and by a rule are counted by their codes")
    func different() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(1))])
        let unreadable = ChallengeSource(header: Array("true".utf8), body: nil)
        let dear = Self.source(Self.entry("", amount: "2000000"))
        let tooMuch = Self.source(Self.entry("", amount: "20000"))
        for number in 0..<UInt64(9) {
            for source in [unreadable, dear, tooMuch] {
                _ = await desk.answer(source, for: desk.request(number: number, path: "/\(number)"))
            }
        }
        #expect(try await desk.rows.count == 15)
        await desk.engine.noteRefusals(all: true)
        #expect(
            try await Self.counts(desk).map(\.codes)
                == [["challenge-unreadable": 4, "payment-too-large": 4, "cap-day": 4]])
        await desk.engine.noteRefusals(all: true)
        #expect(try await Self.counts(desk).count == 1)
    }

    @Test("64 at once are five rows, and the others are counted")
    func parallel() async throws {
        let desk = try await Desk()
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { _ = await desk.answer(source) } }
        }
        #expect(try await desk.rows.count == 5)
        await desk.engine.noteRefusals(all: true)
        #expect(try await Self.counts(desk).map(\.count) == [59])
    }

    @Test("counts that the books do not take are written later")
    func notWritten() async throws {
        let desk = try await Desk()
        let engine = try desk.engine(over: WatchedStore(desk.books, failures: Failures(1, error: .storage("full"))))
        let source = ChallengeSource(header: Array("true".utf8), body: nil)
        for _ in 0..<7 { _ = await desk.answer(source) }
        await engine.noteRefusals(all: true)
        #expect(try await Self.counts(desk).isEmpty)
        #expect(desk.log.lines.contains { $0.hasPrefix("error: counted refusals not booked") })
        await engine.noteRefusals(all: true)
        #expect(try await Self.counts(desk).map(\.count) == [2])
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
