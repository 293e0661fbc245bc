import Ethereum
package import Primitives

extension ProofVerifier {
    /// The entry of a challenge that an offer should be about.
    package struct Price: Sendable, Equatable {
        /// The scheme.
        package let scheme: String
        /// The network in CAIP-2, also for sellers of version 1.
        package let network: String
        /// The token contract.
        package let asset: String
        /// The payee.
        package let payTo: String
        /// The price in atomic units.
        package let amount: UInt256

        /// Makes a price.
        package init(scheme: String, network: String, asset: String, payTo: String, amount: UInt256) {
            self.scheme = scheme
            self.network = network
            self.asset = asset
            self.payTo = payTo
            self.amount = amount
        }

        /// The first member of an offer that differs; accounts on EVM are compared as accounts.
        fileprivate func difference(from offer: X402Offer) -> String? {
            if !offer.scheme.isSameText(as: scheme) { return "scheme" }
            if !offer.network.isSameText(as: network) { return "network" }
            if !offer.asset.isSameAccount(as: asset) { return "asset" }
            if !offer.payTo.isSameAccount(as: payTo) { return "payTo" }
            return (try? UInt256(decimal: offer.amount)) == amount ? nil : "amount"
        }
    }

    private static let offersOutline = JSONOutline.members([("info", .members([("offers", .whole)]))])

    /// The best finding about the offers for a price; nil when the challenge has none.
    ///
    /// `resource` is the requested address, whose host may vouch by `did:web`. Offers are chosen by their members and
    /// not by their index, before any signature is verified.
    package func offer(
        in extensions: [Challenge.Extension], for price: Price, resource: String, at now: Timestamp
    ) -> ProofFinding? {
        guard let entry = extensions.first(where: { $0.key == OfferExtension.key }) else { return nil }
        guard let root = try? JSONReader.read(entry.raw, outline: Self.offersOutline) else {
            return ProofFinding(.unreadable("offers"), text: nil)
        }
        guard let list = root["info"]?["offers"] else { return nil }
        guard let offers = list.elements else { return ProofFinding(.unreadable("offers"), text: nil) }
        let authority = Authority(payTo: price.payTo, resource: resource)
        var best: ProofFinding?
        var signatures = 0
        for element in offers.prefix(Self.maximumOffers) where signatures < Self.maximumSignatures {
            let finding: ProofFinding
            do throws(ProofProblem) {
                let statement = try SellerStatement(element, in: entry.raw)
                let offer = try X402Offer(statement)
                if let member = price.difference(from: offer) {
                    finding = ProofFinding(.mismatch(member), text: statement.text)
                } else {
                    signatures += 1
                    var verdict = judge(statement, digest: offer.digest, authority: authority, at: now)
                    if offer.validUntil != 0, Int64(clamping: offer.validUntil) <= now.seconds, verdict.isFavourable {
                        verdict = .expired
                    }
                    finding = ProofFinding(verdict, text: statement.text)
                }
            } catch {
                finding = ProofFinding(.unreadable(error.part), text: nil)
            }
            if case .verified = finding.verdict { return finding }
            if finding.verdict.weight > best?.verdict.weight ?? -1 { best = finding }
        }
        return best
    }
}

extension ProofVerdict {
    /// Which of several verdicts tells the most.
    fileprivate var weight: Int {
        switch self {
        case .verified: 6
        case .needsDocument: 5
        case .expired: 4
        case .unauthorizedSigner: 3
        case .badSignature: 2
        case .mismatch: 1
        case .unreadable: 0
        }
    }
}
