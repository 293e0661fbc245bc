/// What one scrypt derivation costs, kept below what a hostile keystore could ask for.
package struct ScryptCost: Hashable, Sendable {
    /// The general cost, a power of two above 1.
    package let n: UInt64
    /// The block size.
    package let r: UInt64
    /// The parallelisation, which multiplies time, not memory.
    package let p: UInt64

    /// What go-ethereum takes for new keystores: N = 2^18, r = 8, p = 1; 256 MiB and most of a second.
    package static let standard = ScryptCost(unchecked: 1 << 18, r: 8, p: 1)
    /// go-ethereum's light parameters: N = 2^12, r = 8, p = 6; 4 MiB and some 40 ms.
    package static let light = ScryptCost(unchecked: 1 << 12, r: 8, p: 6)

    /// Makes a cost; nil unless `n` is a power of two from 2, `r` and `p` are from 1, the memory `128 * n * r` is at most
    /// 1 GiB, and the work `128 * n * r * p` at most 8 GiB.
    package init?(n: UInt64, r: UInt64, p: UInt64) {
        guard n > 1, n & (n - 1) == 0, n <= 1 << 23, (1...1 << 20).contains(r), (1...1 << 20).contains(p),
            n * r <= 1 << 23, n * r * p <= 1 << 26, r * p <= 1 << 20,
            // RFC 7914 section 6: N below 2^(128 * r / 8).
            r > 1 || n < 1 << 16
        else { return nil }
        self.init(unchecked: n, r: r, p: p)
    }

    private init(unchecked n: UInt64, r: UInt64, p: UInt64) {
        self.n = n
        self.r = r
        self.p = p
    }

    /// What OpenSSL has to be allowed to take: the table, the blocks, and its two scratch blocks.
    var workingBytes: UInt64 { 128 * r * (n + p + 2) + 1024 }
}
