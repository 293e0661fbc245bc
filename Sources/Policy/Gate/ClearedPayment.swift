package import Ethereum
package import Primitives
package import X402

/// A payment that passed the gate, with every byte of what would be signed: the only thing the engine can pay.
///
/// The initialiser is private to this module, and every field is fixed here, so what is signed is what was vetted.
package struct ClearedPayment: Sendable {
    /// The seller's entry, whole, as it is echoed.
    package let entry: PaymentRequirement
    /// Every value that is signed.
    package let order: PaymentOrder
    /// The payment method's name.
    package let method: String
    /// Who keeps the payment's nonce on the chain; Permit2 also needs the wallet's allowance.
    package let keeper: NonceKeeper
    /// What the amount counts for in caps, rounded up.
    package let value: Dollars
    /// What an operator should hear of it.
    package let alerts: [GateAlert]
    private let authorization: any PaymentAuthorization

    init(
        entry: PaymentRequirement, order: PaymentOrder, method: any PaymentMethod, value: Dollars, alerts: [GateAlert],
        authorization: any PaymentAuthorization
    ) {
        self.entry = entry
        self.order = order
        self.method = method.name
        keeper = method.keeper
        self.value = value
        self.alerts = alerts
        self.authorization = authorization
    }

    /// The token as the books name it, `network/address`.
    package var assetName: String { order.token.name }

    /// What the wallet signs.
    package var signable: Signable { Signable(digest: authorization.digest) }

    /// The header's `payload` object.
    ///
    /// With the signature it is money: never log it.
    package func payload(signature: Signature) -> [UInt8] { authorization.payload(signature: signature) }

    /// The length of ``payload(signature:)`` in bytes, which is known before anything is signed.
    package var payloadBytes: Int { authorization.payload(signature: .blank).count }
}
