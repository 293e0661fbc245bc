extension JSONValue {
    /// The value's text as it was read, less the members that are `null`, at any depth.
    ///
    /// Sellers treat null as absent, strict facilitators reject it; everything else is echoed byte for byte.
    package func textWithoutNulls(in document: [UInt8]) -> [UInt8] {
        let text = Array(document[range])
        guard text.mayHoldNull else { return text }
        var cursor = JSONCursor(text)
        var nulls: [Range<Int>] = []
        // It was read, so it can be stepped over.
        guard (try? cursor.skipValue(cutting: &nulls)) != nil, !nulls.isEmpty else { return text }
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        var position = 0
        for null in nulls {
            kept += text[position..<null.lowerBound]
            position = null.upperBound
        }
        return kept + text[position...]
    }
}

extension [UInt8] {
    /// Whether the letters of `null` stand somewhere, in a string perhaps.
    fileprivate var mayHoldNull: Bool {
        var last: UInt32 = 0
        for byte in self {
            last = last << 8 | UInt32(byte)
            if last == 0x6e75_6c6c { return true }
        }
        return false
    }
}
