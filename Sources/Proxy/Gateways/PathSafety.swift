/// Whether a path stays where it seems to be.
///
/// Only paths are looked at: what leaves a gateway's part does so by its path, while `..` and `%u` in a query are data.
enum PathSafety {
    /// How often a path is decoded at most; servers are known that decode twice.
    private static let levels = 5

    /// False for dot segments, backslashes and control characters in any encoding that some servers read.
    ///
    /// The path itself is forwarded as written. It is looked at as it is, and as often as percent-encoding can be taken off it;
    /// each time also as servers read it that map other characters to dots and slashes.
    static func isSafe(_ path: Substring) -> Bool {
        guard path.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "%") || $0 == 0x5c }) else {
            return true
        }
        var bytes = Array(path.utf8)
        for _ in 0..<levels {
            guard staysInPlace(bytes) else { return false }
            guard let decoded = PercentEncoding.decode(bytes) else { return true }
            bytes = decoded
        }
        return false
    }

    private static func staysInPlace(_ bytes: [UInt8]) -> Bool {
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x5c && $0 != 0x7f }), !hasDotSegment(bytes) else { return false }
        guard bytes.contains(where: { $0 >= 0x80 }) else { return true }
        return !hasOverlongCharacter(bytes) && !hasDotSegment(bestFit(bytes))
    }

    /// Whether a segment is `.` or `..`, whatever is cut off it.
    ///
    /// Some servers cut parameters off before they look at a segment: `..;a` is `..` to them. What is decoded late may be a
    /// query or a fragment by then, and Windows has no names that end in blanks.
    private static func hasDotSegment(_ bytes: [UInt8]) -> Bool {
        func skip(_ byte: UInt8, from start: Int, atMost limit: Int = .max) -> Int {
            var index = start
            while index < bytes.count, bytes[index] == byte, index - start < limit { index += 1 }
            return index
        }
        var start = 0
        while start < bytes.count {
            let dots = skip(0x20, from: start)
            let dotsEnd = skip(UInt8(ascii: "."), from: dots, atMost: 2)
            let end = skip(0x20, from: dotsEnd)
            if dotsEnd > dots, end == bytes.count || endsName.contains(bytes[end]) { return true }
            var slash = start
            while slash < bytes.count, bytes[slash] != UInt8(ascii: "/") { slash += 1 }
            start = slash + 1
        }
        return false
    }

    private static let endsName = [UInt8]("/;?#".utf8)

    /// Whether a character takes more bytes than UTF-8 gives it (RFC 3629 section 3): `%c0%ae` is a dot to lenient decoders.
    private static func hasOverlongCharacter(_ bytes: [UInt8]) -> Bool {
        func isContinuation(_ index: Int) -> Bool { index < bytes.count && bytes[index] & 0xc0 == 0x80 }
        for index in bytes.indices where isContinuation(index + 1) {
            switch bytes[index] {
            case 0xc0, 0xc1: return true
            case 0xe0 where bytes[index + 1] < 0xa0 && isContinuation(index + 2): return true
            case 0xf0 where bytes[index + 1] < 0x90 && isContinuation(index + 2): return true
            case 0xf8...0xff where isContinuation(index + 2): return true
            default: break
            }
        }
        return false
    }

    /// What some servers make of characters outside ASCII that look like dots, slashes and blanks, and of two bytes that only
    /// a decoder without checks takes for one character.
    private static func bestFit(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0xc0, index + 1 < bytes.count, bytes[index + 1] < 0x80 {
                result.append(bytes[index + 1] & 0x3f)
                index += 2
            } else if let (length, reading) = lookalike(bytes, index) {
                result += reading
                index += length
            } else {
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    private static func lookalike(_ bytes: [UInt8], _ index: Int) -> (length: Int, reading: [UInt8])? {
        switch bytes[index] {
        case 0xc2 where index + 1 < bytes.count && bytes[index + 1] == 0xa0: return (2, [0x20])
        case 0xe2, 0xe3, 0xef:
            guard index + 2 < bytes.count else { return nil }
            let character = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            return lookalikes[character].map { (3, $0) }
        default: return nil
        }
    }

    /// Compatibility forms of Unicode (NFKC), and what Windows code pages put in place of characters that they lack; by the
    /// three bytes of each in UTF-8.
    private static let lookalikes = Dictionary(
        uniqueKeysWithValues: [
            ("\u{2024}", "."), ("\u{ff0e}", "."), ("\u{fe52}", "."), ("\u{2025}", ".."), ("\u{fe30}", ".."),
            ("\u{ff0f}", "/"), ("\u{2044}", "/"), ("\u{2215}", "/"), ("\u{29f8}", "/"), ("\u{ff3c}", "/"),
            ("\u{fe68}", "/"), ("\u{2216}", "/"), ("\u{29f5}", "/"), ("\u{ff1b}", ";"), ("\u{fe54}", ";"),
            ("\u{3000}", " "),
        ].map { ($0.utf8.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }, Array($1.utf8)) })
}

/// Percent-encoding (RFC 3986 section 2.1), and the `%uXXXX` that IIS reads besides it.
enum PercentEncoding {
    /// The bytes with one level of encoding removed, or nil when there is none.
    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] != UInt8(ascii: "%") {
                result.append(bytes[index])
                index += 1
            } else if let value = number(bytes, index + 1, digits: 2) {
                result.append(UInt8(truncatingIfNeeded: value))
                index += 3
            } else if index + 1 < bytes.count, bytes[index + 1] | 0x20 == UInt8(ascii: "u"),
                let value = number(bytes, index + 2, digits: 4), let scalar = Unicode.Scalar(value)
            {
                result += Array(String(Character(scalar)).utf8)
                index += 6
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result.count == bytes.count ? nil : result
    }

    private static func number(_ bytes: [UInt8], _ start: Int, digits: Int) -> UInt32? {
        guard start + digits <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[start..<start + digits] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
