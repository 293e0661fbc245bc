import Ethereum
import Ledger
import Policy
import Primitives
import X402

/// Whether the signatures that were sent are the payer's, over exactly the terms in the books.
struct SignatureCheck {
    let assets: AssetTable
    let curve: Secp256k1Context

    /// Looks at the signature a payment's row keeps; a payment without one is not counted.
    ///
    /// Schemes unknown here and tokens that are not pinned any more are skipped: without the token's domain nothing can be
    /// said.
    func examine(_ record: PaymentRecord, _ findings: inout Findings) {
        guard let bytes = record.evidence.signature else { return }
        let name = "payment \(record.id)"
        guard let terms = record.terms else {
            findings.examine(.signatures, name, holds: false, "has a signature and no terms")
            return
        }
        guard terms.scheme == "exact", let address = Address(hex: terms.asset),
            let asset = assets.asset(network: terms.network, address: address), asset.transfer == .eip3009,
            let separator = asset.domainSeparator
        else { return findings.skip(.signatures) }
        findings.examine(
            .signatures, name, holds: isPayers(bytes, over: terms, separator: separator),
            "has a signature that is not of \(terms.payer) over its terms")
    }

    private func isPayers(_ bytes: [UInt8], over terms: PaymentIntent.Terms, separator: Bytes32) -> Bool {
        guard let signature = Signature(bytes: bytes, requiringLowS: true), let payer = Address(hex: terms.payer),
            let payTo = Address(hex: terms.payTo)
        else { return false }
        let authorization = ExactAuthorization(
            from: payer, to: payTo, value: terms.amount, validAfter: terms.validAfter,
            validBefore: terms.validBefore, nonce: terms.nonce)
        return curve.recover(digest: authorization.digest(domainSeparator: separator), signature: signature) == payer
    }
}
