package import Ethereum
import Primitives

/// Verifies what sellers sign: offers in a challenge, receipts in a settlement's report.
///
/// Source: x402 extension `offer-receipt`. Bounded: at most ``maximumOffers`` are read and ``maximumSignatures``
/// verified.
package struct ProofVerifier: Sendable {
    /// The offers of a challenge that are looked at.
    package static let maximumOffers = 64
    /// The signatures of a challenge that are verified.
    package static let maximumSignatures = 8
    /// The age in seconds beyond which a receipt is not taken.
    package static let maximumReceiptAge: Int64 = 3600
    /// How far in seconds a seller's clock may be ahead of ours.
    package static let clockTolerance: Int64 = 60

    private let context: Secp256k1Context
    private let pinned: PinnedSigners

    /// Makes a verifier; without a list only payees' own signatures count.
    package init(context: Secp256k1Context, pinned: PinnedSigners = PinnedSigners()) {
        self.context = context
        self.pinned = pinned
    }

    /// Who must have signed, besides those that are pinned.
    struct Authority {
        let payTo: Address?
        let origin: WebOrigin?

        init(payTo: String, resource: String) {
            self.payTo = Address(hex: payTo)
            self.origin = WebOrigin(url: resource)
        }
    }

    /// Judges the signature alone: verified, unauthorized, bad, or in need of a document.
    func judge(
        _ statement: SellerStatement, digest: @autoclosure () -> Bytes32, authority: Authority, at now: Timestamp
    ) -> ProofVerdict {
        switch statement.seal {
        case .typedData(let signature):
            guard let signer = context.recover(digest: digest(), signature: signature) else { return .badSignature }
            let counts = signer == authority.payTo || pinned.addresses.contains(signer)
            return counts ? .verified(by: .address(signer)) : .unauthorizedSigner(.address(signer))
        case .compact(let compact):
            return judge(compact, authority: authority, at: now)
        }
    }

    private func judge(_ compact: CompactSignature, authority: Authority, at now: Timestamp) -> ProofVerdict {
        let signer = ProofSigner.identifier(compact.signer.text)
        let isPinned = pinned.identifiers.contains { $0.isSameText(as: compact.signer.text) }
        switch compact.signer.method {
        case .document(let url, let origin):
            guard isPinned, let document = pinned.documents[compact.signer.text] else {
                return isPinned || origin == authority.origin ? .needsDocument(url: url) : .unauthorizedSigner(signer)
            }
            guard let key = compact.signer.fragment.flatMap({ document.key($0, at: now) }) else {
                return .unreadable("kid")
            }
            return check(compact, key) ?? .verified(by: signer)
        case .key(let key):
            if let fault = check(compact, key) { return fault }
            if isPinned { return .verified(by: signer) }
            // A key of secp256k1 is the payee's own when it has the payee's address.
            guard case .secp256k1(let point) = key, let address = context.address(ofPublicKey: point),
                address == authority.payTo || pinned.addresses.contains(address)
            else { return .unauthorizedSigner(signer) }
            return .verified(by: signer)
        }
    }

    /// What is wrong with a signature by this key; nil when it holds.
    private func check(_ compact: CompactSignature, _ key: SellerKey) -> ProofVerdict? {
        guard key.algorithm == compact.algorithm else { return .unreadable("alg") }
        return key.verify(signature: compact.signature, message: compact.signedText, context: context)
            ? nil : .badSignature
    }
}
