package import Ethereum
package import Primitives

/// Scheme `exact` by EIP-3009: the token itself checks the signature, and anyone may submit it.
///
/// Source: x402 scheme `exact` on EVM, transfer method `eip3009` (the default).
package struct ExactEIP3009: PaymentMethod {
    package let name = "exact-eip3009"
    package let scheme = "exact"
    package let keeper = NonceKeeper.token

    /// Makes the method.
    package init() {}

    package func claims(_ entry: PaymentRequirement) -> Bool {
        entry.extra.assetTransferMethod ?? "eip3009" == "eip3009"
    }

    package func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms {
        guard token.transfer == .eip3009, token.domain != nil else { throw .transferMethod }
        return .none
    }

    package func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)? {
        guard let separator = order.token.domainSeparator else { return nil }
        let transfer = TransferWithAuthorization(
            from: order.payer, to: order.payTo, value: order.amount, validAfter: UInt64(max(0, order.validAfter)),
            validBefore: UInt64(max(0, order.validBefore)), nonce: order.nonce)
        return ExactAuthorization(transfer: transfer, domainSeparator: separator)
    }
}

/// An EIP-3009 transfer in one token's domain.
package struct ExactAuthorization: PaymentAuthorization, Equatable {
    /// The transfer.
    package let transfer: TransferWithAuthorization
    /// The token's EIP-712 domain separator.
    package let domainSeparator: Bytes32

    /// Makes an authorization.
    package init(transfer: TransferWithAuthorization, domainSeparator: Bytes32) {
        self.transfer = transfer
        self.domainSeparator = domainSeparator
    }

    package var digest: Bytes32 { transfer.digest(domainSeparator: domainSeparator) }

    /// All numbers as decimal strings, addresses in EIP-55, signature with v 27 or 28.
    package func payload(signature: Signature) -> [UInt8] {
        var text = JSONText()
        text.object { payload in
            payload.field("signature", signature.hex)
            payload.object("authorization") { authorization in
                authorization.field("from", transfer.from.checksummed)
                authorization.field("to", transfer.to.checksummed)
                authorization.field("value", transfer.value.description)
                authorization.field("validAfter", String(transfer.validAfter))
                authorization.field("validBefore", String(transfer.validBefore))
                authorization.field("nonce", transfer.nonce.description)
            }
        }
        return text.bytes
    }
}
