package import Primitives

/// The name of one payment in the books: `pay_` and 32 lower-case hex digits.
///
/// The form also satisfies the `payment-identifier` extension of x402, so that one name serves both sides.
package struct PaymentID: Hashable, Sendable, CustomStringConvertible {
    /// The whole text.
    package let description: String

    /// Makes an identifier from a time and 32 random bytes, of which ten are used.
    ///
    /// The time in milliseconds goes in front, so that the index over identifiers grows at one end.
    package init(at time: Timestamp, random: Bytes32) {
        description = "pay_" + Hex.encode(time.bigEndianPrefix + random.bytes[..<10])
    }

    /// Makes an identifier from its 16 bytes; nil for any other number.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        description = "pay_" + Hex.encode(bytes)
    }

    /// The 16 bytes behind the prefix, as the books on disk keep them.
    package var bytes: [UInt8] { Hex.decode(description.dropFirst(4)) ?? [] }

    /// Reads an identifier; nil when the text is not one.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8.dropFirst(4)
        guard text.hasPrefix("pay_"), digits.count == 32,
            digits.allSatisfy({ $0.isASCIIDigit || ($0 >= 0x61 && $0 <= 0x66) })
        else { return nil }
        description = String(text)
    }
}

extension Timestamp {
    /// The six bytes that time-ordered identifiers begin with: milliseconds since the epoch, big-endian.
    package var bigEndianPrefix: [UInt8] {
        stride(from: 40, through: 0, by: -8).map { UInt8(truncatingIfNeeded: milliseconds >> Int64($0)) }
    }
}

extension Bytes32 {
    /// A nonce whose first six bytes are a time and whose other 26 are random: unpredictable, unique, and in the order
    /// in which an index grows cheaply.
    package init(nonceAt time: Timestamp, random: Bytes32) {
        let words = random.words
        let stamp = UInt64(truncatingIfNeeded: time.milliseconds) << 16
        self.init(words: (stamp | words.0 & 0xffff, words.1, words.2, words.3))
    }
}
