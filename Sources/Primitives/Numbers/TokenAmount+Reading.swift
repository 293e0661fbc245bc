extension TokenAmount {
    /// An amount as somebody typed it, in atomic units.
    package struct Reading: Hashable, Sendable {
        /// The atomic units, rounded down.
        package let units: UInt256
        /// Whether nothing was cut off.
        package let isExact: Bool
    }

    /// Reads plain decimal text such as `2.5` for a token of so many decimals: digits, at most one point, at most 78
    /// digits on each side.
    ///
    /// `decimals` is 0 to 77. Returns nil for signs, exponents, separators, and amounts beyond 2^256 - 1.
    package static func read(_ text: Substring, decimals: Int) -> Reading? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.allSatisfy(isDigits) else { return nil }
        let fraction: Substring = parts.count == 2 ? parts[1] : ""
        let kept = fraction.prefix(decimals)
        let padded = String(whole) + kept + String(repeating: "0", count: decimals - kept.utf8.count)
        let digits = padded.drop { $0 == "0" }
        guard let units = try? UInt256(decimal: digits.isEmpty ? "0" : digits) else { return nil }
        return Reading(units: units, isExact: fraction.dropFirst(decimals).allSatisfy { $0 == "0" })
    }

    private static func isDigits(_ part: Substring) -> Bool {
        (1...78).contains(part.utf8.count) && part.utf8.allSatisfy(\.isASCIIDigit)
    }
}
