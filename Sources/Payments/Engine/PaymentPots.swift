package import Primitives

/// How much of the payments' own memory and queues all agents may use together; each pot is divided by their shares.
package struct PaymentPots: Sendable, Equatable {
    /// Learned prices: one for each route and model, of 2 KiB at most.
    package var learnedPrices: Int
    /// Payments that wait for their turn to send an approval from one account.
    package var approvalTurns: Int

    /// 1,024 prices, and 8 that wait.
    package static let standard = PaymentPots(learnedPrices: 1_024, approvalTurns: 8)

    /// Makes totals.
    package init(learnedPrices: Int, approvalTurns: Int) {
        self.learnedPrices = learnedPrices
        self.approvalTurns = approvalTurns
    }
}

extension PaymentEngine {
    /// What of the payments' memory and queues agents share, and who holds how much of it.
    package var pots: [PotSnapshot] { [prices.snapshot, allowances.turns.snapshot] }
}
