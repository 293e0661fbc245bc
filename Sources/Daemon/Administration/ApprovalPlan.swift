package import Chain
package import Ethereum
package import Policy
package import Primitives

/// What giving an allowance takes, worked out from the chain as it is now: nothing is signed yet.
package struct ApprovalPlan: Sendable, Hashable {
    /// What is wanted.
    package let order: ApprovalOrder
    /// The wallet's account.
    package let owner: Address
    /// The token's balance and the allowance as it is.
    package let standing: TokenStanding
    /// What the account has of the chain's coin, in wei.
    package let coins: UInt256
    /// The number that the account's next transaction gets.
    package let next: NextTransaction
    /// The transactions in their order: none when the allowance is as wanted, two when it has to be set to zero first.
    package let steps: [ApprovalTransaction]

    /// The most that all of it can cost, in wei; nil when that is beyond 2^256.
    package var cost: UInt256? {
        var sum = UInt256.zero
        for step in steps {
            guard let next = sum.adding(step.cost) else { return nil }
            sum = next
        }
        return sum
    }

    /// Whether the account can pay for it.
    package var isAffordable: Bool { cost.map { $0 <= coins } ?? false }
}

/// Why an allowance is not given.
package enum ApprovalFailure: Error, Sendable, Hashable {
    /// The contract has other decimals than the table.
    case decimals(contract: UInt256, table: Int)
    /// The contract would not do it.
    case refusedBySimulation
    /// Transactions of the account are on their way, and this one would have to wait for them.
    case gap(NextTransaction)
    /// The transaction is not one that is signed.
    case refused(ApprovalRefusal)
    /// The account has too little of the chain's coin, both in wei.
    case unaffordable(cost: UInt256, coins: UInt256)
    /// The wallet's key is of another account than its keystore says.
    case otherAccount
    /// A transaction is in a block and did not do what it was made for.
    case failed(transaction: Bytes32)
    /// A transaction was sent and is in no block that endpoints agree on.
    case unconfirmed(transaction: Bytes32)
    /// It is done and the contract says another amount.
    case otherAllowance(UInt256)
}

extension ApprovalFailure: CustomStringConvertible {
    /// One sentence for an operator.
    package var description: String {
        switch self {
        case .decimals(let contract, let table):
            "the token's contract says \(contract) decimals and the asset table \(table): nothing is signed for it"
        case .refusedBySimulation: "the token's contract would answer no"
        case .gap(let next):
            "the account's next transaction has number \(next.number), and only \(next.mined) of its transactions are in "
                + "blocks (as of block \(next.block.number)): it would wait for the \(next.gap) in between, and stay valid "
                + "until they come; wait for them, or sign it all the same with --allow-gap"
        case .refused(.spender(let spender)): "\(spender) may not be given allowances"
        case .refused(.gas(let gas)): "it would use \(gas) gas, more than any approval needs"
        case .refused(.cost(let most, let limit)):
            "it could cost \(ApprovalOrder.coins(most)) of the chain's coin, and the limit is "
                + "\(ApprovalOrder.coins(limit)): raise it with --max-cost, or wait for lower fees"
        case .refused(.malformed): "the chain's fee makes no transaction"
        case .unaffordable(let cost, let coins):
            "it can cost \(ApprovalOrder.coins(cost)) of the chain's coin, and the account has "
                + ApprovalOrder.coins(coins)
        case .otherAccount: "the wallet's key is of another account than its keystore states"
        case .failed(let transaction): "transaction \(transaction) failed: the allowance is as it was"
        case .unconfirmed(let transaction):
            "transaction \(transaction) was sent and is in no block yet: look it up before you repeat this"
        case .otherAllowance(let amount): "all is sent and done, but the contract says an allowance of \(amount) units"
        }
    }
}
