package import Primitives

/// Keccak-256 with the original padding (0x01), the hash of Ethereum; not SHA3-256, which pads with 0x06.
///
/// Keccak-f[1600] after the Keccak reference, version 3.0, with a rate of 136 bytes. Every access is bounds-checked.
package struct Keccak256: Sendable {
    private static let rate = 136

    /// The state, lane (x, y) at index x + 5y, each lane little-endian.
    private var lanes = InlineArray<25, UInt64>(repeating: 0)
    /// Bytes of the current block that were absorbed already, 0 to 135.
    private var filled = 0

    /// A hash of nothing so far.
    package init() {}

    /// The hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> Bytes32 {
        hash(bytes.span)
    }

    /// The hash of some bytes.
    package static func hash(_ bytes: Span<UInt8>) -> Bytes32 {
        var hasher = Keccak256()
        hasher.absorb(bytes)
        return hasher.finish()
    }

    /// The hash of a text's UTF-8 bytes, exactly as they stand: no normalisation.
    package static func hash(_ text: String) -> Bytes32 {
        hash(Array(text.utf8))
    }

    /// The hash of 32-byte words in a row, which is `keccak256(abi.encode(...))` of static values.
    package static func hash(words: Bytes32...) -> Bytes32 {
        var hasher = Keccak256()
        for word in words { hasher.absorb(word) }
        return hasher.finish()
    }

    /// Adds bytes.
    package mutating func absorb(_ bytes: [UInt8]) {
        absorb(bytes.span)
    }

    /// Adds bytes.
    package mutating func absorb(_ input: Span<UInt8>) {
        var index = 0
        while index < input.count {
            if filled & 7 == 0, input.count - index >= 8 {
                add(Self.lane(input.extracting(index..<index + 8)), count: 8)
                index += 8
            } else {
                add(UInt64(input[index]) << UInt64(8 * (filled & 7)), count: 1)
                index += 1
            }
        }
    }

    /// Adds the 32 bytes of a word.
    package mutating func absorb(_ word: Bytes32) {
        guard filled & 7 == 0 else { return absorb(word.bytes.span) }
        add(word.words.0.byteSwapped, count: 8)
        add(word.words.1.byteSwapped, count: 8)
        add(word.words.2.byteSwapped, count: 8)
        add(word.words.3.byteSwapped, count: 8)
    }

    /// The hash of everything absorbed; the value itself stays usable for more.
    package func finish() -> Bytes32 {
        var last = self
        last.lanes[filled >> 3] ^= 1 << UInt64(8 * (filled & 7))
        last.lanes[Self.rate / 8 - 1] ^= 1 << 63
        last.permute()
        let lanes = last.lanes
        return Bytes32(
            words: (lanes[0].byteSwapped, lanes[1].byteSwapped, lanes[2].byteSwapped, lanes[3].byteSwapped))
    }

    /// Eight bytes as a lane, first byte lowest; written out so that it becomes one load.
    @inline(__always)
    private static func lane(_ bytes: Span<UInt8>) -> UInt64 {
        let low =
            UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
        let high =
            UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
        return low | high << 32
    }

    private mutating func add(_ bits: UInt64, count: Int) {
        lanes[filled >> 3] ^= bits
        filled += count
        if filled == Self.rate {
            permute()
            filled = 0
        }
    }
}

extension Keccak256 {
    private static let roundConstants: InlineArray<24, UInt64> = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
        0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    /// The permutation: 24 rounds over lanes held in locals, which is what keeps them in registers.
    private mutating func permute() {
        var (a0, a1, a2, a3, a4) = (lanes[0], lanes[1], lanes[2], lanes[3], lanes[4])
        var (a5, a6, a7, a8, a9) = (lanes[5], lanes[6], lanes[7], lanes[8], lanes[9])
        var (a10, a11, a12, a13, a14) = (lanes[10], lanes[11], lanes[12], lanes[13], lanes[14])
        var (a15, a16, a17, a18, a19) = (lanes[15], lanes[16], lanes[17], lanes[18], lanes[19])
        var (a20, a21, a22, a23, a24) = (lanes[20], lanes[21], lanes[22], lanes[23], lanes[24])
        for round in 0..<24 {
            // Theta: each column takes the parity of its two neighbours.
            let c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
            let c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
            let c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
            let c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
            let c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
            let d0 = c4 ^ c1.rotated(1)
            let d1 = c0 ^ c2.rotated(1)
            let d2 = c1 ^ c3.rotated(1)
            let d3 = c2 ^ c4.rotated(1)
            let d4 = c3 ^ c0.rotated(1)
            // Rho and pi: each lane is rotated and moves to another place.
            let b0 = (a0 ^ d0)
            let b1 = (a6 ^ d1).rotated(44)
            let b2 = (a12 ^ d2).rotated(43)
            let b3 = (a18 ^ d3).rotated(21)
            let b4 = (a24 ^ d4).rotated(14)
            let b5 = (a3 ^ d3).rotated(28)
            let b6 = (a9 ^ d4).rotated(20)
            let b7 = (a10 ^ d0).rotated(3)
            let b8 = (a16 ^ d1).rotated(45)
            let b9 = (a22 ^ d2).rotated(61)
            let b10 = (a1 ^ d1).rotated(1)
            let b11 = (a7 ^ d2).rotated(6)
            let b12 = (a13 ^ d3).rotated(25)
            let b13 = (a19 ^ d4).rotated(8)
            let b14 = (a20 ^ d0).rotated(18)
            let b15 = (a4 ^ d4).rotated(27)
            let b16 = (a5 ^ d0).rotated(36)
            let b17 = (a11 ^ d1).rotated(10)
            let b18 = (a17 ^ d2).rotated(15)
            let b19 = (a23 ^ d3).rotated(56)
            let b20 = (a2 ^ d2).rotated(62)
            let b21 = (a8 ^ d3).rotated(55)
            let b22 = (a14 ^ d4).rotated(39)
            let b23 = (a15 ^ d0).rotated(41)
            let b24 = (a21 ^ d1).rotated(2)
            // Chi, the only non-linear step, and iota.
            a0 = b0 ^ (~b1 & b2) ^ Self.roundConstants[round]
            a1 = b1 ^ (~b2 & b3)
            a2 = b2 ^ (~b3 & b4)
            a3 = b3 ^ (~b4 & b0)
            a4 = b4 ^ (~b0 & b1)
            a5 = b5 ^ (~b6 & b7)
            a6 = b6 ^ (~b7 & b8)
            a7 = b7 ^ (~b8 & b9)
            a8 = b8 ^ (~b9 & b5)
            a9 = b9 ^ (~b5 & b6)
            a10 = b10 ^ (~b11 & b12)
            a11 = b11 ^ (~b12 & b13)
            a12 = b12 ^ (~b13 & b14)
            a13 = b13 ^ (~b14 & b10)
            a14 = b14 ^ (~b10 & b11)
            a15 = b15 ^ (~b16 & b17)
            a16 = b16 ^ (~b17 & b18)
            a17 = b17 ^ (~b18 & b19)
            a18 = b18 ^ (~b19 & b15)
            a19 = b19 ^ (~b15 & b16)
            a20 = b20 ^ (~b21 & b22)
            a21 = b21 ^ (~b22 & b23)
            a22 = b22 ^ (~b23 & b24)
            a23 = b23 ^ (~b24 & b20)
            a24 = b24 ^ (~b20 & b21)
        }
        (lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]) = (a0, a1, a2, a3, a4)
        (lanes[5], lanes[6], lanes[7], lanes[8], lanes[9]) = (a5, a6, a7, a8, a9)
        (lanes[10], lanes[11], lanes[12], lanes[13], lanes[14]) = (a10, a11, a12, a13, a14)
        (lanes[15], lanes[16], lanes[17], lanes[18], lanes[19]) = (a15, a16, a17, a18, a19)
        (lanes[20], lanes[21], lanes[22], lanes[23], lanes[24]) = (a20, a21, a22, a23, a24)
    }
}

extension UInt64 {
    /// The value rotated to the left by 1 to 63 bits.
    @inline(__always)
    fileprivate func rotated(_ count: UInt64) -> UInt64 {
        self &<< count | self &>> (64 - count)
    }
}
