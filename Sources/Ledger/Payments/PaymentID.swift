package import Primitives

/// The name of one payment in the books: `pay_` and 32 lower-case hex digits.
///
/// The form also satisfies the `payment-identifier` extension of x402, so that one name serves both sides.
package struct PaymentID: Hashable, Sendable, CustomStringConvertible {
    /// The whole text.
    package let description: String

    /// Makes an identifier from 32 random bytes, of which the first 16 are used.
    package init(random: Bytes32) {
        description = "pay_" + Hex.encode(random.bytes[..<16])
    }

    /// Reads an identifier; nil when the text is not one.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8.dropFirst(4)
        guard text.hasPrefix("pay_"), digits.count == 32,
            digits.allSatisfy({ $0.isASCIIDigit || ($0 >= 0x61 && $0 <= 0x66) })
        else { return nil }
        description = String(text)
    }
}
