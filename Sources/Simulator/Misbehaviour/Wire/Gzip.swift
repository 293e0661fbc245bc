/// Gzip of texts that begin with a long run of one byte, which is all that a bomb needs.
///
/// One block with the fixed Huffman codes of RFC 1951 section 3.2.6; framing by RFC 1952.
enum Gzip {
    /// Packs `count` times `filler` and then `text`.
    static func pack(_ text: [UInt8], behind filler: UInt8 = 0x20, count: Int = 0) -> [UInt8] {
        var bits = BitWriter(bytes: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
        bits.write(0b011, count: 3)
        var left = count
        if left > 0 {
            bits.writeLiteral(filler)
            left -= 1
        }
        while left >= 258 {
            // Length 258 is symbol 285, eight bits; distance 1 is symbol 0, five bits.
            bits.writeCode(0b1100_0101, count: 8)
            bits.writeCode(0, count: 5)
            left -= 258
        }
        for _ in 0..<left { bits.writeLiteral(filler) }
        for byte in text { bits.writeLiteral(byte) }
        bits.writeCode(0, count: 7)
        bits.align()
        var packed = bits.bytes
        let check = checksum(of: text, behind: filler, count: count)
        for value in [check, UInt32(truncatingIfNeeded: count + text.count)] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                packed.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        return packed
    }

    private static func checksum(of text: [UInt8], behind filler: UInt8, count: Int) -> UInt32 {
        var check: UInt32 = .max
        func step(_ byte: UInt8) { check = table[Int(UInt8(truncatingIfNeeded: check) ^ byte)] ^ check >> 8 }
        for _ in 0..<count { step(filler) }
        for byte in text { step(byte) }
        return ~check
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
    }
}

/// Bits in the order of deflate: the first goes into the lowest place of a byte.
private struct BitWriter {
    var bytes: [UInt8]
    private var pending: UInt32 = 0
    private var held: UInt32 = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func write(_ value: UInt32, count: UInt32) {
        pending |= value << held
        held += count
        while held >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            held -= 8
        }
    }

    /// Huffman codes go in with their highest bit first.
    mutating func writeCode(_ code: UInt32, count: UInt32) {
        for place in (0..<count).reversed() { write(code >> place & 1, count: 1) }
    }

    mutating func writeLiteral(_ byte: UInt8) {
        if byte < 144 {
            writeCode(0x30 + UInt32(byte), count: 8)
        } else {
            writeCode(0x190 + UInt32(byte) - 144, count: 9)
        }
    }

    mutating func align() {
        if held > 0 { write(0, count: 8 - held) }
    }
}
