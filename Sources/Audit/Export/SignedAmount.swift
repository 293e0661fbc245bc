import Ledger
import Primitives

/// What stands in an account: debits less credits.
struct SignedAmount: Equatable {
    /// Whether more went out than came in.
    let isNegative: Bool
    /// The distance from zero, in atomic units.
    let magnitude: UInt256

    /// The difference of two sums.
    init(debits: UInt256, credits: UInt256) {
        isNegative = debits < credits
        magnitude = (isNegative ? credits.subtracting(debits) : debits.subtracting(credits)) ?? .zero
    }

    /// Whether it is nothing.
    var isZero: Bool { magnitude.isZero }

    /// Decimal text with every one of a token's decimals: `-0.010000`.
    func text(decimals: Int) -> String {
        let digits = magnitude.description
        let sign = isNegative ? "-" : ""
        guard decimals > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }
}
