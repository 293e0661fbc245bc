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
            "Proxy-Authenticate: x", "Purser-Paid: 1000000 USDT", "Purser-Token: x", "Content-Length: 0005",
            "PAYMENT-RESPONSE: e30=", "Set-Cookie: a", "Set-Cookie: b", "Content_Length: 7",
            "Transfer.Encoding: chunked", "X_Payment_Response: x")
        let answer = try answer(head)
        #expect(
            answer.lines == [
                "HTTP/1.1 200 Reason", "X-Own:  v ", "content-length: 5", "PAYMENT-RESPONSE: e30=", "Set-Cookie: a",
                "Set-Cookie: b", "date: \(Timestamp.vectors.httpDate)",
                "purser-overhead-us: 120",
            ])
        #expect(!answer.response.closesConnection)
    }

    @Test("a free 402 keeps its challenge, a paid answer has none")
    func challenge() throws {
        let head = try ResponseHead.sample(402, "Payment-Required: x", "X-Payment-Required: y", "Content-Length: 0")
        #expect(try answer(head).lines.count == 6)
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
        let bytes = problem.response(isHead: isHead, closing: closing, now: .vectors, allocator: ByteBufferAllocator())
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
            (.noCap, 402, "no-cap", false), (.unknownAgent, 402, "unknown-agent", false),
            (.frozen(freeze), 402, "frozen", false),
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
        "every refusal by the gate is documented, a 402, and repeated by no client",
        arguments: RefusalCode.allCases)
    func vetting(code: RefusalCode) throws {
        let problems = try String(decoding: Vectors.bytes(of: "Specs/problems.md"), as: UTF8.self)
        let (head, body) = try parse(Problem(.gate(Policy.Gate.Refusal(code: code), payment: nil)))
        #expect(head.status == 402)
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

    private func fields(_ held: HeldAnswer) -> [[String]] {
        held.challengeSource.fields.map { [$0.name] + $0.values.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test("the challenge header is found under both its names, the proper one first, each value once")
    func names() throws {
        #expect(try fields(held(["Payment-Required: a"])) == [["PAYMENT-REQUIRED", "a"]])
        #expect(try fields(held(["X-PAYMENT-REQUIRED: b"])) == [["X-PAYMENT-REQUIRED", "b"]])
        #expect(
            try fields(
                held(["X-Payment-Required: b", "PAYMENT-REQUIRED: a", "payment-required: a", "Payment-Required:"]))
                == [["PAYMENT-REQUIRED", "a", ""], ["X-PAYMENT-REQUIRED", "b"]])
        #expect(try fields(held([])).isEmpty)
    }

    @Test("a header that can be paid is known before the body has come, and nothing else is waited for less")
    func readable() throws {
        let payable =
            #"{"x402Version":2,"accepts":[{"scheme":"exact","network":"n","amount":"1","asset":"a","payTo":"p"}]}"#
        #expect(try held(["Payment-Required: \(payable)"], isComplete: false).hasReadableChallengeHeader)
        #expect(try !held(["Payment-Required: \(Self.document)"], isComplete: false).hasReadableChallengeHeader)
        #expect(try !held(["X-Payment-Required: true"], isComplete: false).hasReadableChallengeHeader)
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
            #expect(held.challengeSource.body == .whole(plain))
        }
    }

    @Test("reject- bodies that are cut short, damaged or in an unknown coding")
    func noBody() throws {
        let plain = Array(Self.document.utf8)
        #expect(try held(["Content-Length: 30"], body: plain, isComplete: false).challengeSource.body == .none)
        #expect(try held(["Transfer-Encoding: chunked"], body: plain).challengeSource.body == .none)
        #expect(try held([]).challengeSource.body == .none)
        for coding in ["br", "gzip", "gzip, br", "identity, x"] {
            guard case .unreadable = try held(["Content-Encoding: \(coding)"], body: plain).challengeSource.body else {
                Issue.record("\(coding)")
                continue
            }
            let page = ["Content-Type: text/html; charset=utf-8", "Content-Encoding: \(coding)"]
            #expect(try held(page, body: plain).challengeSource.body == .none)
        }
    }

    @Test("of a body that is longer than any challenge the beginning is known", arguments: [false, true])
    func longBody(isChunked: Bool) throws {
        let plain = Array(Self.document.dropLast().utf8) + [UInt8](repeating: 0x20, count: 70_000)
        let body = isChunked ? Array("fffff\r\n".utf8) + plain : plain
        let field = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000"
        let held = try held([field], body: body, isComplete: false)
        guard case .beginning(let bytes, _) = held.challengeSource.body else {
            Issue.record("\(held.challengeSource.body)")
            return
        }
        #expect(bytes == Array(plain.prefix(Challenge.maximumBytes)))
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
    /// The same without a frame.
    static let raw = "q1aqMDEwCkstKs7Mz1OyMtJRSkxOTi0oKVayio6tBQA="
    /// The same as gzip of two members.
    static let members =
        "H4sIAAAAAAACA6tWqjAxMApLLSrOBACl+qOKCwAAAB+LCAAAAAAAAgPLz1OyMtJRSkxOTi0oKVayio6tBQDUf6CpEwAAAA=="
    /// The same by zstd, with its length in front.
    static let zstd = "KLUv/SQe8QAAeyJ4NDAyVmVyc2lvbiI6MiwiYWNjZXB0cyI6W1191TAjGw=="
    /// The same as of a stream whose length is not known.
    static let zstdStreamed = "KLUv/QRY8QAAeyJ4NDAyVmVyc2lvbiI6MiwiYWNjZXB0cyI6W1191TAjGw=="
    /// The same in three frames, of which one is empty.
    static let zstdFrames =
        "KLUv/QRYOQAAeyJ4NDAyVuvL7vsotS/9JAABAACZ6dhRKLUv/QRYuQAAZXJzaW9uIjoyLCJhY2NlcHRzIjpbXX37kZ6F"
    /// The same, with a window of 128 MiB.
    static let zstdWideWindow = "KLUv/QSI8QAAeyJ4NDAyVmVyc2lvbiI6MiwiYWNjZXB0cyI6W1191TAjGw=="
    /// The same by zstd and then gzip.
    static let gzipOfZstd = "H4sIAAAAAAACA9PYqv+XJeIjA0O1UoWJgVFYalFxZn6ekpWRjlJicnJqQUmxklV0bO1VA2VpALW/A5grAAAA"
    /// 65,537 times the letter a, by zstd.
    static let zstdOverLimit = "KLUv/QRYVQAAEGFhAQD8fx1gAbVpNCU="
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
    private static let document = Array(#"{"x402Version":2,"accepts":[]}"#.utf8)

    private func read(_ bytes: [UInt8], _ codings: String..., isCut: Bool = false) -> ChallengeBody {
        ChallengeBody.read(bytes, codings: codings, isCut: isCut, limit: limit)
    }

    private func bytes(_ text: String) -> [UInt8] { Base64.decodeLenient(text.utf8) ?? [] }

    @Test("the codings of HTTP are read, under either name of deflate's", arguments: ["gzip", "x-gzip", "deflate"])
    func codings(coding: String) {
        for text in [Compressed.gzip, Compressed.zlib, Compressed.raw, Compressed.members] {
            #expect(read(bytes(text), coding) == .whole(Self.document))
        }
        #expect(read(Self.document) == .whole(Self.document))
        #expect(read(Self.document, "identity", "") == .whole(Self.document))
    }

    @Test("zstd is read, in one frame or several, of a known length or not")
    func zstd() {
        for text in [Compressed.zstd, Compressed.zstdStreamed, Compressed.zstdFrames] {
            #expect(read(bytes(text), "zstd") == .whole(Self.document))
        }
    }

    @Test("codings come off in the reverse of the order in which they were put on, four at most")
    func several() {
        #expect(read(bytes(Compressed.gzipOfZstd), "zstd", "gzip") == .whole(Self.document))
        #expect(read(bytes(Compressed.gzipOfZstd), "zstd", "identity", "gzip") == .whole(Self.document))
        #expect(read(bytes(Compressed.gzipOfZstd), "gzip", "zstd") != .whole(Self.document))
        guard case .unreadable = read(bytes(Compressed.gzip), "gzip", "gzip", "gzip", "gzip", "gzip") else {
            Issue.record("five codings")
            return
        }
    }

    @Test("64 KiB come out; of more the beginning does")
    func limits() {
        let letters = [UInt8](repeating: 0x61, count: limit)
        let long = ChallengeBody.beginning(letters, reason: "it is longer than 64 KiB")
        #expect(read(bytes(Compressed.atLimit), "gzip") == .whole(letters))
        #expect(read(bytes(Compressed.overLimit), "gzip") == long)
        #expect(read(bytes(Compressed.zstdOverLimit), "zstd") == long)
        #expect(read(letters) == .whole(letters))
        #expect(read(letters + [0x61]) == long)
        #expect(read(letters, isCut: true) == long)
    }

    @Test("reject- a window that is larger than readers of HTTP take")
    func window() {
        #expect(read(bytes(Compressed.zstdWideWindow), "zstd") != .whole(Self.document))
    }

    @Test("reject- what is damaged, cut short, empty or unknown", arguments: [Compressed.gzip, Compressed.zstd])
    func damaged(text: String) throws {
        let coding = text == Compressed.zstd ? "zstd" : "gzip"
        let bytes = bytes(text)
        for length in 0..<bytes.count {
            if case .whole = read(Array(bytes[..<length]), coding) { Issue.record("\(length) bytes") }
        }
        if coding == "gzip" {
            var damaged = bytes
            damaged[bytes.count - 6] ^= 1
            if case .whole = read(damaged, coding) { Issue.record("a wrong checksum") }
        }
        for other in ["br", "compress", "x", coding == "zstd" ? "gzip" : "zstd"] {
            guard case .unreadable = read(bytes, other) else {
                Issue.record("\(other)")
                continue
            }
        }
    }
}
