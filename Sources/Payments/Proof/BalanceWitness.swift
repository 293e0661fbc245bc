package import Ethereum
package import Primitives

/// What an account has of a token, and at which block.
package struct BalanceReading: Sendable, Hashable {
    /// Atomic units.
    package let amount: UInt256
    /// The block that it was read at; it need not be final.
    package let block: UInt64

    /// Makes a reading.
    package init(amount: UInt256, block: UInt64) {
        self.amount = amount
        self.block = block
    }
}

/// A source that can say what an account has of a token: asked after a seller has said that it is too little, never before a
/// payment.
///
/// It pauses payments and never frees money: blocks may be undone, and what was signed meanwhile is not counted.
package protocol BalanceWitness: Sendable {
    /// What an account has of a token; callers that ask at the same time share one reading.
    func balance(owner: Address, token: Address) async throws -> BalanceReading
}
