package import Ethereum
import Primitives

/// A signed approval of Permit2 that the seller's facilitator broadcasts and pays for.
///
/// The transaction grants an unlimited allowance, and whoever holds its bytes can broadcast it while the account's
/// nonce is free.
///
/// Source: x402 extension `erc20ApprovalGasSponsoring`.
package enum ERC20ApprovalSponsoring {
    /// The extension's key.
    package static let key = "erc20ApprovalGasSponsoring"

    /// The longest transaction that is sent; one with an empty access list has less than 200 bytes.
    package static let maximumTransactionBytes = 512

    /// The entry that carries a raw signed transaction of EIP-1559 whose content the caller has made itself.
    package static func entry(
        of offered: [Challenge.Extension], from owner: Address, asset: Address, signedTransaction: [UInt8]
    ) throws(GasSponsoringProblem) -> SignedExtension {
        guard let entry = offered.first(where: { $0.key == key }) else { throw .notOffered }
        guard signedTransaction.first == 0x02, signedTransaction.count <= maximumTransactionBytes else {
            throw .notATransaction
        }
        let members = [
            (key: "from", text: owner.checksummed), ("asset", asset.checksummed),
            ("spender", Permit2.address.checksummed), ("amount", UInt256.max.description),
            ("signedTransaction", Hex.prefixed(signedTransaction)), ("version", GasSponsoring.version),
        ]
        guard let raw = ExtensionEntry.adding(members, to: entry.raw) else { throw .unusableEntry }
        return SignedExtension(key: key, raw: raw)
    }
}
