package import Primitives

/// A wallet's account in one token: what has too little or enough.
package struct Purse: Sendable, Hashable {
    /// The network, CAIP-2.
    package let network: String
    /// The token contract, EIP-55.
    package let asset: String
    /// The account, EIP-55.
    package let payer: String

    /// Makes a purse from its parts.
    package init(network: String, asset: String, payer: String) {
        self.network = network
        self.asset = asset
        self.payer = payer
    }

    /// What a payment is made from.
    package init(_ terms: PaymentIntent.Terms) {
        self.init(network: terms.network, asset: terms.asset, payer: terms.payer)
    }
}

/// What is learnt about a wallet's funds after a seller said that they are too small.
package enum FundsDoubt: Sendable, Equatable {
    /// The seller's host says so, and no chain can be asked.
    case claim(host: String)
    /// What a chain shows that the wallet has, in atomic units.
    case balance(UInt256)
}
