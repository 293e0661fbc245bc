/// Base 16, as Ethereum writes it: lower case, `0x` in front.
package enum Hex {
    /// Lower-case digits without a prefix.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        // An array first: a generic loop is not specialised across modules and costs ten times as much.
        let bytes = Array(bytes)
        var text = [UInt8](repeating: 0, count: bytes.count * 2)
        for (index, byte) in bytes.enumerated() {
            text[2 * index] = digit(byte >> 4)
            text[2 * index + 1] = digit(byte & 15)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// `0x` and lower-case digits.
    package static func prefixed(_ bytes: some Collection<UInt8>) -> String {
        "0x" + encode(bytes)
    }

    /// Reads digits of either case with an optional `0x`; nil for an odd count or a foreign character.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var source = Array(text.utf8)[...]
        if source.count >= 2, source.first == 0x30, source.dropFirst().first == 0x78 { source = source.dropFirst(2) }
        guard source.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(source.count / 2)
        var pending: UInt8?
        for character in source {
            guard let nibble = value(of: character) else { return nil }
            if let upper = pending {
                result.append(upper << 4 | nibble)
                pending = nil
            } else {
                pending = nibble
            }
        }
        return result
    }

    /// The value of one hex digit, or nil.
    package static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }
}
