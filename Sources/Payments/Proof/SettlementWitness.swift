package import Ledger
package import Primitives
import X402

/// What a payment whose price was a maximum really moved, as final blocks show it.
package struct SettledAmount: Sendable, Hashable {
    /// Atomic units, at most what was signed for.
    package let amount: UInt256
    /// The transaction that moved it, `0x` and 64 hex digits.
    package let transaction: String
    /// The transaction's block, which is final.
    package let block: UInt64
    /// That block's time, Unix seconds.
    package let time: Int64
    /// How the transaction is known to be this payment's: `call` or `block`.
    package let binding: String

    /// Makes an amount.
    package init(amount: UInt256, transaction: String, block: UInt64, time: Int64, binding: String) {
        self.amount = amount
        self.transaction = transaction
        self.block = block
        self.time = time
        self.binding = binding
    }

    /// What the books keep as the reason of the proof.
    package var reason: String { "block \(block), time \(time), by \(binding)" }
}

/// A payment of which it is asked what it moved.
package struct SettlementProbe: Sendable, Hashable {
    /// The token contract, EIP-55.
    package let token: String
    /// The payer's address, EIP-55.
    package let payer: String
    /// The payee's address, EIP-55.
    package let payee: String
    /// The Permit2 nonce.
    package let nonce: Bytes32
    /// What was signed for, in atomic units.
    package let maximum: UInt256
    /// The first second of the window that is not yet in it, as the books keep it.
    package let validAfter: Int64
    /// The second from which the payment is dead, as the books keep it.
    package let validBefore: Int64
    /// The transaction that the seller named, in its own words; nothing is taken on trust from it.
    package let transaction: String?

    /// The probe for a payment whose price was a maximum; nil for every other payment.
    package init?(_ record: PaymentRecord) {
        guard let terms = record.terms, terms.isMaximum, NonceKeeper(terms) == .permit2 else { return nil }
        self.init(terms, transaction: record.evidence.transaction)
    }

    init(_ terms: PaymentIntent.Terms, transaction: String?) {
        token = terms.asset
        payer = terms.payer
        payee = terms.payTo
        nonce = terms.nonce
        maximum = terms.amount
        validAfter = terms.validAfter
        validBefore = terms.validBefore
        self.transaction = transaction
    }
}

/// Whoever can say of a network's final blocks how much a payment moved.
package protocol SettlementWitness: Sendable {
    /// What a payment whose nonce is used has moved; nil while that is not proven, so that all of it stays counted.
    ///
    /// Throws when the network cannot be read at all.
    func settledAmount(of probe: SettlementProbe) async throws -> SettledAmount?
}
