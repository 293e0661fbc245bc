package import Ethereum
package import Primitives
package import X402

/// Why an approval is not made.
package enum ApprovalRefusal: Error, Hashable, Sendable {
    /// The spender is neither Permit2 nor one that the configuration allows.
    case spender(Address)
    /// It would use more gas than any approval needs.
    case gas(UInt64)
    /// It could cost more than the limit, both in wei.
    case cost(most: UInt256, limit: UInt256)
    /// The fee or the chain cannot stand in a transaction.
    case malformed
}

/// A transaction that does nothing but give one allowance, checked in every field.
///
/// It calls `approve(spender, amount)` of a token of the table, moves nothing, and costs no more than was allowed.
package struct ApprovalTransaction: Hashable, Sendable {
    /// The token.
    package let token: Asset
    /// Who may move the token then.
    package let spender: Address
    /// How much, in atomic units; 0 takes an allowance back.
    package let amount: UInt256
    /// The whole transaction.
    package let transaction: Transaction
    /// The most that it can cost, in wei.
    package let cost: UInt256

    /// Gas beyond what an approval uses on any chain, those included that count their data's own costs in gas.
    package static let gasLimit: UInt64 = 3_000_000

    /// Makes an approval that may cost at most `costLimit` wei; `allowed` are the spenders besides Permit2.
    package init(
        token: Asset, spender: Address, amount: UInt256, allowed: Set<Address>, nonce: UInt64, fee: Transaction.Fee,
        gas: UInt64, costLimit: UInt256
    ) throws(ApprovalRefusal) {
        guard spender == Permit2.address || allowed.contains(spender), spender != .zero else { throw .spender(spender) }
        guard gas <= Self.gasLimit else { throw .gas(gas) }
        guard let cost = fee.ceiling.multiplied(by: gas),
            let transaction = Transaction(
                chainID: token.chainID, nonce: nonce, fee: fee, gasLimit: gas, to: token.address, value: .zero,
                data: ERC20.approve(spender: spender, amount: amount))
        else { throw .malformed }
        guard cost <= costLimit else { throw .cost(most: cost, limit: costLimit) }
        self.token = token
        self.spender = spender
        self.amount = amount
        self.transaction = transaction
        self.cost = cost
    }

    /// Whether it lets the spender move everything, for ever.
    package var isUnlimited: Bool { amount == .max }

    /// What a wallet signs.
    package var signable: Signable { Signable(digest: transaction.signingHash) }
}
