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
    /// The amount in atomic units.
    package let amount: UInt256
    /// The authorization's nonce.
    package let nonce: Bytes32
    /// The model that was called.
    package let model: String
    /// The made-up transaction: keccak256(nonce ‖ payer), the same for the same authorization.
    package let transaction: Bytes32
    /// When it was taken.
    package let time: Timestamp
}

extension Settlement {
    init(of payment: VerifiedPayment, model: String, at now: Timestamp) {
        let transfer = payment.transfer
        self.init(
            payer: transfer.from, payTo: transfer.to, network: payment.offer.asset.network,
            asset: payment.offer.asset.address, amount: transfer.value, nonce: transfer.nonce, model: model,
            transaction: Keccak256.hash(transfer.nonce.bytes + transfer.from.bytes), time: now)
    }

    /// The decoded settlement header, with the network as the offer spelled it.
    ///
    /// Source: x402 core specification, SettlementResponse.
    func report(network: String) -> [UInt8] {
        var text = JSONText()
        text.object { report in
            report.field("success", true)
            report.field("transaction", transaction.description)
            report.field("network", network)
            report.field("payer", payer.checksummed)
        }
        return text.bytes
    }
}
