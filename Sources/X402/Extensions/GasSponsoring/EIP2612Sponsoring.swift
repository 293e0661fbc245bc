package import Ethereum
package import Primitives

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
    /// The token.
    package let asset: Address
    private let offered: [UInt8]

    /// Takes a seller's offer up.
    ///
    /// `amount` is that of the payment, `nonce` the token's `nonces(owner)`, `deadline` that of the payment's own
    /// Permit2 authorization, Unix seconds.
    package init(
        of offered: [Challenge.Extension], owner: Address, asset: Address, amount: UInt256, nonce: UInt256,
        deadline: UInt64
    ) throws(GasSponsoringProblem) {
        guard let entry = offered.first(where: { $0.key == Self.key }) else { throw .notOffered }
        self.permit = EIP2612Permit(
            owner: owner, spender: Permit2.address, value: amount, nonce: nonce, deadline: deadline)
        self.asset = asset
        self.offered = entry.raw
        // Tried before anything is signed: what cannot be sent need not exist.
        guard ExtensionEntry.adding(members(signature: ""), to: entry.raw) != nil else { throw .unusableEntry }
    }

    /// The digest to sign, for the token's domain.
    package func digest(domainSeparator: Bytes32) -> Bytes32 {
        permit.digest(domainSeparator: domainSeparator)
    }

    /// The entry that carries the signature.
    package func entry(signature: Signature) throws(GasSponsoringProblem) -> SignedExtension {
        guard let raw = ExtensionEntry.adding(members(signature: signature.hex), to: offered) else {
            throw .unusableEntry
        }
        return SignedExtension(key: Self.key, raw: raw)
    }

    private func members(signature: String) -> [(key: String, text: String)] {
        [
            ("from", permit.owner.checksummed), ("asset", asset.checksummed),
            ("spender", permit.spender.checksummed), ("amount", permit.value.description),
            ("nonce", permit.nonce.description), ("deadline", String(permit.deadline)), ("signature", signature),
            ("version", GasSponsoring.version),
        ]
    }
}
