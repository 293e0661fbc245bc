/// Exactly 32 bytes: a hash, an ABI word, an EIP-3009 nonce.
package struct Bytes32: Hashable, Sendable {
    /// The bytes as four big-endian words, first bytes first.
    package let words: (UInt64, UInt64, UInt64, UInt64)

    /// Makes a value from its big-endian words.
    package init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Makes a value from a collection; nil unless it holds exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        self.init(Array(bytes))
    }

    /// Makes a value from an array; nil unless it holds exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var index = 0
        for byte in bytes {
            switch index >> 3 {
            case 0: words.0 = words.0 << 8 | UInt64(byte)
            case 1: words.1 = words.1 << 8 | UInt64(byte)
            case 2: words.2 = words.2 << 8 | UInt64(byte)
            default: words.3 = words.3 << 8 | UInt64(byte)
            }
            index += 1
        }
        self.words = words
    }

    /// 32 zero bytes.
    package static let zero = Bytes32(words: (0, 0, 0, 0))

    package static func == (left: Bytes32, right: Bytes32) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    /// The bytes in order.
    package var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        for index in 0..<8 {
            let shift = UInt64(56 - 8 * index)
            bytes[index] = UInt8(truncatingIfNeeded: words.0 >> shift)
            bytes[8 + index] = UInt8(truncatingIfNeeded: words.1 >> shift)
            bytes[16 + index] = UInt8(truncatingIfNeeded: words.2 >> shift)
            bytes[24 + index] = UInt8(truncatingIfNeeded: words.3 >> shift)
        }
        return bytes
    }
}

extension Bytes32: CustomStringConvertible {
    /// `0x` and 64 lower-case hex digits.
    package var description: String { Hex.prefixed(bytes) }
}
