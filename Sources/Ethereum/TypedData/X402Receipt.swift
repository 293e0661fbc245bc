package import Primitives

/// What a seller signs about one purchase: the typed data `Receipt` of x402's extension `offer-receipt`.
package struct X402Receipt: Hashable, Sendable {
    /// The statement's version, 1.
    package var version: UInt64
    /// The network in CAIP-2.
    package var network: String
    /// What was bought.
    package var resourceURL: String
    /// Who paid.
    package var payer: String
    /// Unix seconds.
    package var issuedAt: UInt64
    /// The transaction; empty when the seller does not name one.
    package var transaction: String

    /// The domain, whose chain is 1 whatever the network is.
    package static let domain = ContractlessDomain(name: "x402 receipt", version: "1", chainID: 1)

    /// The hash of the message's type string.
    package static let typeHash = Keccak256.hash(
        "Receipt(uint256 version,string network,string resourceUrl,string payer,uint256 issuedAt,string transaction)")

    /// Makes a receipt.
    package init(
        version: UInt64, network: String, resourceURL: String, payer: String, issuedAt: UInt64, transaction: String
    ) {
        self.version = version
        self.network = network
        self.resourceURL = resourceURL
        self.payer = payer
        self.issuedAt = issuedAt
        self.transaction = transaction
    }

    /// `hashStruct` of EIP-712.
    package var structHash: Bytes32 {
        Keccak256.hash(
            words: Self.typeHash, UInt256(version).bigEndianBytes, Keccak256.hash(network),
            Keccak256.hash(resourceURL), Keccak256.hash(payer), UInt256(issuedAt).bigEndianBytes,
            Keccak256.hash(transaction))
    }

    /// The digest that the seller signs.
    package var digest: Bytes32 {
        EIP712Domain.digest(separator: Self.domain.separator, structHash: structHash)
    }
}
