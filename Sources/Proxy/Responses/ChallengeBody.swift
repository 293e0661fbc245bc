/// The body of a 402 without its content codings (RFC 9110 section 8.4), as far as it can be read within a limit.
package enum ChallengeBody: Sendable, Equatable {
    /// All of it.
    case whole([UInt8])
    /// How it begins, and why no more of it is known.
    case beginning([UInt8], reason: String)
    /// Nothing of it: a coding is not known, or is not what stands there.
    case unreadable(reason: String)

    /// The most codings that are taken off one body.
    private static let maximumCodings = 4

    /// Takes the codings off that were applied in this order; what they come to may be `limit` bytes long, each.
    ///
    /// `isCut` says that the body goes on after these bytes.
    package static func read(_ body: [UInt8], codings: [String], isCut: Bool, limit: Int) -> ChallengeBody {
        let codings = codings.filter { !$0.isEmpty && $0 != "identity" }
        guard codings.count <= maximumCodings else { return .unreadable(reason: "the body has too many codings") }
        guard !codings.isEmpty else {
            guard isCut || body.count > limit else { return .whole(body) }
            return .beginning(Array(body.prefix(limit)), reason: tooLong)
        }
        var result = ContentRead(bytes: body, isWhole: !isCut)
        for coding in codings.reversed() {
            guard let decode = decoders[coding] else {
                return .unreadable(reason: "the body is in the coding \(coding), which was not asked for")
            }
            guard let next = decode(result.bytes, limit) else {
                return .unreadable(reason: "the body is not what its Content-Encoding says")
            }
            result = ContentRead(bytes: next.bytes, isWhole: result.isWhole && next.isWhole)
        }
        guard !result.isWhole else { return .whole(result.bytes) }
        let isLong = isCut || result.bytes.count >= limit
        return .beginning(result.bytes, reason: isLong ? tooLong : "the body ends before its Content-Encoding does")
    }

    private static let tooLong = "it is longer than 64 KiB"

    private static let decoders: [String: @Sendable ([UInt8], Int) -> ContentRead?] = [
        "gzip": Inflation.read, "x-gzip": Inflation.read, "deflate": Inflation.read, "zstd": ZstdContent.read,
    ]
}

/// What has been read of a body.
struct ContentRead: Equatable {
    /// The bytes, as many as fit the limit.
    var bytes: [UInt8]
    /// Whether nothing follows them.
    var isWhole: Bool
}
