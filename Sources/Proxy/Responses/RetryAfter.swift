import Payments
import Primitives
import Transport

/// When a seller says that its request may be repeated (RFC 9110 section 10.2.3).
enum RetryAfter: Equatable {
    /// It does not say.
    case absent
    /// In so many seconds, 0 where that is past.
    case seconds(Int64)
    /// It says so twice, or in no form that is defined.
    case unreadable

    /// The most seconds that are read: nothing is signed for longer.
    private static let limit: Int64 = 86_400

    /// Reads a number of seconds, or an HTTP date, at a moment.
    init(in fields: FieldSection, at now: Timestamp) {
        let values = fields.lines.filter { $0.name == .other && fields.name(of: $0) == "retry-after" }
        guard let line = values.first else {
            self = .absent
            return
        }
        let text = fields.text(line)
        guard values.count == 1 else {
            self = .unreadable
            return
        }
        if let date = Timestamp(httpDate: text) {
            self = .seconds(max(0, date.seconds - now.seconds))
        } else if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            self = .seconds(min(Int64(text) ?? Self.limit, Self.limit))
        } else {
            self = .unreadable
        }
    }
}

extension AgentResponse.Paid {
    /// Whether client libraries may repeat the request by themselves after an answer of the seller: what its status says is
    /// over soon, and the repetition would send the same bytes while they are of use.
    ///
    /// A seller that names no time is asked again at once.
    func mayBeRepeated(after response: ResponseHead, at now: Timestamp) -> Bool {
        guard [429, 503, 529].contains(response.status) else { return false }
        switch RetryAfter(in: response.fields, at: now) {
        case .absent: return payment.isRepeatedSafely(after: event, at: now, in: 0)
        case .seconds(let seconds): return payment.isRepeatedSafely(after: event, at: now, in: seconds)
        case .unreadable: return false
        }
    }
}
