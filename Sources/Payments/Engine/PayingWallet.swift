import Ethereum
package import Policy
package import Wallets

/// An unlocked wallet and what it may pay.
package struct PayingWallet: Sendable {
    /// The wallet's name in the configuration.
    package let name: String
    /// The key, behind its one operation.
    package let signer: any Signer
    /// The wallet's `pay:` list; empty pays nothing.
    package let rules: [PayRule]
    /// The tokens for which a seller's facilitator may be given an approval of Permit2 without a limit.
    package let sponsoredApprovals: [PayRule]
    /// The signer's address in EIP-55, worked out once.
    let addressText: String

    /// Makes a wallet.
    package init(name: String, signer: any Signer, rules: [PayRule], sponsoredApprovals: [PayRule] = []) {
        self.name = name
        self.signer = signer
        self.rules = rules
        self.sponsoredApprovals = sponsoredApprovals
        addressText = signer.address.checksummed
    }
}

/// The wallets of the configuration.
package struct PayingWallets: Sendable {
    private let byName: [String: PayingWallet]

    /// Makes the set; names are unique.
    package init(_ wallets: [PayingWallet]) {
        byName = Dictionary(wallets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The wallet of that name, or the only one when no name is given; nil when that leaves a choice or nothing.
    package func wallet(named name: String?) -> PayingWallet? {
        guard let name else { return byName.count == 1 ? byName.values.first : nil }
        return byName[name]
    }

    /// All names, sorted.
    package var names: [String] { byName.keys.sorted() }
}
