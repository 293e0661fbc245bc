/// Why bytes are not the HTTP/1.1 that this proxy speaks.
///
/// It reads strictly: what two readers could take differently
/// is refused, since that is how requests are smuggled.
package enum HTTP1Error: Error, Equatable, Sendable {
    /// The head is longer than allowed.
    case headTooLarge
    /// The request line alone is longer than a head may be.
    case targetTooLong
    /// More fields than allowed.
    case tooManyFields
    /// A line ends with a bare line feed, or holds a bare carriage return or another control character.
    case badLineEnding
    /// The request or status line is malformed.
    case badStartLine
    /// The version is not HTTP/1.
    case badVersion
    /// A field line is malformed: no colon, blanks before it, an empty or illegal name, or a folded line.
    case badField
    /// A field's name, at most 64 bytes of which are given, is read by some servers as another one that frames, routes,
    /// identifies or pays.
    case ambiguousName(String)
    /// Content-Length is not one plain number, or stands more than once.
    case badContentLength
    /// Transfer-Encoding is anything but one `chunked`, stands beside Content-Length, or is sent by HTTP/1.0.
    case badTransferEncoding
    /// A chunk's size, extension or end is malformed.
    case badChunk
    /// A trailer has a name that may stand in a head only; RFC 9110 section 6.5.1.
    case badTrailer
    /// More interim responses than allowed stand before the final one.
    case tooManyInterims
}

/// Sizes beyond which a message is refused.
package enum HTTP1Limits {
    /// Bytes of a request head; payment headers and long prompts in URLs fit easily.
    package static let requestHeadBytes = 64 * 1024
    /// Bytes of a response head; a challenge may alone fill most of it.
    package static let responseHeadBytes = 128 * 1024
    /// Fields of one head.
    package static let fieldCount = 256
    /// Bytes of one chunk-size line.
    package static let chunkLineBytes = 256
    /// Bytes of all trailer lines of one message.
    package static let trailerBytes = 16 * 1024
    /// Interim responses before a final one.
    package static let interimCount = 64
}
