extension AgentToken {
    /// Where tokens of good form and checksum are in a text, in order.
    ///
    /// The checksum alone decides: whether a token is known must not be seen from what becomes of a text that has it.
    package static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start + length <= text.count {
            let end = start + length
            guard mayBegin(at: start, of: text), isWellFormed(Array(text[start..<end])) else {
                start += 1
                continue
            }
            ranges.append(start..<end)
            start = end
        }
        return ranges
    }

    /// Whether a token of good form and checksum is in a text.
    package static func isIn(_ text: [UInt8]) -> Bool { !ranges(in: text).isEmpty }

    /// Whether it is worth a checksum: hostile text is full of prefixes, and of those that overlap none is.
    private static func mayBegin(at start: Int, of text: [UInt8]) -> Bool {
        text[start + 3] == UInt8(ascii: "_") && text[start + 47] == UInt8(ascii: "_")
            && text[start..<start + 4].elementsEqual(prefix.utf8)
            && text[start + 4..<start + 47].allSatisfy { $0 != UInt8(ascii: "_") }
    }
}
