package import Ethereum
import Primitives

/// A signed approval of Permit2 that the seller's facilitator broadcasts and pays for: the transaction to sign, and the
/// entry to send.
///
/// The transaction grants an unlimited allowance, and whoever holds its bytes can broadcast it while the account's
/// nonce is free.
///
/// Source: x402 extension `erc20ApprovalGasSponsoring`.
package struct ERC20ApprovalSponsoring: Sendable, Equatable {
    /// The extension's key.
    package static let key = "erc20ApprovalGasSponsoring"

    /// The gas that the transaction may use, the same as the SDK's.
    package static let gasLimit: UInt64 = 70_000

    /// What is signed.
    package let transaction: Transaction
    private let owner: Address

    /// Takes a transaction; nil unless it does nothing but approve Permit2 without a limit, by EIP-1559.
    package init?(_ transaction: Transaction, owner: Address) {
        guard case .dynamic = transaction.fee, transaction.value == .zero,
            transaction.gasLimit <= Self.gasLimit,
            transaction.data == ERC20.approve(spender: Permit2.address, amount: .max)
        else { return nil }
        self.transaction = transaction
        self.owner = owner
    }

    /// The seller's entry with the transaction as it is before it is signed.
    package func answer(to offered: [Challenge.Extension]) throws(GasSponsoringProblem) -> ExtensionAnswer {
        try GasSponsoring.answer(Self.key, to: offered, members: members, growth: Self.growth)
    }

    /// Two numbers of 33 bytes, one of one byte, and the lists' heads that may become longer by two, as hex digits.
    private static let growth = 2 * (2 * 33 + 1 + 2)

    private var members: [(key: String, text: String)] {
        [
            ("from", owner.checksummed), ("asset", transaction.to.checksummed),
            ("spender", Permit2.address.checksummed), ("amount", UInt256.max.description),
            ("signedTransaction", Hex.prefixed(transaction.unsigned)), ("version", GasSponsoring.version),
        ]
    }

    /// The transaction that an entry of ours was written for; nil when the entry is not what ``answer(to:)`` writes.
    init?(entry: JSONValue, owner: Address, asset: Address, chainID: UInt64) {
        guard let info = entry["info"],
            let bytes = info["signedTransaction"]?.string.flatMap({ Hex.decode($0) }),
            let transaction = Transaction(unsigned: bytes), transaction.to == asset, transaction.chainID == chainID
        else { return nil }
        self.init(transaction, owner: owner)
        guard members.allSatisfy({ info[$0.key]?.string == $0.text }) else { return nil }
    }
}
