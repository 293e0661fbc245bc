/// A 256-bit unsigned integer whose arithmetic never wraps and never traps.
///
/// Token amounts and Permit2 nonces are `uint256` on the wire. The type deliberately does not conform to
/// `FixedWidthInteger`: truncation must be asked for by name.
package struct UInt256: Hashable, Sendable {
    /// The upper 128 bits.
    package let high: UInt128
    /// The lower 128 bits.
    package let low: UInt128

    /// Makes a value from its two halves.
    package init(high: UInt128, low: UInt128) {
        self.high = high
        self.low = low
    }

    /// Makes a value from a machine integer.
    package init(_ value: UInt64) {
        self.init(high: 0, low: UInt128(value))
    }

    /// Zero.
    package static let zero = UInt256(high: 0, low: 0)
    /// 2^256 - 1.
    package static let max = UInt256(high: .max, low: .max)

    /// Whether the value is zero.
    package var isZero: Bool { high == 0 && low == 0 }

    /// The sum, or nil when it would exceed 2^256 - 1.
    package func adding(_ other: UInt256) -> UInt256? {
        let (newLow, carry) = low.addingReportingOverflow(other.low)
        let (partial, overflow) = high.addingReportingOverflow(other.high)
        let (newHigh, carryOverflow) = partial.addingReportingOverflow(carry ? 1 : 0)
        guard !overflow, !carryOverflow else { return nil }
        return UInt256(high: newHigh, low: newLow)
    }

    /// The difference, or nil when it would be negative.
    package func subtracting(_ other: UInt256) -> UInt256? {
        guard self >= other else { return nil }
        let (newLow, borrow) = low.subtractingReportingOverflow(other.low)
        return UInt256(high: high &- other.high &- (borrow ? 1 : 0), low: newLow)
    }

    /// The product with a machine integer, or nil when it would exceed 2^256 - 1.
    package func multiplied(by factor: UInt64) -> UInt256? {
        let (carry, newLow) = low.multipliedFullWidth(by: UInt128(factor))
        let (partial, overflow) = high.multipliedReportingOverflow(by: UInt128(factor))
        let (newHigh, carryOverflow) = partial.addingReportingOverflow(carry)
        guard !overflow, !carryOverflow else { return nil }
        return UInt256(high: newHigh, low: UInt128(newLow))
    }

    /// Quotient and remainder by a machine integer; nil when the divisor is zero.
    package func quotientAndRemainder(dividingBy divisor: UInt64) -> (quotient: UInt256, remainder: UInt64)? {
        guard divisor != 0 else { return nil }
        let wide = UInt128(divisor)
        let (quotientHigh, carry) = high.quotientAndRemainder(dividingBy: wide)
        let (quotientLow, remainder) = wide.dividingFullWidth((high: carry, low: low))
        return (UInt256(high: quotientHigh, low: quotientLow), UInt64(truncatingIfNeeded: remainder))
    }

    /// The value as a machine integer, or nil when it does not fit into 64 bits.
    package var uint64: UInt64? {
        high == 0 ? UInt64(exactly: low) : nil
    }
}

extension UInt256: Comparable {
    package static func < (left: UInt256, right: UInt256) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension UInt256 {
    /// Makes a value from 32 big-endian bytes, the form of ABI words and of the ledger's blobs.
    package init(bigEndian word: Bytes32) {
        self.init(
            high: UInt128(word.words.0) << 64 | UInt128(word.words.1),
            low: UInt128(word.words.2) << 64 | UInt128(word.words.3))
    }

    /// The value as 32 big-endian bytes.
    package var bigEndianBytes: Bytes32 {
        Bytes32(
            words: (
                UInt64(truncatingIfNeeded: high >> 64), UInt64(truncatingIfNeeded: high),
                UInt64(truncatingIfNeeded: low >> 64), UInt64(truncatingIfNeeded: low)
            ))
    }
}
