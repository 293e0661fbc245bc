package import Primitives

/// The text by which an agent names itself: `psr_<43 base62>_<6 base62>`.
///
/// The prefix lets secret scanners find a leaked token; the checksum (CRC-32 of the 43 characters) tells a typing
/// error from an unknown agent without asking the books.
package enum AgentToken {
    /// What every token begins with.
    package static let prefix = "psr_"
    /// The length of a token in bytes.
    package static let length = 4 + 43 + 1 + 6

    private static let digits = [UInt8]("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Makes a token from 32 random bytes.
    package static func make(random: Bytes32) -> String {
        let body = base62(UInt256(bigEndian: random), width: 43)
        return prefix + String(decoding: body, as: UTF8.self) + "_"
            + String(decoding: checksum(of: body), as: UTF8.self)
    }

    /// Whether a text has the form and the checksum of a token.
    package static func isWellFormed(_ text: [UInt8]) -> Bool {
        guard text.count == length, text.starts(with: prefix.utf8), text[47] == UInt8(ascii: "_") else { return false }
        return Array(text[48...]) == checksum(of: Array(text[4..<47]))
    }

    private static func checksum(of body: [UInt8]) -> [UInt8] {
        base62(UInt256(UInt64(crc32(body))), width: 6)
    }

    private static func base62(_ value: UInt256, width: Int) -> [UInt8] {
        var rest = value
        var text = [UInt8](repeating: digits[0], count: width)
        for index in text.indices.reversed() {
            guard let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 62) else { break }
            text[index] = digits[Int(remainder)]
            rest = quotient
        }
        return text
    }

    /// CRC-32 as in ISO 3309 and zlib, bit by bit: 43 bytes do not want a table.
    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = .max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return ~remainder
    }
}
