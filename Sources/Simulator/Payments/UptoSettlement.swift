package import Primitives

/// How much of an `upto` payment the gateway settles, and whether it says so.
package struct UptoSettlement: Sendable, Equatable {
    /// The percentages that can be settled.
    package static let percentages = 0...100

    /// The share of the maximum that is settled, in percent, 0 to 100; 0 settles nothing and uses no nonce.
    package let percent: Int
    /// Whether the report carries the settled amount, as it must; old facilitators leave it out.
    package let isTold: Bool

    /// Makes a way to settle; percentages out of range are brought into it.
    package init(percent: Int = 40, isTold: Bool = true) {
        self.percent = min(max(percent, Self.percentages.lowerBound), Self.percentages.upperBound)
        self.isTold = isTold
    }

    /// The amount that is settled of a maximum, in atomic units, rounded down.
    package func amount(of maximum: UInt256) -> UInt256 {
        guard percent < 100 else { return maximum }
        guard let (hundredth, rest) = maximum.quotientAndRemainder(dividingBy: 100) else { return .zero }
        let share = UInt64(percent)
        // Hundredths first: the product of the maximum itself could overflow.
        return hundredth.multiplied(by: share)?.adding(UInt256(rest * share / 100)) ?? .zero
    }
}
