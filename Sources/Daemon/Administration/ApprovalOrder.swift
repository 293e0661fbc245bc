package import Ethereum
import Policy
package import Primitives
package import X402

/// An allowance that an operator wants a wallet to give.
package struct ApprovalOrder: Sendable, Hashable {
    /// The wallet's name.
    package let wallet: String
    /// The token.
    package let token: Asset
    /// Who may move it then.
    package let spender: Address
    /// How much, in atomic units; 2^256 - 1 lets the spender move everything, for ever.
    package let amount: UInt256
    /// The most that one transaction may cost, in wei.
    package let costLimit: UInt256

    /// How much an operator lets a spender move.
    package enum Amount: Sendable, Hashable {
        /// Decimal text such as `25.00`.
        case text(String)
        /// Everything, for ever.
        case unlimited
    }

    /// What one transaction may cost at most unless an operator says otherwise, in the chain's coin.
    package static let standardCostLimit = "0.01"
    /// Decimals of the chain's own coin, on every chain of the EVM's kind.
    package static let coinDecimals = 18

    /// Reads an order as an operator types it.
    ///
    /// `asset` is a symbol or an address on `network`, a name or an alias; without a `spender` it is Permit2. Throws
    /// ``OperatorMistake`` for what names nothing, and for a spender that the configuration does not allow.
    package init(
        wallet: String, network: String, asset: String, amount: Amount, spender: String?, costLimit: String,
        configuration: Configuration
    ) throws(OperatorMistake) {
        guard let network = configuration.assets.network(spelled: network) else {
            throw OperatorMistake("`\(network)` is no network of the asset table; write one as `eip155:56`")
        }
        let named = try TokenNames(configuration.assets).token("\(network)/\(asset)")
        guard let token = configuration.assets.asset(named: named.name)
        else { throw OperatorMistake("`\(asset)` is no token of \(network)") }
        self.token = token
        self.wallet = wallet
        switch amount {
        case .unlimited: self.amount = .max
        case .text(let text):
            guard let reading = TokenAmount.read(Substring(text), decimals: token.decimals), reading.isExact else {
                throw OperatorMistake(
                    "`\(text)` is no amount of \(token.symbol), which has \(token.decimals) decimals; write one as `25.00`"
                )
            }
            self.amount = reading.units
        }
        guard let limit = TokenAmount.read(Substring(costLimit), decimals: Self.coinDecimals), limit.isExact else {
            throw OperatorMistake("`\(costLimit)` is no amount of the chain's coin; write one as `0.01`")
        }
        self.costLimit = limit.units
        self.spender = try Self.spender(spender, on: network, configuration)
    }

    private static func spender(
        _ text: String?, on network: String, _ configuration: Configuration
    ) throws(OperatorMistake) -> Address {
        guard let text else { return Permit2.address }
        guard let address = Address(hex: text), Address.isChecksumValid(text) else {
            throw OperatorMistake("`\(text)` is no address, or has a wrong checksum (EIP-55)")
        }
        let allowed = configuration.chains.first { $0.network == network }?.spenders ?? []
        guard address == Permit2.address || allowed.contains(address) else {
            throw OperatorMistake(
                "\(address) is neither Permit2 (\(Permit2.address)) nor in `chains.\"\(network)\".spenders`")
        }
        return address
    }

    /// Whether the spender may move everything then, for ever.
    package var isUnlimited: Bool { amount == .max }

    /// An amount of the token for people.
    package func text(of units: UInt256) -> String {
        units == .max ? "unlimited" : "\(TokenAmount.decimalText(of: units, decimals: token.decimals)) \(token.symbol)"
    }

    /// An amount of wei for people, in the chain's coin.
    package static func coins(_ wei: UInt256) -> String {
        TokenAmount.decimalText(of: wei, decimals: coinDecimals)
    }
}
