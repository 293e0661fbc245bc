/// Base 58 with Bitcoin's alphabet, the form of public keys in `did:key`.
package enum Base58 {
    private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// The longest text that is decoded, in characters: the work grows with the square of the length.
    package static let maximumLength = 128

    /// Decodes a text; nil for a foreign character, and for a text longer than ``maximumLength``.
    ///
    /// Each leading `1` is a zero byte, so that every byte string has one text. Source: the Base58 Encoding Scheme,
    /// draft-msporny-base58-03.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count <= maximumLength else { return nil }
        // The number so far, least significant byte first, without leading zeros.
        var number: [UInt8] = []
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            var carry = value
            for index in number.indices {
                carry += Int(number[index]) * 58
                number[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            if carry > 0 { number.append(UInt8(truncatingIfNeeded: carry)) }
        }
        let zeros = digits.prefix { $0 == UInt8(ascii: "1") }.count
        return [UInt8](repeating: 0, count: zeros) + number.reversed()
    }
}
