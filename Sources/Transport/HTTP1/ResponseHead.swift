package import NIOCore

/// A response's status line and fields.
package struct ResponseHead: Sendable {
    /// The status, 100 to 599.
    package let status: Int
    /// The reason phrase, as sent.
    package let reason: String
    /// Whether the sender speaks HTTP/1.0.
    package let isHTTP10: Bool
    /// The fields.
    package let fields: FieldSection
    private let declaredFraming: BodyFraming?

    /// The head as it was received, to the empty line.
    package var bytes: ByteBuffer { fields.bytes }

    /// Reads a whole head, from the status line to the empty line.
    package init(_ bytes: ByteBuffer) throws(HTTP1Error) {
        let span = bytes.readableBytesUInt8Span
        let minor = try Version.read(span, at: 0)
        guard span.count >= 16, span[8] == 0x20 else { throw .badStartLine }
        var code = 0
        for index in 9..<12 {
            guard span[index] >= 0x30, span[index] <= 0x39 else { throw .badStartLine }
            code = code * 10 + Int(span[index] - 0x30)
        }
        guard (100...599).contains(code), span[12] == 0x20 || span[12] == 0x0d else { throw .badStartLine }
        var end = 12
        while span[end] != 0x0d {
            guard span[end].isFieldContent else { throw .badLineEnding }
            end += 1
        }
        guard span[end + 1] == 0x0a else { throw .badLineEnding }
        status = code
        reason = end > 13 ? bytes.asciiText(13..<end) : ""
        isHTTP10 = minor == 0
        fields = try FieldSection(bytes: bytes, from: end + 2)
        declaredFraming = try fields.declaredFraming(isHTTP10: minor == 0)
    }

    /// How the body is framed in the answer to a request with this method; RFC 9112 section 6.3.
    package func framing(answering method: String) -> BodyFraming {
        if method == "HEAD" || status < 200 || status == 204 || status == 304 { return .none }
        return declaredFraming ?? .untilClose
    }

    /// The length that Content-Length gives, also where there is no body, as in the answer to HEAD.
    package var declaredLength: UInt64? {
        if case .length(let count)? = declaredFraming { count } else { nil }
    }

    /// Whether the sender will keep the connection open.
    package var keepsAlive: Bool {
        isHTTP10 ? fields.contains(.connection, token: "keep-alive") : !fields.contains(.connection, token: "close")
    }
}
