import Ethereum
import Primitives
import SystemCrypto
import TestSupport
import Testing
import X402

/// A seller that signs what a test asks for.
enum SellerSigning {
    static let now = Timestamp(seconds: 1_795_305_600)
    static let resource = "https://api.example.com/v1/report?id=7"
    static let network = "eip155:8453"
    static let asset = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    static let payTo = "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"
    /// The `did:key` of the vectors' seller, on secp256k1.
    static let did = "did:key:zQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4m"

    static let offer = X402Offer(
        version: 1, resourceURL: resource, scheme: "exact", network: network, asset: asset, payTo: payTo,
        amount: "10000", validUntil: 1_795_305_660)
    static let receipt = X402Receipt(
        version: 1, network: network, resourceURL: resource, payer: "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1",
        issuedAt: 1_795_305_602, transaction: "")

    static func verifier(_ pinned: PinnedSigners = PinnedSigners()) throws -> ProofVerifier {
        try ProofVerifier(context: VectorKey.context.get(), pinned: pinned)
    }

    static func payload(_ offer: X402Offer) -> String {
        #"{"version":\#(offer.version),"resourceUrl":"\#(offer.resourceURL)","scheme":"\#(offer.scheme)","#
            + #""network":"\#(offer.network)","asset":"\#(offer.asset)","payTo":"\#(offer.payTo)","#
            + #""amount":"\#(offer.amount)","validUntil":\#(offer.validUntil)}"#
    }

    static func payload(_ receipt: X402Receipt) -> String {
        #"{"version":\#(receipt.version),"network":"\#(receipt.network)","resourceUrl":"\#(receipt.resourceURL)","#
            + #""payer":"\#(receipt.payer)","issuedAt":\#(receipt.issuedAt),"transaction":"\#(receipt.transaction)"}"#
    }

    /// An object of format `eip712`.
    static func typed(_ payload: String, digest: Bytes32, by key: VectorKey = .seller) throws -> String {
        try #"{"format":"eip712","payload":\#(payload),"signature":"\#(key.sign(digest).hex)"}"#
    }

    static func typed(_ offer: X402Offer, by key: VectorKey = .seller) throws -> String {
        try typed(payload(offer), digest: offer.digest, by: key)
    }

    static func typed(_ receipt: X402Receipt, by key: VectorKey = .seller) throws -> String {
        try typed(payload(receipt), digest: receipt.digest, by: key)
    }

    /// An object of format `jws`, signed with ES256K by the seller whatever the header says.
    static func compact(_ payload: String, header: String? = nil) throws -> String {
        let head = header ?? #"{"alg":"ES256K","kid":"\#(did)"}"#
        let text = urlSafe(Array(head.utf8)) + "." + urlSafe(Array(payload.utf8))
        let signature = try VectorKey.seller.sign(SHA256.hash(Array(text.utf8)))
        return #"{"format":"jws","signature":"\#(text).\#(urlSafe(signature.r.bytes + signature.s.bytes))"}"#
    }

    static func urlSafe(_ bytes: [UInt8]) -> String {
        Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func finding(
        offers: [String], pinned: PinnedSigners = PinnedSigners(), price: ProofVerifier.Price = price,
        resource: String = resource, at now: Timestamp = now
    ) throws -> ProofFinding? {
        let list = offers.joined(separator: ",")
        let offered = try extensions(#"{"bazaar":{},"offer-receipt":{"info":{"offers":[\#(list)]},"schema":{}}}"#)
        return try verifier(pinned).offer(in: offered, for: price, resource: resource, at: now)
    }

    static let price = ProofVerifier.Price(
        scheme: "exact", network: network, asset: asset.lowercased(), payTo: payTo.lowercased(),
        amount: UInt256(10_000))

    static func finding(
        receipt: String, pinned: PinnedSigners = PinnedSigners(), transaction: String? = nil,
        at now: Timestamp = now
    ) throws -> ProofFinding? {
        let header = #"{"success":true,"extensions":{"offer-receipt":{"info":{"receipt":\#(receipt)}}}}"#
        let report = try #require(SettlementReport.read(header: Array(header.utf8)))
        let purchase = try ProofVerifier.Purchase(
            resource: resource, network: network, payTo: payTo.lowercased(),
            payers: [VectorKey.stranger.address, VectorKey.payer.address], transaction: transaction)
        return try verifier(pinned).receipt(in: report, for: purchase, at: now)
    }
}
