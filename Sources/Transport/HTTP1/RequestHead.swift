package import NIOCore

/// A request's first line and fields.
package struct RequestHead: Sendable {
    /// The method, as sent.
    package let method: String
    /// The target, as sent: origin form, absolute form, authority form or `*`.
    package let target: String
    /// Whether the sender speaks HTTP/1.0.
    package let isHTTP10: Bool
    /// The fields.
    package let fields: FieldSection
    /// How the body is framed.
    package let framing: BodyFraming

    /// Reads a whole head, from the request line to the empty line.
    package init(_ bytes: ByteBuffer) throws(HTTP1Error) {
        let span = bytes.readableBytesUInt8Span
        var position = 0
        while span[position].isTokenCharacter { position += 1 }
        guard position > 0, position <= 32, span[position] == 0x20 else { throw .badStartLine }
        let methodEnd = position
        position += 1
        while span[position] > 0x20, span[position] < 0x7f { position += 1 }
        guard position > methodEnd + 1, span[position] == 0x20 else { throw .badStartLine }
        let targetEnd = position
        position += 1
        let minor = try Version.read(span, at: position)
        position += 8
        guard span[position] == 0x0d, span[position + 1] == 0x0a else { throw .badStartLine }
        method = bytes.asciiText(0..<methodEnd)
        target = bytes.asciiText(methodEnd + 1..<targetEnd)
        isHTTP10 = minor == 0
        fields = try FieldSection(bytes: bytes, from: position + 2)
        // A server that reads it as the other name would find another length, another payment or another sender.
        if let alias = fields.alias { throw .ambiguousName(String(fields.name(of: alias).prefix(64))) }
        framing = try fields.declaredFraming(isHTTP10: minor == 0) ?? .none
    }

    /// Whether the sender wants the connection to stay open.
    package var keepsAlive: Bool {
        isHTTP10 ? fields.contains(.connection, token: "keep-alive") : !fields.contains(.connection, token: "close")
    }
}

enum Version {
    private static let name = [UInt8]("HTTP/1.".utf8)

    /// Reads the version and returns its minor number, which for all above 1 is 1 (RFC 9110 section 2.5).
    static func read(_ span: Span<UInt8>, at position: Int) throws(HTTP1Error) -> Int {
        guard position + 8 < span.count else { throw .badStartLine }
        for index in name.indices where span[position + index] != name[index] { throw .badVersion }
        switch span[position + 7] {
        case UInt8(ascii: "1")...UInt8(ascii: "9"): return 1
        case UInt8(ascii: "0"): return 0
        default: throw .badVersion
        }
    }
}

extension ByteBuffer {
    /// Text at an offset from the reader index.
    func asciiText(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
