import Ledger
import NIOCore
import Primitives
import TestSupport
import Testing
import Transport

@testable import Payments
@testable import Proxy

@Suite("When a seller may be asked again")
struct RetryAfterTests {
    static let forms: [([String], RetryAfter)] = [
        ([], .absent), (["Retry-After: 0"], .seconds(0)), (["retry-after: 20"], .seconds(20)),
        (["Retry-After: Sun, 22 Nov 2026 00:00:30 GMT"], .seconds(30)),
        (["Retry-After: Sat, 21 Nov 2026 23:00:00 GMT"], .seconds(0)),
        (["Retry-After: 99999999999999999999"], .seconds(86_400)), (["Retry-After: -1"], .unreadable),
        (["Retry-After: soon"], .unreadable), (["Retry-After: 1.5"], .unreadable), (["Retry-After:"], .unreadable),
        (["Retry-After: 5", "Retry-After: 5"], .unreadable),
    ]

    @Test("Retry-After is seconds or a date, once", arguments: forms)
    func reading(fields: [String], expected: RetryAfter) throws {
        let head = try ResponseHead.sample(429, (fields + ["Content-Length: 0"]).joined(separator: "\r\n"))
        #expect(RetryAfter(in: head.fields, at: .vectors) == expected)
    }

    struct Case: Sendable, CustomStringConvertible {
        let status: Int
        let retryAfter: String?
        let state: PaymentState
        let event: PaymentEvent
        /// Seconds after the reservation; the window is of 300.
        let second: Int64
        let isSafe: Bool
        var description: String { "\(status) \(event) after \(second) s, Retry-After \(retryAfter ?? "absent")" }

        init(
            _ status: Int, _ retryAfter: String? = nil, _ state: PaymentState = .reserved,
            _ event: PaymentEvent = .lostSight, second: Int64 = 0, safe isSafe: Bool
        ) {
            self.status = status
            self.retryAfter = retryAfter
            self.state = state
            self.event = event
            self.second = second
            self.isSafe = isSafe
        }
    }

    static let cases = [
        Case(429, safe: true), Case(503, safe: true), Case(529, safe: true), Case(429, "20", safe: true),
        Case(503, "0", safe: true),
        Case(429, "292", safe: true), Case(429, "293", safe: false),
        Case(529, "Sun, 22 Nov 2026 00:04:52 GMT", safe: true),
        Case(529, "Sun, 22 Nov 2026 00:04:53 GMT", safe: false), Case(429, "soon", safe: false),
        Case(429, second: 292, safe: true), Case(429, second: 293, safe: false),
        Case(429, "3", second: 290, safe: false),
        Case(503, nil, .resumed, safe: true), Case(503, nil, .reserved, .rejected, safe: true),
        // The money is gone, or the status says that it is not over soon.
        Case(429, nil, .reserved, .settled, safe: false), Case(503, nil, .settled, .lostSight, safe: false),
        Case(429, nil, .resumed, .alreadyUsed, safe: false), Case(500, safe: false), Case(502, safe: false),
        Case(409, safe: false),
        Case(408, safe: false), Case(402, nil, .reserved, .rejected, safe: false), Case(302, safe: false),
    ]

    @Test("a client may repeat by itself what would send the same bytes, and nothing else", arguments: cases)
    func safeRetries(subject: Case) throws {
        let fields = [subject.retryAfter.map { "Retry-After: \($0)" }, "Content-Length: 0"].compactMap(\.self)
        let response = AgentResponse(
            try .sample(subject.status, fields.joined(separator: "\r\n")), to: try .sample(), closing: false,
            paid: AgentResponse.Paid(
                payment: .sample(state: subject.state), event: subject.event, amount: UInt256(10_000)),
            location: .unchanged, overhead: .microseconds(1), now: .vectors.adding(seconds: subject.second),
            allocator: ByteBufferAllocator())
        let lines = String(buffer: response.head).lowercased().split(separator: "\r\n")
        #expect(lines.contains("x-should-retry: false") != subject.isSafe)
        #expect(
            lines.filter { $0.hasPrefix("retry-after: ") }
                == (subject.retryAfter.map { ["retry-after: \($0.lowercased())"] } ?? []))
    }
}
