package import Ethereum
package import Primitives
package import X402

/// A requirement that passed every stateless check: the only thing the engine can sign.
///
/// The initialiser is private to this module, and every field is fixed here, so what is signed is what was vetted.
package struct VettedPayment: Sendable, Equatable {
    /// The seller's entry, whole.
    package let requirement: PaymentRequirement
    /// The pinned token.
    package let asset: Asset
    /// The EIP-712 domain separator of the pinned token.
    package let domainSeparator: Bytes32
    /// The payer.
    package let payer: Address
    /// The payee.
    package let payTo: Address
    /// What the amount counts for in caps, rounded up.
    package let value: Dollars
    /// The start of the signed window, Unix seconds.
    package let validAfter: Int64
    /// The end of the signed window, Unix seconds.
    package let validBefore: Int64

    init(
        requirement: PaymentRequirement, asset: Asset, domainSeparator: Bytes32, payer: Address, payTo: Address,
        value: Dollars, validAfter: Int64, validBefore: Int64
    ) {
        self.requirement = requirement
        self.asset = asset
        self.domainSeparator = domainSeparator
        self.payer = payer
        self.payTo = payTo
        self.value = value
        self.validAfter = validAfter
        self.validBefore = validBefore
    }

    /// The authorization to sign, complete but for its nonce.
    package func authorization(nonce: Bytes32) -> ExactAuthorization {
        ExactAuthorization(
            from: payer, to: payTo, value: requirement.amount, validAfter: validAfter, validBefore: validBefore,
            nonce: nonce)
    }
}
