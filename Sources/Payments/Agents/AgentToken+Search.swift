extension AgentToken {
    /// Where tokens of good form and checksum are in a text, in order.
    ///
    /// The checksum alone decides: whether a token is known must not be seen from what becomes of a text that has it.
    package static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start + length <= text.count {
            // The last byte of the prefix is the rarest in such texts.
            guard text[start + 3] == UInt8(ascii: "_"), isWellFormed(Array(text[start..<start + length])) else {
                start += 1
                continue
            }
            ranges.append(start..<start + length)
            start += length
        }
        return ranges
    }

    /// Whether a token of good form and checksum is in a text.
    package static func isIn(_ text: [UInt8]) -> Bool { !ranges(in: text).isEmpty }
}
