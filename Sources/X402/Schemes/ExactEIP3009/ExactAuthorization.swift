package import Ethereum
package import Primitives

/// The values of an `exact` payment by EIP-3009, ready to be signed and written.
///
/// Source: x402 scheme `exact` on EVM; EIP-3009 `transferWithAuthorization`.
package struct ExactAuthorization: Sendable, Equatable {
    /// The payer.
    package let from: Address
    /// The payee.
    package let to: Address
    /// The amount in atomic units.
    package let value: UInt256
    /// The chain time after which it is valid, Unix seconds, exclusive.
    package let validAfter: Int64
    /// The chain time before which it is valid, Unix seconds, exclusive.
    package let validBefore: Int64
    /// 32 random bytes, unique for payer and token.
    package let nonce: Bytes32

    /// Makes an authorization.
    package init(from: Address, to: Address, value: UInt256, validAfter: Int64, validBefore: Int64, nonce: Bytes32) {
        self.from = from
        self.to = to
        self.value = value
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.nonce = nonce
    }

    /// The EIP-712 digest under a token's domain separator.
    package func digest(domainSeparator: Bytes32) -> Bytes32 {
        TransferWithAuthorization(
            from: from, to: to, value: value, validAfter: UInt64(max(0, validAfter)),
            validBefore: UInt64(max(0, validBefore)), nonce: nonce
        ).digest(domainSeparator: domainSeparator)
    }

    /// The scheme's `payload` object: all numbers as decimal strings, addresses in EIP-55, signature with v 27 or 28.
    package func payload(signature: Signature) -> [UInt8] {
        var text = JSONText()
        text.object { payload in
            payload.field("signature", signature.hex)
            payload.object("authorization") { authorization in
                authorization.field("from", from.checksummed)
                authorization.field("to", to.checksummed)
                authorization.field("value", value.description)
                authorization.field("validAfter", String(validAfter))
                authorization.field("validBefore", String(validBefore))
                authorization.field("nonce", nonce.description)
            }
        }
        return text.bytes
    }
}
