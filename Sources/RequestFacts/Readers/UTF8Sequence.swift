/// Follows UTF-8 (RFC 3629) beyond ASCII, byte by byte.
struct UTF8Sequence {
    private var missing = 0
    private var next: ClosedRange<UInt8> = 0x80...0xbf

    /// Whether the last character has all of its bytes.
    var isComplete: Bool { missing == 0 }

    /// Reads a byte of 0x80 and more; false when it cannot stand there.
    mutating func takes(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard next.contains(byte) else { return false }
            missing -= 1
            next = 0x80...0xbf
            return true
        }
        next = 0x80...0xbf
        switch byte {
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, next) = (2, 0xa0...0xbf)
        case 0xed: (missing, next) = (2, 0x80...0x9f)
        case 0xe1...0xef: missing = 2
        case 0xf0: (missing, next) = (3, 0x90...0xbf)
        case 0xf1...0xf3: missing = 3
        case 0xf4: (missing, next) = (3, 0x80...0x8f)
        default: return false
        }
        return true
    }
}
