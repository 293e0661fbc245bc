/// Base 64 as RFC 4648 section 4 writes it, and a reader that forgives what sellers do to it.
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// Standard alphabet, padded, one line.
    package static func encode(_ bytes: [UInt8]) -> String {
        let text = [UInt8](capacity: (bytes.count + 2) / 3 * 4) { output in
            for index in stride(from: 0, to: bytes.count, by: 3) {
                let second = index + 1 < bytes.count ? bytes[index + 1] : nil
                let third = index + 2 < bytes.count ? bytes[index + 2] : nil
                let group = UInt32(bytes[index]) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
                output.append(alphabet[Int(group >> 18)])
                output.append(alphabet[Int(group >> 12 & 63)])
                output.append(second == nil ? padding : alphabet[Int(group >> 6 & 63)])
                output.append(third == nil ? padding : alphabet[Int(group & 63)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes standard or url-safe text, padded or not, with surrounding blanks; nil for anything else.
    ///
    /// Leftover bits must be zero, so that one value has one reading.
    package static func decodeLenient(_ text: some Collection<UInt8>) -> [UInt8]? {
        var body = Array(text)[...]
        while let first = body.first, first == 0x20 || first == 0x09 { body.removeFirst() }
        while let last = body.last, last == 0x20 || last == 0x09 { body.removeLast() }
        let length = body.count
        while body.last == padding { body.removeLast() }
        let unpadded = body.count
        let padded = length - unpadded
        guard padded <= 2, padded == 0 || length.isMultiple(of: 4), unpadded % 4 != 1 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(unpadded * 3 / 4)
        var group: UInt32 = 0
        var bits = 0
        for character in body {
            guard let value = value(of: character) else { return nil }
            group = group << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
                group &= (1 << UInt32(bits)) - 1
            }
        }
        return group == 0 ? result : nil
    }

    /// Decodes url-safe text without padding, as RFC 7515 writes it and in no other spelling; nil for anything else.
    ///
    /// Leftover bits must be zero, so that one value has one text.
    package static func decodeURLSafe(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        let isForeign = characters.contains { $0 == 0x2b || $0 == 0x2f || $0 == padding || $0 == 0x20 || $0 == 0x09 }
        return isForeign ? nil : decodeLenient(characters)
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5a: character - 0x41
        case 0x61...0x7a: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case 0x2b, 0x2d: 62
        case 0x2f, 0x5f: 63
        default: nil
        }
    }
}
