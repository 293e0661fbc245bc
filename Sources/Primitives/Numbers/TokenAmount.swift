/// Conversions between atomic token units, decimal text for people, and dollars.
package enum TokenAmount {
    /// Decimal text of an atomic amount: `decimalText(of: 10000, decimals: 6)` is `0.01`.
    ///
    /// `decimals` is the token's, 0 to 77. Trailing zeros of the fraction are left out.
    package static func decimalText(of amount: UInt256, decimals: Int) -> String {
        let digits = amount.description
        guard decimals > 0 else { return digits }
        var text = [UInt8](repeating: UInt8(ascii: "0"), count: Swift.max(0, decimals + 1 - digits.utf8.count))
        text += digits.utf8
        let point = text.count - decimals
        while text.count > point, text.last == UInt8(ascii: "0") { text.removeLast() }
        if text.count > point { text.insert(UInt8(ascii: "."), at: point) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The dollar value of an atomic amount at a par, rounded up to the next nano-dollar, against the payer.
    ///
    /// `decimals` is 0 to 36, `par` the dollars of one whole token. Returns nil when the value is out of range.
    package static func dollars(of amount: UInt256, decimals: Int, par: Dollars) -> Dollars? {
        guard (0...36).contains(decimals), par.nanodollars > 0,
            var scaled = amount.multiplied(by: UInt64(par.nanodollars))
        else { return nil }
        var inexact = false
        for _ in 0..<decimals {
            guard let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: 10) else { return nil }
            scaled = quotient
            inexact = inexact || remainder != 0
        }
        guard let rounded = scaled.adding(inexact ? UInt256(1) : .zero), let nanos = rounded.uint64 else { return nil }
        return Int64(exactly: nanos).flatMap(Dollars.init(nanodollars:))
    }
}
