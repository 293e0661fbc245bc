package import Primitives

/// The domain of a token that signs with name, version, chain and contract, or with a salt in the chain's place
/// (EIP-712, the two four-member forms).
package struct EIP712Domain: Hashable, Sendable {
    /// The token's signing name, hashed byte by byte: `USD₮0` is not `USDT0`.
    package let name: String
    /// The token's signing version, such as `1`.
    package let version: String
    /// The chain's number, behind `eip155:`.
    package let chainID: UInt64
    /// The token contract.
    package let verifyingContract: Address
    /// What stands for the chain in older tokens of Polygon; nil in all others.
    package let salt: Bytes32?

    /// The hash of the domain's type string.
    package static let typeHash = Keccak256.hash(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")

    /// The hash of the type string with a salt.
    package static let saltedTypeHash = Keccak256.hash(
        "EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)")

    /// Makes a domain.
    package init(name: String, version: String, chainID: UInt64, verifyingContract: Address, salt: Bytes32? = nil) {
        self.name = name
        self.version = version
        self.chainID = chainID
        self.verifyingContract = verifyingContract
        self.salt = salt
    }

    /// What the token's `DOMAIN_SEPARATOR()` returns when the members are right.
    package var separator: Bytes32 {
        if let salt {
            return Keccak256.hash(
                words: Self.saltedTypeHash, Keccak256.hash(name), Keccak256.hash(version), verifyingContract.word, salt)
        }
        return Keccak256.hash(
            words: Self.typeHash, Keccak256.hash(name), Keccak256.hash(version),
            UInt256(chainID).bigEndianBytes, verifyingContract.word)
    }

    /// What is signed: `keccak256(0x19 0x01 ‖ separator ‖ structHash)`, EIP-712 "Specification of the eth_signTypedData".
    package static func digest(separator: Bytes32, structHash: Bytes32) -> Bytes32 {
        var hasher = Keccak256()
        hasher.absorb([0x19, 0x01])
        hasher.absorb(separator)
        hasher.absorb(structHash)
        return hasher.finish()
    }
}
