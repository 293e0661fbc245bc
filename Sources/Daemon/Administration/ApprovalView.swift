import Chain
package import Ethereum
import Policy
import Primitives
import X402

/// A balance and an allowance in words.
package struct StandingView: Sendable, Hashable {
    /// The account, EIP-55.
    package let owner: String
    /// The token contract, EIP-55.
    package let token: String
    /// Who may move it, EIP-55.
    package let spender: String
    /// For people.
    package let balance: String
    /// For people.
    package let allowance: String
    /// Atomic units.
    package let balanceUnits: String
    /// Atomic units.
    package let allowanceUnits: String
    /// The number of the block that it was read at.
    package let block: String

    init(_ standing: TokenStanding, _ order: ApprovalOrder, owner: Address) {
        self.owner = owner.checksummed
        token = order.token.addressText
        spender = order.spender.checksummed
        balance = order.text(of: standing.balance)
        allowance = order.text(of: standing.allowance)
        balanceUnits = standing.balance.description
        allowanceUnits = standing.allowance.description
        block = "\(standing.block.number)"
    }
}

extension ApprovalDesk {
    /// What the order's wallet has of the token, and what the spender may move, in words.
    package func standing(_ order: ApprovalOrder, owner: Address) async throws -> StandingView {
        let standing = try await standing(of: owner, token: order.token.address, spender: order.spender)
        guard standing.decimals == UInt256(UInt64(order.token.decimals)) else {
            throw ApprovalFailure.decimals(contract: standing.decimals, table: order.token.decimals)
        }
        return StandingView(standing, order, owner: owner)
    }
}

extension ApprovalOrder {
    /// The CAIP-2 network.
    package var network: String { token.network }
}

extension ApprovalPlan {
    /// The plan in words.
    package var view: View { View(self) }

    /// A plan in words.
    package struct View: Sendable, Hashable {
        /// A transaction in words.
        package struct Step: Sendable, Hashable {
            /// What it allows, for people.
            package let amount: String
            /// `0x` and what the contract is called with.
            package let data: String
            /// The account's nonce.
            package let nonce: String
            /// The gas limit.
            package let gas: String
            /// What it offers for gas, in wei.
            package let fee: String
            /// The most that it can cost, in the chain's coin.
            package let cost: String
            /// What the wallet signs.
            package let signingHash: String
        }

        /// The wallet's name.
        package let wallet: String
        /// Its account, EIP-55.
        package let owner: String
        /// The CAIP-2 network.
        package let network: String
        /// The token's family.
        package let symbol: String
        /// The token contract, EIP-55.
        package let token: String
        /// Who may move it, EIP-55.
        package let spender: String
        /// For people.
        package let balance: String
        /// For people.
        package let allowance: String
        /// For people.
        package let amount: String
        /// Atomic units.
        package let balanceUnits: String
        /// Atomic units.
        package let allowanceUnits: String
        /// Atomic units.
        package let amountUnits: String
        /// What the account has of the chain's coin.
        package let coins: String
        /// What one transaction may cost at most, in the chain's coin.
        package let costLimit: String
        /// Whether the account can pay for it.
        package let isAffordable: Bool
        /// How many transactions of the account are in blocks.
        package let mined: String
        /// How many more are on their way, for which the plan's would wait.
        package let gap: UInt64
        /// The transactions.
        package let steps: [Step]

        init(_ plan: ApprovalPlan) {
            let order = plan.order
            wallet = order.wallet
            owner = plan.owner.checksummed
            network = order.network
            symbol = order.token.symbol
            token = order.token.addressText
            spender = order.spender.checksummed
            balance = order.text(of: plan.standing.balance)
            allowance = order.text(of: plan.standing.allowance)
            amount = order.text(of: order.amount)
            balanceUnits = plan.standing.balance.description
            allowanceUnits = plan.standing.allowance.description
            amountUnits = order.amount.description
            coins = ApprovalOrder.coins(plan.coins)
            costLimit = ApprovalOrder.coins(order.costLimit)
            isAffordable = plan.isAffordable
            mined = "\(plan.next.mined)"
            gap = plan.next.gap
            steps = plan.steps.map { step in
                let transaction = step.transaction
                let fee =
                    switch transaction.fee {
                    case .dynamic(let maximum, let priority): "at most \(maximum) wei, priority \(priority) wei"
                    case .legacy(let price): "\(price) wei"
                    }
                return Step(
                    amount: order.text(of: step.amount), data: Hex.prefixed(transaction.data),
                    nonce: "\(transaction.nonce)", gas: "\(transaction.gasLimit)", fee: fee,
                    cost: ApprovalOrder.coins(step.cost), signingHash: "\(transaction.signingHash)")
            }
        }
    }
}
