import Ethereum
import Ledger
import Policy
import Primitives
import X402

/// Whether the signatures that were sent are the payer's, over exactly the terms in the books.
struct SignatureCheck {
    let assets: AssetTable
    let methods = PaymentMethods.standard
    let curve: Secp256k1Context

    /// Looks at the signature a payment's row keeps; a payment without one is not counted.
    ///
    /// Methods unknown here, tokens that are not pinned any more, and entries that were erased and told what is signed
    /// are skipped: nothing can be said of them.
    func examine(_ record: PaymentRecord, _ findings: inout Findings) {
        guard let bytes = record.evidence.signature else { return }
        let name = "payment \(record.id)"
        guard let terms = record.terms else {
            findings.examine(.signatures, name, holds: false, "has a signature and no terms")
            return
        }
        guard let payer = Address(hex: terms.payer), let authorization = authorization(of: record, terms, by: payer)
        else { return findings.skip(.signatures) }
        let isPayers = Signature(bytes: bytes, requiringLowS: true).map {
            curve.recover(digest: authorization.digest, signature: $0) == payer
        }
        findings.examine(
            .signatures, name, holds: isPayers ?? false,
            "has a signature that is not of \(terms.payer) over its terms")
    }

    private func authorization(
        of record: PaymentRecord, _ terms: PaymentIntent.Terms, by payer: Address
    ) -> (any PaymentAuthorization)? {
        guard let token = Address(hex: terms.asset).flatMap({ assets.asset(network: terms.network, address: $0) }),
            let payTo = Address(hex: terms.payTo)
        else { return nil }
        let entry = record.echo.flatMap { PaymentRequirement(received: $0.accepted) }
        let order = PaymentOrder(
            extra: entry?.extra ?? PaymentRequirement.Extra(), token: token, payer: payer, payTo: payTo,
            amount: terms.amount, validAfter: terms.validAfter, validBefore: terms.validBefore, nonce: terms.nonce)
        return methods.method(named: terms.method)?.authorization(of: order)
    }
}
