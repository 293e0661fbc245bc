package import Primitives

/// A wallet that has too little of a token, so that no such payment is signed but one a minute for each agent.
package struct WalletPause: Sendable, Equatable {
    /// The wallet's name in the configuration.
    package let wallet: String
    /// Its address, EIP-55.
    package let account: String
    /// The network, CAIP-2.
    package let network: String
    /// The token's symbol.
    package let symbol: String
    /// When the agent may try one.
    package let until: Timestamp

    /// Makes a pause.
    package init(wallet: String, account: String, network: String, symbol: String, until: Timestamp) {
        self.wallet = wallet
        self.account = account
        self.network = network
        self.symbol = symbol
        self.until = until
    }
}
