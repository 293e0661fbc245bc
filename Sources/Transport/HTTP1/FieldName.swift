/// The header fields that the proxy has an opinion about; everything else is ``other`` and passes through.
package enum FieldName: UInt8, Sendable {
    case other
    case acceptEncoding
    case age
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case date
    case expect
    case host
    case idempotencyKey
    case keepAlive
    case location
    case origin
    case secFetchSite
    case te
    case trailer
    case transferEncoding
    case upgrade
    case proxyConnection
    case proxyAuthenticate
    case authorization
    case proxyAuthorization
    case xAPIKey
    case purserToken
    case purserPrice
    case purserRepeat
    case purserVia
    /// Any other name that begins with `purser-`.
    case purser
    case paymentRequired
    case xPaymentRequired
    case paymentSignature
    case xPayment
    case paymentResponse
    case xPaymentResponse
    case signInWithX

    private static let spellings: [(String, FieldName)] = [
        ("accept-encoding", .acceptEncoding), ("age", .age), ("connection", .connection),
        ("content-encoding", .contentEncoding),
        ("content-length", .contentLength),
        ("content-type", .contentType), ("date", .date), ("expect", .expect), ("host", .host),
        ("idempotency-key", .idempotencyKey), ("keep-alive", .keepAlive), ("location", .location),
        ("origin", .origin), ("sec-fetch-site", .secFetchSite),
        ("te", .te), ("trailer", .trailer), ("transfer-encoding", .transferEncoding), ("upgrade", .upgrade),
        ("proxy-connection", .proxyConnection), ("proxy-authenticate", .proxyAuthenticate),
        ("authorization", .authorization), ("proxy-authorization", .proxyAuthorization), ("x-api-key", .xAPIKey),
        ("purser-token", .purserToken), ("purser-price", .purserPrice),
        ("purser-repeat", .purserRepeat), ("purser-via", .purserVia),
        ("payment-required", .paymentRequired),
        ("x-payment-required", .xPaymentRequired), ("payment-signature", .paymentSignature),
        ("x-payment", .xPayment), ("payment-response", .paymentResponse), ("x-payment-response", .xPaymentResponse),
        ("sign-in-with-x", .signInWithX),
    ]

    /// Names by length, so that most fields are told apart from all of ours by their length alone.
    private static let byLength: [[(name: [UInt8], field: FieldName)]] = {
        var table = [[(name: [UInt8], field: FieldName)]](repeating: [], count: 32)
        for (name, field) in spellings { table[name.utf8.count].append((Array(name.utf8), field)) }
        return table
    }()

    private static let purserPrefix = [UInt8]("purser-".utf8)

    /// Recognises a name, in any case, that stands in `bytes` at `start..<end`.
    static func recognize(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> FieldName {
        let length = end - start
        if length < byLength.count {
            for candidate in byLength[length] where matches(bytes, start, candidate.name) { return candidate.field }
        }
        return length > purserPrefix.count && matches(bytes, start, purserPrefix) ? .purser : .other
    }

    private static func matches(_ bytes: Span<UInt8>, _ start: Int, _ name: [UInt8]) -> Bool {
        // Or-ing 0x20 folds ASCII letters, and maps no other token character onto a letter or hyphen of our names.
        for index in name.indices where bytes[start + index] | 0x20 != name[index] { return false }
        return true
    }

    /// Whether the field may stand behind a body: what frames, routes, identifies or charges is read from heads only, so
    /// that a reader who merges trailers into the head must not find another answer there (RFC 9110 section 6.5.1).
    package var mayBeTrailer: Bool {
        switch self {
        case .other, .acceptEncoding, .age, .date, .trailer, .paymentResponse, .xPaymentResponse: true
        default: false
        }
    }

    /// Whether RFC 9110 section 7.6.1 ends the field at this hop.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .proxyConnection,
            .proxyAuthenticate, .proxyAuthorization:
            true
        default: false
        }
    }
}
