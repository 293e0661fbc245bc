package import Primitives

/// An EIP-2612 permit: an allowance that anyone may set on the owner's behalf until its deadline.
package struct EIP2612Permit: Hashable, Sendable {
    /// The holder of the tokens, who signs.
    package let owner: Address
    /// Who may take the tokens afterwards.
    package let spender: Address
    /// The allowance in atomic units, which replaces the one before it.
    package let value: UInt256
    /// The token's own count of the owner's permits, `nonces(owner)`.
    package let nonce: UInt256
    /// The chain time up to which it may be submitted, Unix seconds, inclusive.
    package let deadline: UInt64

    /// The hash of the message's type string (EIP-2612, `PERMIT_TYPEHASH`).
    package static let typeHash = Keccak256.hash(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")

    /// Makes a permit.
    package init(owner: Address, spender: Address, value: UInt256, nonce: UInt256, deadline: UInt64) {
        self.owner = owner
        self.spender = spender
        self.value = value
        self.nonce = nonce
        self.deadline = deadline
    }

    /// `hashStruct` of EIP-712.
    package var structHash: Bytes32 {
        Keccak256.hash(
            words: Self.typeHash, owner.word, spender.word, value.bigEndianBytes, nonce.bigEndianBytes,
            UInt256(deadline).bigEndianBytes)
    }

    /// The digest to sign for a token's domain.
    package func digest(domainSeparator: Bytes32) -> Bytes32 {
        EIP712Domain.digest(separator: domainSeparator, structHash: structHash)
    }
}
