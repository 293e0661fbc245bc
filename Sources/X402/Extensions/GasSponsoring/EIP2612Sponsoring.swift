package import Ethereum
import Primitives

/// A permit for Permit2 that the seller's facilitator submits and pays for: the value to sign, and the entry to send.
///
/// The allowance is the exact amount of the payment, since the deployed proxy reverts for any other. Each permit uses
/// the token's next nonce of the payer, so two payments under way collide.
///
/// Source: x402 extension `eip2612GasSponsoring`.
package struct EIP2612Sponsoring: Sendable, Equatable {
    /// The extension's key.
    package static let key = "eip2612GasSponsoring"

    /// What is signed.
    package let permit: EIP2612Permit
    private let asset: Address

    /// Takes a permit of Permit2 for a token; nil for any other spender.
    package init?(_ permit: EIP2612Permit, asset: Address) {
        guard permit.spender == Permit2.address else { return nil }
        self.permit = permit
        self.asset = asset
    }

    /// The seller's entry with everything but the signature, in whose place stands ``Signature/blank``.
    package func answer(to offered: [Challenge.Extension]) throws(GasSponsoringProblem) -> ExtensionAnswer {
        try GasSponsoring.answer(Self.key, to: offered, members: members)
    }

    private var members: [(key: String, text: String)] {
        [
            ("from", permit.owner.checksummed), ("asset", asset.checksummed),
            ("spender", permit.spender.checksummed), ("amount", permit.value.description),
            ("nonce", permit.nonce.description), ("deadline", String(permit.deadline)),
            ("signature", Signature.blank.hex), ("version", GasSponsoring.version),
        ]
    }

    /// The permit that an entry of ours was written for; nil when the entry is not what ``answer(to:)`` writes for
    /// these values.
    init?(entry: JSONValue, owner: Address, asset: Address, amount: UInt256, deadline: UInt64) {
        guard let info = entry["info"], let nonce = info["nonce"]?.string.flatMap({ try? UInt256(decimal: $0) }) else {
            return nil
        }
        self.init(
            EIP2612Permit(owner: owner, spender: Permit2.address, value: amount, nonce: nonce, deadline: deadline),
            asset: asset)
        guard members.allSatisfy({ info[$0.key]?.string == $0.text }) else { return nil }
    }
}
