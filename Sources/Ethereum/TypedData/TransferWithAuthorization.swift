package import Primitives

/// An EIP-3009 transfer that anyone may submit on the payer's behalf inside its time window.
package struct TransferWithAuthorization: Hashable, Sendable {
    /// The payer, who signs.
    package let from: Address
    /// The payee.
    package let to: Address
    /// Atomic units of the token.
    package let value: UInt256
    /// Seconds since the epoch; the chain's time must be later.
    package let validAfter: UInt64
    /// Seconds since the epoch; the chain's time must be earlier.
    package let validBefore: UInt64
    /// Unique per payer and token; a used nonce cannot settle again.
    package let nonce: Bytes32

    /// The hash of the message's type string (EIP-3009, `TRANSFER_WITH_AUTHORIZATION_TYPEHASH`).
    package static let typeHash = Keccak256.hash(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
            + "bytes32 nonce)")

    /// Makes a transfer.
    package init(
        from: Address, to: Address, value: UInt256, validAfter: UInt64, validBefore: UInt64, nonce: Bytes32
    ) {
        self.from = from
        self.to = to
        self.value = value
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.nonce = nonce
    }

    /// `hashStruct` of EIP-712.
    package var structHash: Bytes32 {
        Keccak256.hash(
            words: Self.typeHash, from.word, to.word, value.bigEndianBytes, UInt256(validAfter).bigEndianBytes,
            UInt256(validBefore).bigEndianBytes, nonce)
    }

    /// The digest to sign for a token's domain.
    package func digest(domainSeparator: Bytes32) -> Bytes32 {
        EIP712Domain.digest(separator: domainSeparator, structHash: structHash)
    }
}
