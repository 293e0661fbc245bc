extension Dollars {
    /// What a part counts for when the whole counts for this: its share, rounded up, and never more than the whole.
    package func share(of part: UInt256, in whole: UInt256) -> Dollars {
        guard part < whole, let product = part.multiplied(by: UInt64(nanodollars)) else { return self }
        // The largest quotient whose product with the whole fits, bit by bit: its range is 63 bits.
        var quotient: UInt64 = 0
        for shift in stride(from: UInt64(62), through: 0, by: -1) {
            let candidate = quotient | 1 << shift
            if let fit = whole.multiplied(by: candidate), fit <= product { quotient = candidate }
        }
        let isExact = whole.multiplied(by: quotient) == product
        return Dollars(nanodollars: Int64(quotient) + (isExact ? 0 : 1)) ?? self
    }
}
