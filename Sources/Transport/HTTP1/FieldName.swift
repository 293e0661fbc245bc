/// The header fields that the proxy has an opinion about; everything else is ``other`` and passes through.
package enum FieldName: UInt8, Sendable {
    case other
    /// A name that is one of the others once every symbol in it is read as a hyphen, as CGI and its successors do:
    /// `Content_Length`, `Content.Length`.
    case alias
    case acceptEncoding
    case age
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case cookie
    case date
    case expect
    case host
    case idempotencyKey
    case keepAlive
    case location
    case maxForwards
    /// A field by which some servers replace the method of the request line; clients send it.
    case methodOverride
    /// A field by which some servers replace the path or method of the request line; proxies send it.
    case originalRequest
    case origin
    case secFetchSite
    case secWebSocketProtocol
    case te
    case trailer
    case transferEncoding
    case upgrade
    case proxyConnection
    case proxyAuthenticate
    case authorization
    case proxyAuthorization
    case xAPIKey
    /// The key of Azure's APIs.
    case apiKey
    /// The key of Google's APIs.
    case xGoogAPIKey
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
        ("content-type", .contentType), ("cookie", .cookie), ("date", .date), ("expect", .expect), ("host", .host),
        ("idempotency-key", .idempotencyKey), ("keep-alive", .keepAlive), ("location", .location),
        ("max-forwards", .maxForwards), ("origin", .origin), ("sec-fetch-site", .secFetchSite),
        ("sec-websocket-protocol", .secWebSocketProtocol),
        ("te", .te), ("trailer", .trailer), ("transfer-encoding", .transferEncoding), ("upgrade", .upgrade),
        ("proxy-connection", .proxyConnection), ("proxy-authenticate", .proxyAuthenticate),
        ("authorization", .authorization), ("proxy-authorization", .proxyAuthorization), ("x-api-key", .xAPIKey),
        ("api-key", .apiKey), ("x-goog-api-key", .xGoogAPIKey), ("purser-token", .purserToken),
        ("purser-price", .purserPrice), ("purser-repeat", .purserRepeat), ("purser-via", .purserVia),
        ("payment-required", .paymentRequired),
        ("x-payment-required", .xPaymentRequired), ("payment-signature", .paymentSignature),
        ("x-payment", .xPayment), ("payment-response", .paymentResponse), ("x-payment-response", .xPaymentResponse),
        ("sign-in-with-x", .signInWithX), ("x-http-method-override", .methodOverride),
        ("x-http-method", .methodOverride), ("x-method-override", .methodOverride),
        ("x-original-url", .originalRequest), ("x-original-uri", .originalRequest),
        ("x-original-path", .originalRequest), ("x-original-method", .originalRequest),
        ("x-rewrite-url", .originalRequest), ("x-rewrite-uri", .originalRequest),
        ("x-override-url", .originalRequest), ("x-http-destinationurl", .originalRequest),
        ("x-http-path-override", .originalRequest), ("x-envoy-original-path", .originalRequest),
        ("x-waws-unencoded-url", .originalRequest), ("x-script-name", .originalRequest),
        ("x-forwarded-uri", .originalRequest), ("x-forwarded-url", .originalRequest),
        ("x-forwarded-path", .originalRequest), ("x-forwarded-prefix", .originalRequest),
        ("x-forwarded-method", .originalRequest),
    ]

    /// Names by length, so that most fields are told apart from all of ours by their length alone.
    private static let byLength: [[(name: [UInt8], field: FieldName)]] = {
        var table = [[(name: [UInt8], field: FieldName)]](repeating: [], count: 32)
        for (name, field) in spellings { table[name.utf8.count].append((Array(name.utf8), field)) }
        return table
    }()

    private static let purserPrefix = [UInt8]("purser-".utf8)
    /// All names that begin so are kept from having an ``alias``.
    private static let prefixes = [purserPrefix, Array("x-forwarded-".utf8), Array("proxy-".utf8)]

    /// Recognises a name, in any case, that is in `bytes` at `start..<end`; `hasSymbol`: it has a character that is
    /// neither a letter, a digit nor a hyphen.
    static func recognize(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, hasSymbol: Bool) -> FieldName {
        let length = end - start
        guard !hasSymbol else { return readsAsAnother(bytes, start, length) ? .alias : .other }
        if length < byLength.count {
            for candidate in byLength[length] where matches(bytes, start, candidate.name) { return candidate.field }
        }
        return length > purserPrefix.count && matches(bytes, start, purserPrefix) ? .purser : .other
    }

    /// Recognises a whole name.
    static func recognize(_ name: ArraySlice<UInt8>) -> FieldName {
        let bytes = Array(name)
        return recognize(bytes.span, 0, bytes.count, hasSymbol: bytes.contains(where: \.isNameSymbol))
    }

    private static func readsAsAnother(_ bytes: Span<UInt8>, _ start: Int, _ length: Int) -> Bool {
        if length < byLength.count, byLength[length].contains(where: { matchesFolded(bytes, start, $0.name) }) {
            return true
        }
        return prefixes.contains { length > $0.count && matchesFolded(bytes, start, $0) }
    }

    /// As ``matches(_:_:_:)``, where every symbol is a hyphen.
    private static func matchesFolded(_ bytes: Span<UInt8>, _ start: Int, _ name: [UInt8]) -> Bool {
        for index in name.indices {
            let byte = bytes[start + index]
            let folded = byte.isNameSymbol ? UInt8(ascii: "-") : byte | 0x20
            if folded != name[index] { return false }
        }
        return true
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
