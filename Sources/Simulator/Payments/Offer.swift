import Ethereum
import Policy
import Primitives
import X402

/// One way to pay for a call: an entry of `accepts`.
struct Offer: Sendable, Equatable {
    /// How it is paid.
    let method: SaleMethod
    /// The token.
    let asset: Asset
    /// The network as the entry spells it: CAIP-2 in version 2, a name in version 1.
    let network: String
    /// The price in atomic units; for `upto` the most that is settled.
    let amount: UInt256
    /// Who is paid.
    let payTo: Address

    /// The window that every offer allows, in seconds.
    static let maxTimeoutSeconds: Int64 = 120

    /// Writes the members that both versions spell alike.
    private func common(_ entry: inout JSONText) {
        entry.field("scheme", method.scheme)
        entry.field("network", network)
        entry.field("asset", asset.address.checksummed)
        entry.field("payTo", payTo.checksummed)
        entry.field("maxTimeoutSeconds", Self.maxTimeoutSeconds)
        entry.object("extra") { extra in
            extra.field("name", optional: asset.domain?.name)
            extra.field("version", optional: asset.domain?.version)
            guard method.transfer == .permit2 else { return }
            extra.field("assetTransferMethod", "permit2")
            if method == .upto { extra.field("facilitatorAddress", SaleMethod.facilitator.checksummed) }
        }
    }

    /// The entry in version 2.
    ///
    /// Source: x402 core specification, PaymentRequirements.
    var entry: [UInt8] {
        var text = JSONText()
        text.object { entry in
            common(&entry)
            entry.field("amount", amount.description)
        }
        return text.bytes
    }

    /// The entry in version 1, which carries the resource itself.
    ///
    /// Source: x402 version 1, PaymentRequirements.
    func entryVersion1(resource: String, description: String) -> [UInt8] {
        var text = JSONText()
        text.object { entry in
            common(&entry)
            entry.field("maxAmountRequired", amount.description)
            entry.field("resource", resource)
            entry.field("description", description)
            entry.field("mimeType", "application/json")
        }
        return text.bytes
    }
}
