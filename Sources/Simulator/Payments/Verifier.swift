import Ethereum
import Policy
import Primitives
import X402

/// A payment whose signature is the payer's and which answers an offer to the unit.
struct VerifiedPayment: Sendable, Equatable {
    /// The offer it answers.
    let offer: Offer
    /// What was signed.
    let transfer: SignedTransfer
    /// The digest under the token's pinned domain, or under Permit2's on the token's chain.
    let digest: Bytes32
    /// The payer's own name for the call, when it gave one.
    let identifier: String?
}

/// The checks that need neither a clock nor a balance: form, offer, payee, value, signature.
struct Verifier: Sendable {
    private let context: Secp256k1Context

    /// Makes a verifier.
    init(context: Secp256k1Context) {
        self.context = context
    }

    /// Checks the value of a payment header against what was asked.
    func verify(_ header: some Collection<UInt8>, for quote: Quote) throws(PaymentRefusal) -> VerifiedPayment {
        let envelope = try PaymentEnvelope.read(header)
        guard envelope.version == quote.version else { throw .version }
        guard let offer = quote.offers.first(where: { Self.matches(envelope, $0) }) else {
            throw .noMatchingRequirements
        }
        let identifier = try Self.identifier(envelope.extensions)
        let transfer = envelope.transfer
        try transfer.check(against: offer)
        guard let digest = transfer.digest(in: offer.asset) else { throw .noMatchingRequirements }
        guard context.recover(digest: digest, signature: envelope.signature) == transfer.payer else { throw .signature }
        return VerifiedPayment(offer: offer, transfer: transfer, digest: digest, identifier: identifier)
    }

    /// Version 2 echoes the whole entry, and every value of it has to be the offered one.
    private static func matches(_ envelope: PaymentEnvelope, _ offer: Offer) -> Bool {
        switch envelope.version {
        case .one:
            return envelope.scheme == offer.method.scheme && envelope.network == offer.network
        case .two:
            guard let accepted = envelope.accepted, let entry = try? JSONReader.read(offer.entry) else { return false }
            return accepted.means(entry)
        }
    }

    /// Echoed extensions keep all that was offered; the one that is known may add an identifier.
    private static func identifier(_ extensions: [JSONMember]) throws(PaymentRefusal) -> String? {
        guard let echo = extensions.first(where: { $0.key == Quote.identifierExtension })?.value else { return nil }
        guard let offered = try? JSONReader.read(Quote.identifierEntry), let info = offered["info"],
            echo["info"]?.contains(info) ?? false
        else { throw .extensionEcho }
        guard let id = echo["info"]?["id"] else { return nil }
        guard let text = id.string, (16...128).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-".contains(Character($0)))
            })
        else { throw .malformed }
        return text
    }
}
