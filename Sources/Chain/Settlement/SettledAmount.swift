package import Primitives

/// What a payment of scheme `upto` really moved, as final blocks show it.
package struct SettledAmount: Hashable, Sendable {
    /// How a transaction is known to be the one that used the payment's nonce.
    package enum Binding: String, Hashable, Sendable {
        /// It calls the proxy with this very nonce, owner, token and payee, and succeeded.
        ///
        /// The proxy's code is known by its address. It hands exactly this nonce to Permit2, which uses it up or undoes
        /// the whole transaction; so no other transaction can have used it, and what this one moved was moved by it.
        case call
        /// The nonce was unused as of the block before it and is used as of its own, and in that whole block the token
        /// moved from payer to payee once.
        ///
        /// For transactions that reach the proxy through another contract: what they carry in their input proves nothing,
        /// since anybody can put a nonce's bytes there.
        case block
    }

    /// What moved from payer to payee, in atomic units; at most what was signed for.
    package let amount: UInt256
    /// The transaction that moved it.
    package let transaction: Bytes32
    /// The transaction's block, which is final.
    package let block: UInt64
    /// That block's time, Unix seconds.
    package let time: Int64
    /// How the transaction is known to be the one.
    package let binding: Binding

    /// Makes an amount.
    package init(amount: UInt256, transaction: Bytes32, block: UInt64, time: Int64, binding: Binding) {
        self.amount = amount
        self.transaction = transaction
        self.block = block
        self.time = time
        self.binding = binding
    }
}

/// What the chain says about what a payment moved.
package enum SettlementFinding: Hashable, Sendable {
    /// So much, and no more can move.
    case settled(SettledAmount)
    /// Nothing up to this final block: the nonce is unused there.
    case unused(block: UInt64)
    /// The nonce is used, and how much moved is not shown: the whole amount stays counted.
    case unknown(Doubt)

    /// Why an amount is not shown.
    package enum Doubt: String, Hashable, Sendable, CaseIterable {
        /// Endpoints could not say whether the nonce is used.
        case unread
        /// No transaction was named, and none was found where it was looked for.
        case notFound = "not-found"
        /// The transaction's block is not final yet.
        case notFinal = "not-final"
        /// The transaction failed.
        case reverted
        /// The transaction moved nothing of the token from payer to payee.
        case noTransfer = "no-transfer"
        /// The transaction settles another payment.
        case foreign
        /// What it moved is not what it was called with, or more than was signed for.
        case contradictory
        /// More than one transfer in the block could be the one.
        case ambiguous
        /// Endpoints do not have the state of the blocks around the transaction any more.
        case noHistory = "no-history"
    }
}
