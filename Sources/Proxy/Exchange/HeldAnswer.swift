import NIOCore
import Payments
import Primitives
import Transport
import X402

/// A 402 that is kept back until it is known whether it will be paid.
struct HeldAnswer {
    /// The answer's head.
    private(set) var head: ResponseHead?
    /// The pieces of its body, chunked coding included.
    var body: [ByteBuffer] = []
    /// The bytes in `body`.
    var byteCount = 0
    /// Whether the body has been read to its end.
    var isComplete = false
    private let framing: BodyFraming

    /// Nothing held yet.
    init() {
        framing = .none
    }

    init(_ head: ResponseHead, framing: BodyFraming) {
        self.head = head
        self.framing = framing
    }

    /// Keeps a piece of the body.
    mutating func append(_ bytes: ByteBuffer) {
        body.append(bytes)
        byteCount += bytes.readableBytes
    }

    /// Whether only the end of the connection ends the body.
    var endsWithConnection: Bool { framing == .untilClose }

    /// Whether the head alone holds a challenge that can be read.
    var hasReadableChallengeHeader: Bool {
        (try? Challenge.read(ChallengeSource(header: challengeHeader, body: nil))) != nil
    }

    /// The one challenge header; two that differ are none.
    private var challengeHeader: [UInt8]? {
        guard let fields = head?.fields else { return nil }
        for name in [FieldName.paymentRequired, .xPaymentRequired] {
            let values = Set(fields.lines.filter { $0.name == name }.map { fields.value($0) })
            if let value = values.first, values.count == 1, !value.isEmpty { return value }
        }
        return nil
    }

    /// The seller's clock, where it is told once and in the usual form: Date, and how long a cache has kept the answer.
    var date: Timestamp? { only(.date).flatMap { Timestamp(httpDate: $0) }?.adding(seconds: age) }

    /// The Age field, in seconds; 0 where it does not stand once, as a plain number of at most a day.
    ///
    /// Source: RFC 9111 section 5.1.
    private var age: Int64 {
        guard let digits = only(.age), digits.utf8.allSatisfy(\.isASCIIDigit), let age = Int64(digits),
            age <= Self.maximumAge
        else { return 0 }
        return age
    }

    /// The longest time in a cache that is believed, in seconds.
    private static let maximumAge: Int64 = 86_400

    /// The value of a field that stands once.
    private func only(_ name: FieldName) -> String? {
        guard let fields = head?.fields else { return nil }
        let lines = fields.lines.filter { $0.name == name }
        return lines.count == 1 ? fields.text(lines[0]) : nil
    }

    /// What a challenge in the head gives as its reason.
    var challengeReason: String? {
        (try? Challenge.read(ChallengeSource(header: challengeHeader, body: nil)))?.error
    }

    /// What a challenge anywhere in the answer gives as its reason.
    var reason: String? { (try? Challenge.read(challengeSource))?.error }

    /// What the engine reads the challenge from.
    var challengeSource: ChallengeSource {
        ChallengeSource(header: challengeHeader, body: plainBody)
    }

    /// Whether the answer has been read to its end and says nothing that a client would show.
    var isWithoutText: Bool {
        guard head != nil, isComplete else { return false }
        guard byteCount > 0 else { return true }
        // What cannot be read here may say anything.
        return plainBody.map { !RejectionText.isReadable(in: $0) } ?? false
    }

    /// The fields that carry the seller's report on settlement, as they came.
    func paymentResponse(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        guard let fields = head?.fields else { return nil }
        var lines = allocator.buffer(capacity: 0)
        for line in fields.lines where line.name == .paymentResponse || line.name == .xPaymentResponse {
            fields.copy(line, to: &lines)
        }
        return lines
    }

    private var plainBody: [UInt8]? {
        guard let fields = head?.fields, isComplete, byteCount > 0 else { return nil }
        var bytes = body.flatMap { Array(buffer: $0) }
        if framing == .chunked {
            guard let content = try? ChunkScanner.content(of: bytes) else { return nil }
            bytes = content
        }
        let coding = fields.first(.contentEncoding).map { fields.text($0) }
        return ChallengeBody.plain(bytes, coding: coding, limit: Challenge.maximumBytes)
    }
}

extension SettlementReport {
    /// The report in a response head: PAYMENT-RESPONSE, else X-PAYMENT-RESPONSE.
    static func read(from head: ResponseHead) -> SettlementReport? {
        for name in [FieldName.paymentResponse, .xPaymentResponse] {
            if let line = head.fields.first(name), let report = SettlementReport.read(header: head.fields.value(line)) {
                return report
            }
        }
        return nil
    }
}

extension PaidAnswer {
    /// What the head of an answer says about the payment it answers.
    static func read(from head: ResponseHead) -> PaidAnswer {
        let reason = head.status == 402 ? HeldAnswer(head, framing: .none).challengeReason : nil
        return .response(status: head.status, report: SettlementReport.read(from: head), reason: reason)
    }
}
