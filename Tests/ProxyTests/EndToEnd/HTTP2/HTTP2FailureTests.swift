import Ledger
import NIOCore
import NIOHPACK
import NIOHTTP2
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Gateways that fail over HTTP/2", .mayBlock)
struct HTTP2FailureTests {
    private static let report = Seller.report()

    /// A 402 first; then the answer by the number of the paid request.
    private static func paid(
        _ answer: @escaping @Sendable (HTTP2Upstream.Request, Int) -> [HTTP2Upstream.Step]
    ) -> HTTP2Upstream.Script {
        let count = Progress()
        return { $0.isPaid ? answer($0, count.next()) : .unpaid }
    }

    private static func code(_ answer: Message) throws -> String? {
        try JSONReader.read(answer.content)["code"]?.string
    }

    @Test("a paid request goes out once and is booked by its answer")
    func paidOnce() async throws {
        let script = Self.paid { _, _ in .answer(200, [Self.report], body: "bought") }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let answer = try lab.exchange("POST", "/lab/x", body: "q")
            #expect(answer.text == "bought" && answer["purser-outcome"] == ["settled"])
            #expect(try await lab.payment().state == .settled)
            #expect(upstream.requests.map(\.isPaid) == [false, true] && upstream.connectionCount == 1)
            #expect(upstream.requests.map(\.body) == [Array("q".utf8), Array("q".utf8)])
        }
    }

    @Test("reject- a gateway that allows pushes, which only a client may do; nothing is paid there")
    func pushes() async throws {
        try await HTTP2Lab.run(pushes: true, script: Self.paid { _, _ in .answer(200, [Self.report], body: "bought") })
        {
            lab, upstream async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").status >= 500)
            #expect(try await lab.payments().isEmpty)
            #expect(!upstream.requests.contains { $0.isPaid })
        }
    }

    @Test("a stream that is refused unread is sent again, a payment with the same bytes, and once only")
    func refused() async throws {
        let tries = Progress()
        let script = Self.paid { request, number in
            number == 0 ? [.reset(.refusedStream)] : .answer(200, [Self.report], body: "bought")
        }
        try await HTTP2Lab.run(
            script: { request in
                switch request[":path"].first {
                case "/once": tries.next() == 0 ? [.reset(.refusedStream)] : .answer(200, body: "second")
                case "/always": [.reset(.refusedStream)]
                default: script(request)
                }
            }
        ) { lab, upstream async throws in
            #expect(try lab.exchange("POST", "/lab/once", body: "q").text == "second")
            let refused = try lab.exchange("POST", "/lab/always", body: "q")
            #expect(try refused.status == 502 && Self.code(refused) == "gateway-closed")
            #expect(upstream.requests.count == 4)
            #expect(try lab.exchange("POST", "/lab/paid", body: "q").text == "bought")
            let payments = upstream.requests.filter(\.isPaid).map { $0["payment-signature"] }
            #expect(payments.count == 2 && payments[0] == payments[1])
            #expect(try await lab.payment().state == .settled)
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("a reset before the answer sends a payment's bytes once more and nothing that is not idempotent")
    func resetBefore() async throws {
        let script = Self.paid { request, number in
            number == 0 ? [.reset(.internalError)] : .answer(200, [Self.report], body: "bought")
        }
        try await HTTP2Lab.run(
            script: { $0[":path"] == ["/unpaid"] ? [.reset(.internalError)] : script($0) }
        ) { lab, upstream async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            #expect(try await lab.payment().state == .settled)
            let failed = try lab.exchange("POST", "/lab/unpaid", body: "q")
            #expect(try failed.status == 502 && Self.code(failed) == "gateway-closed")
            #expect(upstream.requests.filter { $0[":path"] == ["/unpaid"] }.count == 1)
        }
    }

    @Test("a connection that is lost while the next stream is being opened on it costs another, and nobody waits")
    func lostMeanwhile() async throws {
        let script = Self.paid { request, number in
            guard number == 0 else { return .answer(200, [Self.report], body: "bought") }
            // In one piece: a reset, behind which the payment is sent again, and a PING of a wrong size.
            let stream = UInt8(truncatingIfNeeded: request.stream)
            return [.raw([0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, 2] + [0, 0, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0])]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "q").text == "bought")
            #expect(try await lab.payment().state == .settled && upstream.connectionCount == 2)
        }
    }

    @Test("a reset behind the head breaks the answer off", arguments: [false, true])
    func resetBehind(hasLength: Bool) async throws {
        let fields = hasLength ? [("content-length", "9")] : []
        try await HTTP2Lab.run(
            script: { _ in [.head(200, fields), .data("half"), .reset(.internalError)] }
        ) { lab, upstream async throws in
            #expect(throws: WireError.self) { try lab.exchange("GET", "/lab/x") }
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("a connection that goes away finishes what it has, and the next request takes another")
    func goingAway() async throws {
        let rest = Gate()
        let script: HTTP2Upstream.Script = { request in
            guard request[":path"] == ["/0"] else { return .answer(200, body: "\(request.connection)") }
            return [.head(200), .goAway(last: request.stream), .hold(rest), .data("whole", end: true)]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wire = try HTTP2Lab.send(1, in: lab)[0]
            _ = try wire.readHead()
            #expect(try lab.exchange("GET", "/lab/x").text == "1")
            rest.open()
            #expect(try wire.readToChunkedEnd() == "whole")
            #expect(try lab.exchange("GET", "/lab/x").text == "1" && upstream.connectionCount == 2)
        }
    }

    @Test("what a connection that goes away did not look at is sent again, paid or not")
    func passedOver() async throws {
        let script: HTTP2Upstream.Script = { request in
            if request.connection == 0, request[":path"] == ["/skip"] { return [.goAway(last: request.stream - 2)] }
            guard request[":path"] == ["/paid"] else { return .answer(200, body: "\(request.connection)") }
            guard request.isPaid else { return .unpaid }
            return request.connection < 2
                ? [.goAway(last: request.stream - 2)] : .answer(200, [Self.report], body: "bought")
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            #expect(try lab.exchange("GET", "/lab/x").text == "0")
            #expect(try lab.exchange("POST", "/lab/skip", body: "q").text == "1")
            #expect(try lab.exchange("POST", "/lab/paid", body: "q").text == "bought")
            let payments = upstream.requests.filter(\.isPaid).map { $0["payment-signature"] }
            #expect(payments.count == 2 && payments[0] == payments[1])
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test(
        "a dead connection fails each exchange by itself: every payment is sent once more, then in doubt",
        arguments: [1, 9])
    func death(deaths: Int) async throws {
        let everybody = Gate()
        let waiting = Progress()
        let script: HTTP2Upstream.Script = { request in
            guard request.isPaid else { return .unpaid }
            guard request.connection < deaths else { return .answer(200, [Self.report], body: "bought") }
            // The last of four ends the connection for all: more wait until one is accepted.
            return waiting.next() % 4 == 3 ? [.disconnect] : [.hold(everybody)]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wires = try HTTP2Lab.send(4, "POST", body: "q", in: lab)
            let answers = try wires.map { try $0.readResponse() }
            let payments = try await lab.payments()
            #expect(payments.count == 4 && Set(payments.map(\.state)) == [deaths == 1 ? .settled : .inDoubt])
            #expect(answers.map(\.status) == Array(repeating: deaths == 1 ? 200 : 502, count: 4))
            let sent = upstream.requests.filter(\.isPaid).map { $0["payment-signature"].joined() }
            #expect(sent.count == 8 && Set(sent).count == 4)
            everybody.open()
        }
    }

    @Test("a gateway that asks for HTTP/1.1 gets it for the request and those behind it")
    func http1Required() async throws {
        try await HTTP2Lab.run(script: { _ in [.reset(.http11Required)] }) { lab, upstream async throws in
            // The second try is HTTP/1.1, which this gateway cannot speak.
            #expect(try lab.exchange("GET", "/lab/x").status == 502)
            #expect(try lab.exchange("GET", "/lab/x").status == 502)
            #expect(upstream.requests.count == 1 && upstream.connectionCount == 3)
        }
    }

    struct Malformed: Sendable, CustomStringConvertible {
        let description: String
        let steps: [HTTP2Upstream.Step]

        init(_ description: String, _ steps: HTTP2Upstream.Step...) {
            self.init(description, all: steps)
        }

        init(_ description: String, all steps: [HTTP2Upstream.Step]) {
            self.description = description
            self.steps = steps
        }
    }

    private static func fields(_ fields: (String, String)...) -> HTTP2Upstream.Step {
        .head(HPACKHeaders(fields), end: true)
    }

    static let malformed = [
        Malformed("no status", fields(("x", "y"))),
        Malformed("a status of two digits", fields((":status", "20"))),
        Malformed("a switch of protocols", fields((":status", "101"))),
        Malformed("an interim response as the last", fields((":status", "103"))),
        Malformed("a request's pseudo-field", fields((":status", "200"), (":path", "/"))),
        Malformed("two statuses", fields((":status", "200"), (":status", "200"))),
        Malformed("a status behind a field", fields(("x", "y"), (":status", "200"))),
        Malformed("an upper-case name", fields((":status", "200"), ("X-A", "y"))),
        Malformed("a name that ends a line", fields((":status", "200"), ("x\r\ny", "z"))),
        Malformed("a value that ends a line", fields((":status", "200"), ("x", "y\r\nset-cookie: a=b"))),
        Malformed("a value with NUL", fields((":status", "200"), ("x", "y\u{0}"))),
        Malformed("Connection", fields((":status", "200"), ("connection", "close"))),
        Malformed("Transfer-Encoding", fields((":status", "200"), ("transfer-encoding", "chunked"))),
        Malformed("Upgrade", fields((":status", "200"), ("upgrade", "h2c"))),
        Malformed("two lengths", fields((":status", "200"), ("content-length", "0"), ("content-length", "0"))),
        Malformed("a length with a sign", fields((":status", "200"), ("content-length", "+0"))),
        Malformed("a length without a body", fields((":status", "200"), ("content-length", "5"))),
        Malformed("65 interim responses", all: [HTTP2Upstream.Step](repeating: .head(103), count: 65)),
    ]

    @Test(
        "a malformed answer is a 502, costs its own stream alone, and leaves a payment in doubt", arguments: malformed)
    func refusedAnswer(row: Malformed) async throws {
        let script = Self.paid { _, _ in row.steps }
        try await HTTP2Lab.run(script: { $0[":path"] == ["/fine"] ? .answer(200, body: "fine") : script($0) }) {
            lab, upstream async throws in
            let answer = try lab.exchange("GET", "/lab/x")
            #expect(try answer.status == 502 && Self.code(answer) == "gateway-malformed")
            #expect(try await lab.payment().state == .inDoubt)
            #expect(try lab.exchange("GET", "/lab/fine").text == "fine")
            #expect(upstream.requests.filter(\.isPaid).count == 1 && upstream.connectionCount == 1)
            #expect(upstream.resets.allSatisfy { $0 == .protocolError || $0 == .cancel })
        }
    }

    static let broken = [
        Malformed("more than its length", .head(200, [("content-length", "3")]), .data("four", end: true)),
        Malformed("less than its length", .head(200, [("content-length", "5")]), .data("four", end: true)),
        Malformed("a pseudo-field behind the body", .head(200), .data("x"), .trailers([(":status", "200")])),
        Malformed("a length behind the body", .head(200), .data("x"), .trailers([("content-length", "1")])),
        Malformed("a line end behind the body", .head(200), .data("x"), .trailers([("x", "\r\n\r\nHTTP/1.1 200")])),
    ]

    @Test("an answer that goes wrong behind its head is never a whole one", arguments: broken)
    func brokenAnswer(row: Malformed) async throws {
        try await HTTP2Lab.run(script: { $0[":path"] == ["/fine"] ? .answer(200, body: "fine") : row.steps }) {
            lab, upstream async throws in
            #expect(throws: WireError.self) { try lab.exchange("GET", "/lab/x") }
            #expect(try lab.exchange("GET", "/lab/fine").text == "fine")
            #expect(upstream.connectionCount == 1)
        }
    }

    struct Flood: Sendable, CustomStringConvertible {
        let description: String
        let bytes: [UInt8]

        init(_ description: String, _ frame: [UInt8], first: [UInt8] = [], count: Int) {
            self.description = description
            bytes = first + Array([[UInt8]](repeating: frame, count: count).joined())
        }

        /// A frame of a type for a stream.
        static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
        }
    }

    static let floods = [
        Flood("PING", Flood.frame(6, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]), count: 3000),
        Flood("SETTINGS", Flood.frame(4, stream: 0, []), count: 3000),
        Flood(
            "CONTINUATION", Flood.frame(9, stream: 1, [0x00, 1, 0x61, 1, 0x62]),
            first: Flood.frame(1, stream: 1, [0x88]), count: 3000),
        Flood(
            "header block of a great size", Flood.frame(9, stream: 1, [UInt8](repeating: 0xbf, count: 16_000)),
            first: Flood.frame(1, stream: 1, [0x88]), count: 20),
        Flood(
            "empty DATA", Flood.frame(0, stream: 1, []), first: Flood.frame(1, flags: 4, stream: 1, [0x88]), count: 3000
        ),
    ]

    @Test("a flood of frames ends its connection, and the next request takes another", arguments: floods)
    func flood(row: Flood) async throws {
        let script: HTTP2Upstream.Script = { $0.connection == 0 ? [.raw(row.bytes)] : .answer(200, body: "fine") }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
            let answer = try? wire.readResponse()
            #expect(answer == nil || answer?.status == 502)
            #expect(try lab.exchange("GET", "/lab/x").text == "fine")
            #expect(upstream.connectionCount == 2)
        }
    }
}
