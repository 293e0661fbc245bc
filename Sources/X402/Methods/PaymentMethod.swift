package import Ethereum
package import Primitives

/// One way of paying over x402: everything about it that no other way shares, in one file.
///
/// A new scheme, or another way of moving a token within one, is one more type that conforms and one more line in
/// ``PaymentMethods/standard``. Parsing, the gate, the books and the signer know methods by this protocol only.
package protocol PaymentMethod: Sendable {
    /// The name in books and policies, 1 to 40 characters of `a`–`z`, digits and hyphens; never given to another method.
    var name: String { get }

    /// The scheme whose entries it looks at, `exact`.
    var scheme: String { get }

    /// Who keeps its nonces on the chain; Permit2 also moves the token, within an allowance that the payer gave it.
    var keeper: NonceKeeper { get }

    /// Whether an entry of the scheme asks for this method, by its own words alone.
    func claims(_ entry: PaymentRequirement) -> Bool

    /// Checks whatever only this method asks of an entry, and tells what the seller fixes of what the payer usually
    /// chooses.
    func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms

    /// What is signed for an order; nil when what the seller added lacks what the method needs.
    ///
    /// The same order always gives the same bytes.
    func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)?
}

/// Something to sign, and what the header carries once it is.
package protocol PaymentAuthorization: Sendable {
    /// What the payer signs.
    var digest: Bytes32 { get }
    /// The `payload` object of the header.
    func payload(signature: Signature) -> [UInt8]
}

/// What an operator allows a gateway beyond the standard, as far as methods ask for it.
package struct MethodRules: Sendable, Equatable {
    /// The version of x402 in which the seller must be answered, 1 or 2.
    package var version: Int
    /// Vendors' variants that are switched on.
    package var profiles: Set<VendorProfile>
    /// Permit2 spenders besides the x402 proxies that a vendor's variant may name.
    package var spenders: Set<Address>

    /// Makes rules; without arguments, those of a gateway about which nothing is configured.
    package init(version: Int = 2, profiles: Set<VendorProfile> = [], spenders: Set<Address> = []) {
        self.version = version
        self.profiles = profiles
        self.spenders = spenders
    }
}

/// A vendor's variant of a scheme, off unless a gateway's configuration switches it on.
///
/// Raw values are the configuration's words.
package enum VendorProfile: String, Sendable, CaseIterable {
    /// Gate's fork: the seller names the Permit2 spender and may dictate nonce and window.
    case gate
    /// Binance's B402, as Dexter and others serve it on BNB Chain: the seller names the Permit2 spender.
    case binance
}

/// What a seller fixes of an authorization; nil where the payer chooses.
package struct DictatedTerms: Sendable, Equatable {
    /// The nonce.
    package var nonce: Bytes32?
    /// The last second before the window, as ``PaymentOrder/validAfter``.
    package var validAfter: Int64?
    /// The first second after the window, as ``PaymentOrder/validBefore``.
    package var validBefore: Int64?

    /// The payer chooses everything.
    package static let none = DictatedTerms()

    /// Makes terms.
    package init(nonce: Bytes32? = nil, validAfter: Int64? = nil, validBefore: Int64? = nil) {
        self.nonce = nonce
        self.validAfter = validAfter
        self.validBefore = validBefore
    }
}

/// Every value of one payment, fixed: what a method signs for.
package struct PaymentOrder: Sendable, Equatable {
    /// What the seller's entry adds, for methods that sign for it.
    package let extra: PaymentRequirement.Extra
    /// The pinned token.
    package let token: Asset
    /// Who pays and signs.
    package let payer: Address
    /// Who is paid.
    package let payTo: Address
    /// The payee in EIP-55, worked out once.
    package let payToText: String
    /// Atomic units; the most that can move, for schemes that settle less.
    package let amount: UInt256
    /// Chain time must be later than this, Unix seconds.
    package let validAfter: Int64
    /// Chain time must be earlier than this, Unix seconds.
    package let validBefore: Int64
    /// Unique for payer and contract.
    package let nonce: Bytes32

    /// Makes an order.
    package init(
        extra: PaymentRequirement.Extra, token: Asset, payer: Address, payTo: Address, amount: UInt256,
        validAfter: Int64, validBefore: Int64, nonce: Bytes32
    ) {
        self.extra = extra
        self.token = token
        self.payer = payer
        self.payTo = payTo
        payToText = payTo.checksummed
        self.amount = amount
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.nonce = nonce
    }
}
