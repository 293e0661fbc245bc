package import Primitives

/// A recoverable ECDSA signature over secp256k1 in Ethereum's 65-byte form.
package struct Signature: Hashable, Sendable {
    /// The x coordinate of the nonce point, big-endian.
    package let r: Bytes32
    /// The proof, big-endian.
    package let s: Bytes32
    /// Which of the two nonce points it was: 27 (even y) or 28 (odd y).
    package let v: UInt8

    /// (n - 1) / 2 of the group order n: every signature has an equally valid twin on the other side of it.
    private static let halfOrder = UInt256(
        high: 0x7fff_ffff_ffff_ffff_ffff_ffff_ffff_ffff, low: 0x5d57_6e73_57a4_501d_dfe9_2f46_681b_20a0)

    /// Zeros, which are nobody's signature of anything: for measuring what will hold one.
    package static let blank = Signature()

    private init() {
        self.r = .zero
        self.s = .zero
        self.v = 27
    }

    /// Makes a signature; nil unless `v` is 27 or 28.
    package init?(r: Bytes32, s: Bytes32, v: UInt8) {
        guard v == 27 || v == 28 else { return nil }
        self.r = r
        self.s = s
        self.v = v
    }

    /// Reads r, s and v in a row, 65 bytes; v may be 0, 1, 27 or 28.
    ///
    /// With `requiringLowS` the upper twin is refused (EIP-2), as OpenZeppelin's and Circle's tokens refuse it.
    package init?(bytes: some Collection<UInt8>, requiringLowS: Bool = false) {
        let bytes = Array(bytes)
        guard bytes.count == 65, let r = Bytes32(Array(bytes[..<32])),
            let s = Bytes32(Array(bytes[32..<64]))
        else { return nil }
        self.init(r: r, s: s, v: bytes[64] < 2 ? bytes[64] + 27 : bytes[64])
        if requiringLowS, !isLowS { return nil }
    }

    /// Whether s is in the lower half of the group, the only form that is ever made here.
    package var isLowS: Bool {
        UInt256(bigEndian: s) <= Self.halfOrder
    }

    /// The 65 bytes r, s, v with v 27 or 28.
    package var bytes: [UInt8] {
        r.bytes + s.bytes + [v]
    }

    /// `0x` and 130 lower-case hex digits.
    package var hex: String { Hex.prefixed(bytes) }
}
