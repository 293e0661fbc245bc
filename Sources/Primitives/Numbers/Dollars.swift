/// An amount of US dollars in whole nano-dollars, the unit of caps.
///
/// Nine decimals hold one atomic unit of every 6-decimal stablecoin exactly; finer assets are rounded up, against the
/// payer, by ``TokenAmount``. The range ends at about 9.2 billion dollars, so that sums fit an SQLite integer.
package struct Dollars: Hashable, Comparable, Sendable {
    /// The value in 10^-9 dollars, never negative.
    package let nanodollars: Int64

    /// Makes a value; nil when it is negative.
    package init?(nanodollars: Int64) {
        guard nanodollars >= 0 else { return nil }
        self.nanodollars = nanodollars
    }

    private init(unchecked nanodollars: Int64) {
        self.nanodollars = nanodollars
    }

    /// No money.
    package static let zero = Dollars(unchecked: 0)
    /// One dollar.
    package static let one = Dollars(unchecked: 1_000_000_000)
    /// The largest representable value.
    package static let max = Dollars(unchecked: .max)

    /// The sum, or nil when it is out of range.
    package func adding(_ other: Dollars) -> Dollars? {
        let (sum, overflow) = nanodollars.addingReportingOverflow(other.nanodollars)
        return overflow ? nil : Dollars(unchecked: sum)
    }

    /// The difference, or nil when it would be negative.
    package func subtracting(_ other: Dollars) -> Dollars? {
        Dollars(nanodollars: nanodollars - other.nanodollars)
    }

    /// The product with a factor of at least 0, at most ``max``.
    package func multiplied(by factor: Int64) -> Dollars {
        let (product, overflow) = nanodollars.multipliedReportingOverflow(by: Swift.max(0, factor))
        return overflow ? .max : Dollars(unchecked: product)
    }

    package static func < (left: Dollars, right: Dollars) -> Bool { left.nanodollars < right.nanodollars }
}

extension Dollars: CustomStringConvertible {
    /// Reads plain decimal dollars such as `5`, `0.10` or `$0.0003`: digits, at most one point, at most nine decimals.
    ///
    /// Returns nil for signs, exponents, separators, more decimals, or values out of range.
    package init?(_ text: some StringProtocol) {
        let bare = text.hasPrefix("$") ? text.dropFirst() : text[...]
        let parts = bare.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        var fraction = Substring()
        if parts.count == 2 {
            fraction = Substring(parts[1])
            guard !fraction.isEmpty, fraction.utf8.count <= 9, fraction.utf8.allSatisfy(\.isASCIIDigit) else {
                return nil
            }
        }
        let padded = String(fraction) + String(repeating: "0", count: 9 - fraction.utf8.count)
        guard let units = Int64(whole), let nanos = Int64(padded) else { return nil }
        let (scaled, overflow) = units.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflow) = scaled.addingReportingOverflow(nanos)
        guard !overflow, !sumOverflow else { return nil }
        self.init(unchecked: sum)
    }

    /// Decimal dollars without a currency sign, at least two decimals, no superfluous zeros: `0.10`, `0.0003`.
    package var description: String {
        // Bytes, since every answer to a payment has several such texts, and characters cost ten times as much.
        var fraction = Array(String(1_000_000_000 + nanodollars % 1_000_000_000).utf8.dropFirst())
        while fraction.count > 2, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        return "\(nanodollars / 1_000_000_000).\(String(decoding: fraction, as: UTF8.self))"
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII digit.
    package var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
}
