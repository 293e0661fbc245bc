import Ledger
import NIOCore
import Policy
import Primitives
import TestSupport
import Testing
import Transport
import X402

@testable import Payments
@testable import Proxy

@Suite("Response heads for the agent")
struct AgentResponseTests {
    private func answer(
        _ response: ResponseHead, to request: RequestHead? = nil, closing: Bool = false, paid: PaymentEvent? = nil,
        usage: [CapUsage] = [], location: RedirectRule.Location = .unchanged
    ) throws -> (lines: [String], response: AgentResponse) {
        let answer = AgentResponse(
            response, to: try request ?? .sample(), closing: closing,
            paid: paid.map { AgentResponse.Paid(payment: .sample(usage: usage), event: $0, amount: UInt256(10_000)) },
            location: location,
            overhead: .microseconds(120), now: .vectors, allocator: ByteBufferAllocator())
        let text = String(buffer: answer.head)
        #expect(text.hasSuffix("\r\n\r\n"))
        return (text.split(separator: "\r\n").map(String.init), answer)
    }

    @Test("the gateway's fields travel on as they are; what is for this hop, or claims to be ours, does not")
    func fields() throws {
        let head = try ResponseHead.sample(
            200, "X-Own:  v ", "Connection: x-hop, content-length", "X-Hop: 1", "Keep-Alive: 5", "Upgrade: x",
            "Proxy-Authenticate: x", "Purser-Paid: 1000000 USDT", "Purser-Token: x", "Content-Length: 5",
            "PAYMENT-RESPONSE: e30=", "Set-Cookie: a", "Set-Cookie: b")
        let answer = try answer(head)
        #expect(
            answer.lines == [
                "HTTP/1.1 200 Reason", "X-Own:  v ", "Content-Length: 5", "PAYMENT-RESPONSE: e30=", "Set-Cookie: a",
                "Set-Cookie: b",
                "purser-overhead-us: 120",
            ])
        #expect(!answer.response.closesConnection)
    }

    @Test("a free 402 keeps its challenge, a paid answer has none")
    func challenge() throws {
        let head = try ResponseHead.sample(402, "Payment-Required: x", "X-Payment-Required: y", "Content-Length: 0")
        #expect(try answer(head).lines.count == 5)
        let paid = try answer(head, paid: .rejected).lines
        #expect(!paid.contains { $0.lowercased().contains("payment-required") })
    }

    @Test(
        "a paid answer says what became of the money",
        arguments: PaymentEvent.allCases.filter { PaymentState.reserved.after($0) != nil })
    func paid(event: PaymentEvent) throws {
        let usage = [
            CapUsage(cap: Cap(agent: "scout", CapLimit(.request, .cents(5))), used: .zero, resetsAt: nil),
            CapUsage(
                cap: Cap(agent: "scout", CapLimit(.day, .cents(50))), used: Dollars.cents(1).quantity,
                resetsAt: .vectors),
        ]
        let lines = try answer(.sample(200, "Content-Length: 0"), paid: event, usage: usage).lines
        let state = try #require(PaymentState.reserved.after(event))
        let isOpen = state == .rejected || state == .inDoubt
        #expect(lines.contains("purser-payment: \(PaymentIntent.sample(1).id)"))
        #expect(lines.contains("purser-outcome: \(state.rawValue)"))
        #expect(lines.contains(isOpen ? "purser-exposed: 0.01 USDT" : "purser-paid: 0.01 USDT"))
        #expect(lines.contains("purser-remaining: day=0.49"))
        #expect(!lines.contains { $0.hasPrefix("x-should-retry") })
    }

    @Test(
        "an adopted payment is said to be what the books hold of it",
        arguments: [
            (PaymentState.resumed, PaymentEvent.lostSight, "in-doubt"), (.resumed, .settled, "settled"),
            (.resumed, .alreadyUsed, "presumed"), (.settled, .lostSight, "settled"), (.settled, .rejected, "settled"),
            (.presumed, .rejected, "presumed"), (.confirmed, .alreadyUsed, "confirmed"),
        ])
    func adopted(state: PaymentState, event: PaymentEvent, outcome: String) throws {
        let paid = AgentResponse.Paid(payment: .sample(state: state), event: event, amount: UInt256(10_000))
        #expect(paid.state.rawValue == outcome)
        var head = ByteBufferAllocator().buffer(capacity: 100)
        paid.write(status: 200, to: &head)
        #expect(String(buffer: head).contains("purser-outcome: \(outcome)\r\n"))
    }

    @Test(
        "after a payment whose money is gone no client is told to repeat, whatever the seller says",
        arguments: [300, 402, 409, 429, 503])
    func noRetry(status: Int) throws {
        let head = try ResponseHead.sample(status, "X-Should-Retry: true", "x-should-retry: 1", "Content-Length: 0")
        let lines = try answer(head, paid: .settled).lines.filter { $0.lowercased().hasPrefix("x-should-retry") }
        #expect(lines == ["x-should-retry: false"])
        #expect(try answer(head).lines.filter { $0.lowercased().hasPrefix("x-should-retry") }.count == 2)
    }

    @Test("a Location is written as it was judged")
    func location() throws {
        let head = try ResponseHead.sample(302, "Location: /b", "Content-Length: 0")
        #expect(try answer(head).lines.contains("Location: /b"))
        #expect(
            try answer(head, location: .rewritten("/lab/b")).lines.filter { $0.lowercased().hasPrefix("location") } == [
                "location: /lab/b"
            ])
    }

    @Test(
        "the connection ends where the body's end needs it, or the agent wants it",
        arguments: [
            ("GET /lab HTTP/1.1", "Content-Length: 5", nil), ("GET /lab HTTP/1.1", "A: b", "close"),
            ("GET /lab HTTP/1.1", "Transfer-Encoding: chunked", nil),
            ("GET /lab HTTP/1.0", "Content-Length: 5", "close"),
            ("HEAD /lab HTTP/1.1", "A: b", nil), ("GET /lab HTTP/1.0", "Transfer-Encoding: chunked", "close"),
        ])
    func closing(line: String, field: String, connection: String?) throws {
        let answer = try answer(.sample(200, field), to: .sample(line))
        #expect(answer.response.closesConnection == (connection == "close"))
        #expect(answer.lines.contains("connection: close") == (connection == "close"))
        let isChunked = field.contains("chunked") && line.hasSuffix("1.1")
        #expect(answer.lines.contains("transfer-encoding: chunked") == isChunked)
        #expect(!answer.lines.contains("Transfer-Encoding: chunked"))
    }

    @Test("an agent of HTTP/1.0 that keeps its connection is told so, and gets no chunks")
    func http10() throws {
        let request = try RequestHead.sample("GET /lab HTTP/1.0", "Connection: keep-alive")
        #expect(try answer(.sample(200, "Content-Length: 5"), to: request).lines.last == "connection: keep-alive")
        guard case .dechunked = try answer(.sample(200, "Transfer-Encoding: chunked"), to: request).response.relay
        else {
            Issue.record("chunks would reach an agent that cannot read them")
            return
        }
    }
}

@Suite("Answers of our own")
struct ProblemTests {
    private func parse(_ problem: Problem, isHead: Bool = false, closing: Bool = false) throws -> (
        ResponseHead, [UInt8]
    ) {
        let bytes = problem.response(isHead: isHead, closing: closing, allocator: ByteBufferAllocator())
        var scanner = HeadScanner()
        var rest = bytes
        let length = try #require(try scanner.endOfHead(in: rest, limit: 1 << 16))
        let slice = rest.readSlice(length: length)
        let head = try ResponseHead(#require(slice))
        return (head, Array(buffer: rest))
    }

    private func field(_ name: String, of head: ResponseHead) -> String? {
        head.fields.lines.first { head.fields.name(of: $0) == name }.map { head.fields.text($0) }
    }

    @Test("a problem is one document in both shapes, and its length is right")
    func document() throws {
        let text = "A \"quoted\" text\nwith ₮"
        let (head, body) = try parse(Problem(status: 403, code: "some-code", detail: text))
        #expect(head.status == 403)
        #expect(field("content-type", of: head) == "application/problem+json")
        #expect(field("content-length", of: head) == "\(body.count)")
        #expect(field("cache-control", of: head) == "no-store")
        let root = try JSONReader.read(body)
        #expect(root["type"]?.string == "urn:purser:problem:some-code")
        #expect(root["status"]?.integer == 403)
        #expect(root["detail"]?.string == text)
        #expect(root["error"]?["message"]?.string == text)
        #expect(root["error"]?["code"]?.string == "some-code")
        #expect(root["payment"] == nil)
        #expect(!body.contains(0x0a))
    }

    @Test("a HEAD request gets the head alone")
    func head() throws {
        let (head, body) = try parse(Problem(status: 404, code: "c", detail: "d"), isHead: true)
        #expect(body.isEmpty)
        #expect(field("content-length", of: head) != "0")
    }

    @Test("a refusal by a cap says what an agent can act on")
    func cap() throws {
        let usage = CapUsage(
            cap: Cap(agent: "scout", CapLimit(.day, .cents(500))), used: Dollars.cents(498).quantity,
            resetsAt: Timestamp.vectors.adding(seconds: 86_400))
        let id = PaymentIntent.sample(3).id
        let (head, body) = try parse(Problem(.refused(.exceeded(usage), price: .cents(3), payment: id)))
        #expect(head.status == 402)
        #expect(field("purser-payment", of: head) == id.description)
        #expect(field("x-should-retry", of: head) == nil)
        let root = try JSONReader.read(body)
        #expect(root["code"]?.string == "cap-exceeded")
        #expect(root["retryable"]?.bool == true)
        #expect(root["price_usd"]?.string == "0.03")
        #expect(root["payment"]?.string == id.description)
        let cap = try #require(root["cap"])
        #expect(
            cap.members?.map { "\($0.key) \($0.value.string ?? "")" } == [
                "scope agent:scout", "window day", "measure dollars", "limit 5.00", "used 4.98", "left 0.02",
                "limit_usd 5.00", "used_usd 4.98", "left_usd 0.02", "resets_at 2026-11-23T00:00:00Z",
            ])
    }

    @Test("every refusal of the books has its status, and says whether and when a repetition helps")
    func refusals() throws {
        let (id, earlier) = (PaymentIntent.sample(3).id, PaymentIntent.sample(4).id)
        let later = Timestamp.vectors.adding(seconds: 60)
        let freeze = Freeze(scope: .gateway("lab"), since: .vectors, actor: "op", reason: "why")
        let rows: [(ReservationRefusal, Int, String, isRetryable: Bool)] = [
            (.noCap, 402, "no-cap", false), (.unknownAgent, 403, "unknown-agent", false),
            (.frozen(freeze), 403, "frozen", false),
            (.gatewayRejecting(RejectionPause(scope: .gateway, until: later)), 402, "gateway-rejecting", true),
            (
                .walletUnfunded(
                    WalletPause(wallet: "main", account: "0x1", network: "n", symbol: "USDT", until: later)), 402,
                "insufficient-funds", true
            ),
            (.clockBehind(seconds: 70), 503, "clock-behind", true),
            (.unresolved(earlier, until: later), 402, "attempt-unresolved", true),
            (.unfit(earlier, until: later), 402, "attempt-unfit", true),
            (.notServed(earlier, until: later), 402, "paid-not-served", true),
            (.keyReused(earlier), 422, "idempotency-key-reused", false),
            (.keyInUse(earlier), 409, "idempotency-key-in-use", false),
            (.keySpent(earlier), 402, "idempotency-key-spent", false),
        ]
        let problems = try String(decoding: Vectors.bytes(of: "Specs/problems.md"), as: UTF8.self)
        for (refusal, status, code, isRetryable) in rows {
            let (head, body) = try parse(Problem(.refused(refusal, price: .cents(3), payment: id)))
            #expect(head.status == status)
            #expect(field("x-should-retry", of: head) == (isRetryable ? nil : "false"))
            // A request that was paid is told of that payment, and not of the refusal.
            let named = code == "paid-not-served" ? earlier : id
            #expect(field("purser-payment", of: head) == named.description)
            let root = try JSONReader.read(body)
            #expect(root["code"]?.string == code && root["retryable"]?.bool == isRetryable)
            #expect(root["price_usd"]?.string == "0.03")
            let names = String(decoding: body, as: UTF8.self).contains(earlier.description)
            #expect(root["earlier_payment"]?.string == (names ? earlier.description : nil))
            let timed = [
                "gateway-rejecting", "attempt-unresolved", "attempt-unfit", "paid-not-served", "insufficient-funds",
            ]
            let hasTime = timed.contains(code)
            #expect(root["retry_at"]?.string == (hasTime ? later.description : nil))
            #expect(problems.contains("| `\(code)` | \(status) |"))
        }
    }

    @Test(
        "every refusal by the gate is documented, a 403 unless the price is the reason, and repeated by no client",
        arguments: RefusalCode.allCases)
    func vetting(code: RefusalCode) throws {
        let problems = try String(decoding: Vectors.bytes(of: "Specs/problems.md"), as: UTF8.self)
        let (head, body) = try parse(Problem(.gate(Policy.Gate.Refusal(code: code), payment: nil)))
        #expect(head.status == ([.tooLarge, .priceRise].contains(code) ? 402 : 403))
        #expect(problems.contains("| `\(code.rawValue)` | \(head.status) |"))
        #expect(field("x-should-retry", of: head) == "false")
        #expect(try JSONReader.read(body)["code"]?.string == code.rawValue)
    }

    @Test("behind a payment that went out nobody is told to repeat; without one, what may pass is retryable")
    func upstream() throws {
        let failures: [UpstreamFailure] = [
            .connect("x"), .tls("x"), .connectTimeout, .closedBeforeResponse, .truncated, .malformed(.badChunk),
            .unexpectedUpgrade, .notProcessed,
        ]
        for failure in failures {
            for payment in [nil, AuthorizedPayment.sample()] {
                let (head, body) = try parse(
                    .upstream(
                        failure, gateway: "lab",
                        payment: payment.map {
                            AgentResponse.Paid(payment: $0, event: .lostSight, amount: UInt256(10_000))
                        }))
                #expect(head.status == 502 || head.status == 504)
                #expect(field("x-should-retry", of: head) == payment.map { _ in "false" })
                let root = try JSONReader.read(body)
                #expect(root["retryable"]?.bool == (payment == nil))
                #expect(root["payment"]?.string == payment?.id.description)
                #expect(!String(decoding: body, as: UTF8.self).contains(PaymentHeader.sample.value))
            }
        }
    }

    @Test("bytes that are no HTTP/1.1 end the connection")
    func malformed() throws {
        let errors: [(HTTP1Error, Int)] = [
            (.headTooLarge, 431), (.tooManyFields, 431), (.badLineEnding, 400), (.badStartLine, 400),
            (.badVersion, 505),
            (.badField, 400), (.badContentLength, 400), (.badTransferEncoding, 400), (.badChunk, 400),
            (.badTrailer, 400),
        ]
        for (error, status) in errors {
            let (head, _) = try parse(.malformed(error))
            #expect(head.status == status)
            #expect(!head.keepsAlive)
        }
    }
}

@Suite("Held 402 answers")
struct HeldAnswerTests {
    private static let document = #"{"x402Version":2,"accepts":[]}"#
    private static let other = #"{"x402Version":1,"accepts":[]}"#

    private func held(_ fields: [String], body: [UInt8] = [], pieces: Int = .max, isComplete: Bool = true) throws
        -> HeldAnswer
    {
        let lines = ["HTTP/1.1 402 x"] + fields
        let head = try ResponseHead(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
        var held = HeldAnswer(head, framing: head.framing(answering: "GET"))
        held.body = stride(from: 0, to: body.count, by: min(pieces, max(body.count, 1))).map {
            ByteBuffer(bytes: body[$0..<min($0 + min(pieces, body.count), body.count)])
        }
        held.byteCount = body.count
        held.isComplete = isComplete
        return held
    }

    private func header(_ held: HeldAnswer) -> String? {
        held.challengeSource.header.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("the challenge header is found under both its names, the proper one first")
    func names() throws {
        #expect(try header(held(["Payment-Required: a"])) == "a")
        #expect(try header(held(["X-PAYMENT-REQUIRED: b"])) == "b")
        #expect(try header(held(["X-Payment-Required: b", "PAYMENT-REQUIRED: a"])) == "a")
        #expect(try header(held(["Payment-Required:"])) == nil)
        #expect(try header(held([])) == nil)
    }

    @Test("equal challenge headers are one; two that differ are none, and the body counts")
    func twoHeaders() throws {
        #expect(try header(held(["Payment-Required: a", "Payment-Required: a"])) == "a")
        let two = try held(
            ["Payment-Required: \(Self.document)", "Payment-Required: \(Self.other)", "Content-Length: 30"],
            body: Array(Self.document.utf8))
        #expect(header(two) == nil)
        #expect(!two.hasReadableChallengeHeader)
        #expect(try Challenge.read(two.challengeSource).version == 2)
    }

    @Test("a header that can be read is known before the body has come")
    func readable() throws {
        #expect(try held(["Payment-Required: \(Self.document)"], isComplete: false).hasReadableChallengeHeader)
        #expect(try !held(["Payment-Required: nonsense!"], isComplete: false).hasReadableChallengeHeader)
        #expect(try held(["A: b"], isComplete: false).endsWithConnection)
    }

    @Test("the body is read out of pieces, chunks and compression", arguments: [1, 3, 1000])
    func bodies(pieces: Int) throws {
        let plain = Array(Self.document.utf8)
        let chunked = Array("1e\r\n\(Self.document)\r\n0\r\n\r\n".utf8)
        let zipped = try #require(Base64.decodeLenient(Compressed.gzip.utf8))
        let cases: [([String], [UInt8])] = [
            (["Content-Length: 30"], plain), (["Transfer-Encoding: chunked"], chunked), (["A: b"], plain),
            (["Content-Encoding: GZIP", "A: b"], zipped),
        ]
        for (fields, body) in cases {
            let held = try held(fields, body: body, pieces: pieces)
            #expect(held.challengeSource.body == plain)
        }
    }

    @Test("reject- bodies that are cut short, damaged or in an unknown coding")
    func noBody() throws {
        let plain = Array(Self.document.utf8)
        #expect(try held(["Content-Length: 30"], body: plain, isComplete: false).challengeSource.body == nil)
        #expect(try held(["Transfer-Encoding: chunked"], body: plain).challengeSource.body == nil)
        #expect(try held(["Content-Encoding: br"], body: plain).challengeSource.body == nil)
        #expect(try held(["Content-Encoding: gzip"], body: plain).challengeSource.body == nil)
        #expect(try held([]).challengeSource.body == nil)
    }

    @Test("a settlement report is taken from the first of its two names that can be read")
    func settlement() throws {
        let yes = #"{"success":true}"#
        let no = #"{"success":false}"#
        func read(_ fields: String...) throws -> Bool? {
            let lines = ["HTTP/1.1 200 x"] + fields
            let head = try ResponseHead(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
            return SettlementReport.read(from: head)?.success
        }
        #expect(try read("Payment-Response: \(yes)", "X-Payment-Response: \(no)") == true)
        #expect(try read("X-Payment-Response: \(no)") == false)
        #expect(try read("Payment-Response: nonsense", "X-Payment-Response: \(no)") == false)
        #expect(try read("A: b") == nil)
    }
}

/// Texts compressed by zlib, in base 64.
private enum Compressed {
    /// `{"x402Version":2,"accepts":[]}`.
    static let gzip = "H4sIAAAAAAACA6tWqjAxMApLLSrOzM9TsjLSUUpMTk4tKClWsoqOrQUAIh7CMR4AAAA="
    /// The same.
    static let zlib = "eJyrVqowMTAKSy0qzszPU7Iy0lFKTE5OLSgpVrKKjq0FAJWtCeI="
    /// 65,536 times the letter a.
    static let atLimit =
        "H4sIAAAAAAACA+3BgQAAAACAINb9JRapCgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        + "AGr/kSDDAAABAA=="
    /// One more.
    static let overLimit =
        "H4sIAAAAAAACA+3BgQAAAADDINb5S/wgVQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        + "AMANX3F2xQEAAQA="
}

@Suite("Bodies of 402 answers")
struct ChallengeBodyTests {
    private let limit = 65_536

    private func plain(_ text: String, _ coding: String?) -> [UInt8]? {
        ChallengeBody.plain(Base64.decodeLenient(text.utf8) ?? [], coding: coding, limit: limit)
    }

    @Test("the codings of HTTP are read", arguments: ["gzip", "x-gzip", "GZip"])
    func codings(coding: String) {
        let document = Array(#"{"x402Version":2,"accepts":[]}"#.utf8)
        #expect(plain(Compressed.gzip, coding) == document)
        #expect(plain(Compressed.zlib, "deflate") == document)
        #expect(ChallengeBody.plain(document, coding: nil, limit: limit) == document)
        #expect(ChallengeBody.plain(document, coding: "identity", limit: limit) == document)
        #expect(ChallengeBody.plain(document, coding: nil, limit: document.count - 1) == nil)
    }

    @Test("64 KiB come out and a byte more does not")
    func limits() {
        #expect(plain(Compressed.atLimit, "gzip")?.count == limit)
        #expect(plain(Compressed.overLimit, "gzip") == nil)
    }

    @Test("reject- what is damaged, cut short, empty or unknown")
    func damaged() throws {
        let bytes = try #require(Base64.decodeLenient(Compressed.gzip.utf8))
        for length in 0..<bytes.count {
            #expect(ChallengeBody.plain(Array(bytes[..<length]), coding: "gzip", limit: limit) == nil)
        }
        var damaged = bytes
        damaged[bytes.count - 6] ^= 1
        #expect(ChallengeBody.plain(damaged, coding: "gzip", limit: limit) == nil)
        for coding in ["br", "zstd", "gzip, gzip", "", "compress"] {
            #expect(ChallengeBody.plain(bytes, coding: coding, limit: limit) == nil)
        }
    }
}
