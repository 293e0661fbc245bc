package import Ethereum
package import X402

/// One line of a wallet's `pay:` list: `network/symbol` or `network/address`.
package struct PayRule: Sendable, Hashable, CustomStringConvertible {
    /// What names the token.
    package enum Token: Sendable, Hashable {
        /// By family or by the contract's own symbol, exact text.
        case symbol(String)
        /// By contract.
        case address(Address)
    }

    /// The CAIP-2 network.
    package let network: String
    /// The token on it.
    package let token: Token

    /// Reads a rule; nil when it has not the form `eip155:N/…`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, Asset.chainID(of: String(parts[0])) != nil else { return nil }
        network = String(parts[0])
        if parts[1].hasPrefix("0x") {
            guard let address = Address(hex: parts[1]) else { return nil }
            token = .address(address)
        } else {
            token = .symbol(String(parts[1]))
        }
    }

    /// Whether the rule names this token.
    package func matches(_ asset: Asset) -> Bool {
        guard asset.network == network else { return false }
        return switch token {
        case .symbol(let symbol): asset.symbol == symbol || asset.tokenSymbol == symbol
        case .address(let address): asset.address == address
        }
    }

    /// The rule as an operator writes it.
    package var description: String {
        switch token {
        case .symbol(let symbol): "\(network)/\(symbol)"
        case .address(let address): "\(network)/\(address.checksummed)"
        }
    }
}
