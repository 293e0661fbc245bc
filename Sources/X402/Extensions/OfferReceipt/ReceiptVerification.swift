package import Ethereum
package import Primitives

extension ProofVerifier {
    /// The payment that a receipt should be about.
    package struct Purchase: Sendable, Equatable {
        /// The requested address.
        package let resource: String
        /// The network that was paid on, in CAIP-2.
        package let network: String
        /// The payee.
        package let payTo: String
        /// The accounts that may have paid.
        package let payers: [Address]
        /// The transaction that the settlement's report names.
        package let transaction: String?

        /// Makes a purchase.
        package init(resource: String, network: String, payTo: String, payers: [Address], transaction: String?) {
            self.resource = resource
            self.network = network
            self.payTo = payTo
            self.payers = payers
            self.transaction = transaction
        }

        fileprivate func difference(from receipt: X402Receipt, at now: Timestamp) -> String? {
            if !receipt.resourceURL.isSameText(as: resource) { return "resourceUrl" }
            if !receipt.network.isSameText(as: network) { return "network" }
            guard let payer = Address(hex: receipt.payer), payers.contains(payer) else { return "payer" }
            if !receipt.transaction.isEmpty, !receipt.transaction.isSameText(as: transaction ?? "") {
                return "transaction"
            }
            let latest = now.adding(seconds: ProofVerifier.clockTolerance).seconds
            return Int64(clamping: receipt.issuedAt) > latest ? "issuedAt" : nil
        }
    }

    private static let receiptOutline = JSONOutline.members([
        ("extensions", .members([(OfferExtension.key, .members([("info", .members([("receipt", .whole)]))]))]))
    ])

    /// The finding about the receipt in a settlement's report; nil when it has none.
    ///
    /// `report` is the decoded JSON text of PAYMENT-RESPONSE. A receipt does not name the amount.
    package func receipt(in report: SettlementReport, for purchase: Purchase, at now: Timestamp) -> ProofFinding? {
        guard let root = try? JSONReader.read(report.raw, outline: Self.receiptOutline),
            let extensions = root["extensions"],
            let value = extensions[OfferExtension.key]?["info"]?["receipt"], !value.isNull
        else { return nil }
        do throws(ProofProblem) {
            let statement = try SellerStatement(value, in: report.raw)
            let receipt = try X402Receipt(statement)
            if let member = purchase.difference(from: receipt, at: now) {
                return ProofFinding(.mismatch(member), text: statement.text)
            }
            let authority = Authority(payTo: purchase.payTo, resource: purchase.resource)
            let verdict = judge(statement, digest: receipt.digest, authority: authority, at: now)
            let isOld = Int64(clamping: receipt.issuedAt) < now.adding(seconds: -Self.maximumReceiptAge).seconds
            return ProofFinding(isOld && verdict.isFavourable ? .expired : verdict, text: statement.text)
        } catch {
            return ProofFinding(.unreadable(error.part), text: nil)
        }
    }
}
