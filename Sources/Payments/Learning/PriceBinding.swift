import Ethereum
import Ledger
import Policy
package import Primitives
import Wallets

/// Which seller a gateway's entry leads to: where its connections go, and as whom.
package struct SellerSite: Sendable, Hashable {
    /// Scheme, host and port.
    package let origin: String
    /// What the gateway's URL has after the origin.
    package let basePath: String
    /// SHA-256 of the gateway's own key; nil where it has none.
    package let credential: Bytes32?

    /// Makes a site.
    package init(origin: String, basePath: String, credential: Bytes32? = nil) {
        self.origin = origin
        self.basePath = basePath
        self.credential = credential
    }
}

/// The part of a gateway's entry that a learned price depends on.
package struct GatewayTerms: Sendable, Equatable {
    /// Which seller it leads to.
    package let site: SellerSite
    /// What it says about paying.
    package let policy: GatewayPolicy

    /// Makes terms.
    package init(site: SellerSite, policy: GatewayPolicy) {
        self.site = site
        self.policy = policy
    }
}

/// Everything that was in force when a price was paid, and has to be in force still when it is paid without being asked.
///
/// A gateway's name is not a seller: after a reload it may lead elsewhere, or by other rules.
struct PriceBinding: Sendable, Equatable {
    /// The gateway's entry.
    let gateway: GatewayTerms
    /// SHA-256 of the policy that approved it.
    let policy: Bytes32?
    /// When the agent was added: another agent of the same name has learned nothing.
    let agentSince: Timestamp
    /// The wallet's name.
    let wallet: String
    /// The wallet's account.
    let payer: Address
    /// The wallet's `pay` list.
    let payRules: [PayRule]

    /// What is in force for a request now.
    init(_ request: PaymentRequest, from wallet: PayingWallet, under policy: Bytes32?) {
        gateway = request.terms
        self.policy = policy
        agentSince = request.agent.addedAt
        self.wallet = wallet.name
        payer = wallet.signer.address
        payRules = wallet.rules
    }
}
