package import Primitives

/// What a seller signs about one price: the typed data `Offer` of x402's extension `offer-receipt`.
///
/// Addresses are texts in it, so their case is part of what is signed.
package struct X402Offer: Hashable, Sendable {
    /// The statement's version, 1.
    package var version: UInt64
    /// What is for sale.
    package var resourceURL: String
    /// The payment scheme.
    package var scheme: String
    /// The network in CAIP-2.
    package var network: String
    /// The token contract.
    package var asset: String
    /// The payee.
    package var payTo: String
    /// The price in atomic units.
    package var amount: String
    /// Unix seconds; 0 when the offer has no end.
    package var validUntil: UInt64

    /// The domain, whose chain is 1 whatever the network is.
    package static let domain = ContractlessDomain(name: "x402 offer", version: "1", chainID: 1)

    /// The hash of the message's type string.
    package static let typeHash = Keccak256.hash(
        "Offer(uint256 version,string resourceUrl,string scheme,string network,string asset,string payTo,string amount,"
            + "uint256 validUntil)")

    /// Makes an offer.
    package init(
        version: UInt64, resourceURL: String, scheme: String, network: String, asset: String, payTo: String,
        amount: String, validUntil: UInt64
    ) {
        self.version = version
        self.resourceURL = resourceURL
        self.scheme = scheme
        self.network = network
        self.asset = asset
        self.payTo = payTo
        self.amount = amount
        self.validUntil = validUntil
    }

    /// `hashStruct` of EIP-712.
    package var structHash: Bytes32 {
        Keccak256.hash(
            words: Self.typeHash, UInt256(version).bigEndianBytes, Keccak256.hash(resourceURL),
            Keccak256.hash(scheme), Keccak256.hash(network), Keccak256.hash(asset), Keccak256.hash(payTo),
            Keccak256.hash(amount), UInt256(validUntil).bigEndianBytes)
    }

    /// The digest that the seller signs.
    package var digest: Bytes32 {
        EIP712Domain.digest(separator: Self.domain.separator, structHash: structHash)
    }
}
