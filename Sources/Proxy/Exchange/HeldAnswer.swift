import NIOCore
import Payments
import Primitives
import Transport
import X402

/// A 402 that is kept back until it is known whether it will be paid.
struct HeldAnswer {
    /// The answer's head.
    private(set) var head: ResponseHead?
    /// Its body, chunked coding included.
    private var body = BodyPieces()
    /// Whether the body has been read to its end.
    var isComplete = false
    /// Why no more of the body comes, where it has not been read to its end.
    var cut: String?
    private let framing: BodyFraming
    /// When its head came, by our clock.
    private let arrived: Timestamp?

    /// Nothing held yet.
    init() {
        framing = .none
        arrived = nil
    }

    /// Holds an answer whose head came at a moment by our clock.
    init(_ head: ResponseHead, framing: BodyFraming, at arrived: Timestamp?) {
        self.head = head
        self.framing = framing
        self.arrived = arrived
    }

    /// Keeps a piece of the body.
    mutating func append(_ bytes: ByteBuffer) { body.append(bytes) }

    /// The bytes of its body that are held.
    var byteCount: Int { body.byteCount }

    /// Lets go of the body, and returns it.
    @discardableResult
    mutating func takeBody() -> [ByteBuffer] {
        defer { body = BodyPieces() }
        return body.buffers
    }

    /// Whether only the end of the connection ends the body.
    var endsWithConnection: Bool { framing == .untilClose }

    /// Whether the head alone holds a challenge with an entry that can be read, so that the body does not matter.
    var hasReadableChallengeHeader: Bool {
        let challenge = try? Challenge.read(ChallengeSource(fields: challengeFields, body: .none))
        return challenge?.requirements.isEmpty == false
    }

    /// The fields that may hold a challenge, each value once.
    private var challengeFields: [ChallengeSource.Field] {
        guard let fields = head?.fields else { return [] }
        let names = [(FieldName.paymentRequired, "PAYMENT-REQUIRED"), (.xPaymentRequired, "X-PAYMENT-REQUIRED")]
        return names.compactMap { name, text in
            var values: [[UInt8]] = []
            for line in fields.lines where line.name == name {
                let value = fields.value(line)
                if !values.contains(value) { values.append(value) }
            }
            return values.isEmpty ? nil : ChallengeSource.Field(name: text, values: values)
        }
    }

    /// The seller's clock, where it is told once and in the usual form: Date, and how long a cache has kept the answer.
    var date: Timestamp? { only(.date).flatMap { Timestamp(httpDate: $0) }?.adding(seconds: age) }

    /// The seller's clock at a moment by ours: it has gone on since the answer came.
    func sellerTime(at now: Timestamp) -> Timestamp? {
        date?.adding(seconds: arrived.map { max(0, now.seconds - $0.seconds) } ?? 0)
    }

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
        (try? Challenge.read(ChallengeSource(fields: challengeFields, body: .none)))?.error
    }

    /// What a challenge anywhere in the answer gives as its reason.
    var reason: String? { (try? Challenge.read(challengeSource))?.error }

    /// What the engine reads the challenge from.
    var challengeSource: ChallengeSource { ChallengeSource(fields: challengeFields, body: plainBody) }

    /// Whether as much of the body is held as is ever read, and it goes on.
    var isTooLong: Bool { byteCount > Challenge.maximumBytes }

    private var plainBody: ChallengeSource.Body {
        guard let fields = head?.fields, byteCount > 0, isComplete || isTooLong || cut != nil else { return .none }
        guard let bytes = content else { return .none }
        let codings = fields.lines.filter { $0.name == .contentEncoding }
            .flatMap { fields.text($0).split(separator: ",").map { $0.trimmingBlanks.lowercased() } }
        switch ChallengeBody.read(bytes, codings: codings, isCut: !isComplete, limit: Challenge.maximumBytes) {
        case .whole(let bytes): return .whole(bytes)
        case .beginning(let bytes, let reason): return .beginning(bytes, reason: cut ?? reason)
        case .unreadable(let reason):
            // A page for people is none, whatever its coding.
            let isPage = fields.first(.contentType).map { fields.text($0).lowercased().hasPrefix("text/html") }
            return isPage == true ? .none : .unreadable(reason: (cut ?? reason).printable(limit: 256))
        }
    }

    /// Whether the answer has been read to its end and says nothing that a client would show.
    var isWithoutText: Bool {
        guard head != nil, isComplete else { return false }
        guard byteCount > 0 else { return true }
        // What cannot be read here may say anything.
        guard case .whole(let bytes) = plainBody else { return false }
        return !RejectionText.isReadable(in: bytes)
    }

    /// What a whole body that is no challenge gives as its reason.
    var textReason: String? {
        guard head != nil, isComplete, case .whole(let bytes) = plainBody else { return nil }
        return RejectionText.reason(in: bytes)
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

    /// The body without its framing; nil when that is not what it should be.
    private var content: [UInt8]? {
        let bytes = body.buffers.flatMap { Array(buffer: $0) }
        guard framing == .chunked else { return bytes }
        guard !isComplete else { return try? ChunkScanner.content(of: bytes) }
        var (scanner, content) = (ChunkScanner(), [UInt8]())
        let read = try? scanner.scan(bytes.span, data: { content += bytes[$0] })
        return read == nil ? nil : content
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
        let reason = head.status == 402 ? HeldAnswer(head, framing: .none, at: nil).challengeReason : nil
        return .response(status: head.status, report: SettlementReport.read(from: head), reason: reason)
    }
}
