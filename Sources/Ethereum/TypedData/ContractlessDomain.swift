package import Primitives

/// A domain of statements that no contract will ever read: name, version and chain only (EIP-712).
package struct ContractlessDomain: Hashable, Sendable {
    /// The name of the kind of statement.
    package let name: String
    /// The version of the kind of statement.
    package let version: String
    /// A chain's number, which is part of the hash and of no other meaning.
    package let chainID: UInt64

    /// The hash of the domain's type string.
    package static let typeHash = Keccak256.hash("EIP712Domain(string name,string version,uint256 chainId)")

    /// Makes a domain.
    package init(name: String, version: String, chainID: UInt64) {
        self.name = name
        self.version = version
        self.chainID = chainID
    }

    /// The domain's hash.
    package var separator: Bytes32 {
        Keccak256.hash(
            words: Self.typeHash, Keccak256.hash(name), Keccak256.hash(version), UInt256(chainID).bigEndianBytes)
    }
}
