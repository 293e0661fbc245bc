package import Ethereum

/// What is to be thought of a seller's signed offer or receipt.
package enum ProofVerdict: Sendable, Equatable {
    /// Signed by someone who may, and it says what was agreed.
    case verified(by: ProofSigner)
    /// Properly signed, or at least signed by that address, but not by the payee nor by a pinned key.
    case unauthorizedSigner(ProofSigner)
    /// The signature is not that of the key it names.
    case badSignature
    /// The named member says something else than was agreed.
    case mismatch(String)
    /// The offer has ended; the receipt is older than receipts may be.
    case expired
    /// The named part cannot be read.
    case unreadable(String)
    /// It says what was agreed, but the signature was not checked: the key is in a document at this address (`did:web`),
    /// which is never fetched, and of which the operator has pinned no copy.
    case needsDocument(url: String)
}

extension ProofVerdict {
    /// Whether nothing speaks against the statement so far.
    var isFavourable: Bool {
        switch self {
        case .verified, .needsDocument: true
        default: false
        }
    }
}

/// Who signed.
package enum ProofSigner: Sendable, Hashable {
    /// The account that an EIP-712 signature recovers to.
    case address(Address)
    /// The DID of a JSON Web Signature, without a fragment.
    case identifier(String)
}

/// Whose signatures count besides the payee's own.
package struct PinnedSigners: Sendable, Equatable {
    /// Accounts.
    package var addresses: Set<Address>
    /// DIDs without fragments, compared character by character.
    package var identifiers: Set<String>
    /// The documents of `did:web` identifiers among them, by identifier; without its document nothing of one is verified.
    package var documents: [String: SellerDocument] = [:]

    /// Whether a text is a DID whose key stands in a document, without a fragment.
    package static func needsDocument(_ text: String) -> Bool {
        guard let identifier = SellerIdentifier(url: text), identifier.text == text else { return false }
        if case .document = identifier.method { return true }
        return false
    }

    /// Whether a text is a DID of a method that is understood, without a fragment: what may stand in ``identifiers``.
    package static func isIdentifier(_ text: String) -> Bool { SellerIdentifier(url: text)?.text == text }

    /// Makes a list; without arguments an empty one.
    package init(
        addresses: Set<Address> = [], identifiers: Set<String> = [], documents: [String: SellerDocument] = [:]
    ) {
        self.addresses = addresses
        self.identifiers = identifiers
        self.documents = documents
    }
}

/// A verdict, and what it is about.
package struct ProofFinding: Sendable, Equatable {
    /// The verdict.
    package let verdict: ProofVerdict
    /// The seller's signed object as received, at most 4096 bytes of JSON, to be kept as proof; nil when nothing was
    /// readable as one.
    package let text: [UInt8]?

    init(_ verdict: ProofVerdict, text: [UInt8]?) {
        self.verdict = verdict
        self.text = text
    }
}

/// The extension in which sellers sign what they offer and what they were paid for.
package enum OfferExtension {
    /// The extension's key.
    package static let key = "offer-receipt"
}
