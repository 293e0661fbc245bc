package import Ledger
package import Primitives

/// A wallet that has too little of a token, so that its payments in it are paused, as `status` shows it.
package struct PausedWallet: Sendable, Equatable {
    /// The wallet's name in the configuration.
    package let wallet: String
    /// Which account, token and network.
    package let purse: Purse
    /// The token's symbol.
    package let symbol: String
    /// Since when.
    package let since: Timestamp
    /// From when on each agent may try one payment a minute.
    package let nextProbe: Timestamp
    /// What a chain shows that the wallet has, as decimal text in the token; nil where sellers said that it is too little.
    package let balance: String?
    /// The smallest payment that is paused because sellers refused it, as decimal text in the token; nil where a chain was
    /// asked.
    package let refused: String?
    /// The sellers' hosts that said so, sorted; empty where a chain was asked.
    package let hosts: [String]

    /// All pauses, by wallet and token.
    package static func list(_ wallets: UnfundedWallets) -> [PausedWallet] {
        let found = wallets.standings.compactMap { purse, standing -> PausedWallet? in
            guard let pause = standing.pause else { return nil }
            return PausedWallet(
                wallet: standing.wallet, purse: purse, symbol: standing.symbol, since: pause.since,
                nextProbe: pause.nextTry,
                balance: standing.balance.map { TokenAmount.decimalText(of: $0, decimals: standing.decimals) },
                refused: standing.balance == nil
                    ? standing.refusedByEnough.map { TokenAmount.decimalText(of: $0, decimals: standing.decimals) }
                    : nil,
                hosts: standing.claims.keys.sorted())
        }
        return found.sorted {
            ($0.wallet, $0.purse.network, $0.purse.asset, $0.purse.payer)
                < ($1.wallet, $1.purse.network, $1.purse.asset, $1.purse.payer)
        }
    }

    /// `chain` or `sellers`: who showed that there is too little.
    package var cause: String { balance == nil ? "sellers" : "chain" }

    /// What ends the pause.
    package var end: String {
        balance == nil
            ? "the first such payment that a seller accepts ends it"
            : "the first larger payment that a seller accepts, or a chain reading that shows enough, ends it"
    }

    /// The pause in words: what is paused, since when, why, and what ends it.
    package var words: String {
        let (what, why) =
            if let balance {
                ("payments above \(balance) \(symbol)", "the chain shows \(balance) \(symbol)")
            } else {
                (
                    "payments of \(refused ?? "0") \(symbol) and more",
                    "\(hosts.joined(separator: " and ")) say that it has too little"
                )
            }
        return "\(what) of wallet \(wallet) (\(purse.payer)) on \(purse.network) since \(since): \(why); "
            + "each agent may try one a minute from \(nextProbe), and \(end)"
    }
}
