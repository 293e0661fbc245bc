import Primitives

/// The JSON text inside an x402 header value.
package enum HeaderText {
    /// Decodes a header value: base64 in any common spelling, or JSON written plainly; nil otherwise or above `limit`.
    package static func decode(_ value: [UInt8], limit: Int) -> [UInt8]? {
        guard value.count <= limit / 3 * 4 + 8 else { return nil }
        let trimmed = value.drop { $0 == 0x20 || $0 == 0x09 }
        let text = trimmed.first == UInt8(ascii: "{") ? Array(trimmed) : Base64.decodeLenient(trimmed)
        guard let text, !text.isEmpty, text.count <= limit else { return nil }
        return text
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
