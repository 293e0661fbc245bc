import Primitives

/// The JSON text inside an x402 header value.
package enum HeaderText {
    /// Decodes a header value: base64 in any common spelling, or JSON written plainly; nil otherwise or above `limit`.
    package static func decode(_ value: [UInt8], limit: Int) -> [UInt8]? {
        guard value.count <= limit / 3 * 4 + 8 else { return nil }
        let trimmed = withoutMark(Array(value.drop { $0 == 0x20 || $0 == 0x09 }))
        let text = trimmed.first == UInt8(ascii: "{") ? trimmed : Base64.decodeLenient(trimmed).map(withoutMark)
        guard let text, !text.isEmpty, text.count <= limit else { return nil }
        return text
    }

    /// A text without the byte order marks that some programs write in front of UTF-8.
    static func withoutMark(_ text: [UInt8]) -> [UInt8] {
        var start = 0
        while text[start...].starts(with: [0xef, 0xbb, 0xbf]) { start += 3 }
        return start == 0 ? text : Array(text[start...])
    }
}

extension String {
    /// The text with control characters replaced by spaces and cut to `limit` characters: fit for logs and headers.
    package func printable(limit: Int) -> String {
        if utf8.count <= limit, utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return self }
        let cut = unicodeScalars.prefix(limit).map { scalar in
            scalar.value < 0x20 || (scalar.value >= 0x7f && scalar.value < 0xa0) || scalar.properties.isBidiControl
                ? " " : Character(scalar)
        }
        return String(cut)
    }
}
