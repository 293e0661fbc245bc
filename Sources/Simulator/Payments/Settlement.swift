package import Ethereum
import Policy
package import Primitives
import X402

/// One payment that the gateway took.
package struct Settlement: Sendable, Equatable {
    /// The account that paid.
    package let payer: Address
    /// The account that was paid.
    package let payTo: Address
    /// The CAIP-2 network.
    package let network: String
    /// The token contract.
    package let asset: Address
    /// What was taken, in atomic units; of an `upto` payment a share of what was signed for.
    package let amount: UInt256
    /// What was signed for, in atomic units; more than the amount only in `upto`.
    package let authorized: UInt256
    /// The authorization's nonce.
    package let nonce: Bytes32
    /// The model that was called.
    package let model: String
    /// The made-up transaction: keccak256(nonce ‖ payer), the same for the same authorization; nil when nothing was
    /// taken, since then there is none.
    package let transaction: Bytes32?
    /// When it was taken.
    package let time: Timestamp
}

extension Settlement {
    init(of payment: VerifiedPayment, charging amount: UInt256, model: String, at now: Timestamp) {
        let transfer = payment.transfer
        self.init(
            payer: transfer.payer, payTo: transfer.payTo, network: payment.offer.asset.network,
            asset: payment.offer.asset.address, amount: amount, authorized: transfer.amount, nonce: transfer.nonce,
            model: model,
            transaction: amount.isZero ? nil : Keccak256.hash(transfer.nonce.bytes + transfer.payer.bytes), time: now)
    }

    /// The decoded settlement header, with the network as the offer spelled it; the amount where it is told.
    ///
    /// Source: x402 core specification, SettlementResponse.
    func report(network: String, tellsAmount: Bool) -> [UInt8] {
        var text = JSONText()
        text.object { report in
            report.field("success", true)
            report.field("transaction", transaction?.description ?? "")
            report.field("network", network)
            report.field("payer", payer.checksummed)
            if tellsAmount { report.field("amount", amount.description) }
        }
        return text.bytes
    }
}
