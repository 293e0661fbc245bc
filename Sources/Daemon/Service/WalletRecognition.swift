package import Ethereum
package import Ledger
package import Primitives

/// Compares the account that a keystore has opened with the one that the books know under the wallet's name.
///
/// A keystore's checksum covers the encrypted key and not its counter block, so a file that was changed there opens
/// another account without a word, unless it states its address.
package struct WalletRecognition: Sendable {
    private let books: any LedgerStore
    private let accepted: Set<String>
    private let actor: String
    private let clock: any WallClock
    private let warn: @Sendable (String) -> Void

    /// `accepted` are the accounts, EIP-55, that the operator takes although the books know others; `warn` is told of each one.
    package init(
        books: any LedgerStore, accepted: Set<String>, actor: String, clock: any WallClock,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.books = books
        self.accepted = accepted
        self.actor = actor
        self.clock = clock
        self.warn = warn
    }

    /// An account as an operator types it, EIP-55; nil for what is none, or has a wrong checksum.
    package static func account(_ text: String) -> String? {
        Address.isChecksumValid(text) ? Address(hex: text)?.checksummed : nil
    }

    /// Takes note of the account that a wallet's keystore has opened.
    ///
    /// Throws ``StartFailure`` for another account than the books know, and what the books throw.
    package func check(_ address: Address, of wallet: String) async throws {
        let account = WalletAccount(wallet: wallet, address: address.checksummed)
        let opening = try await books.open(
            account, accepting: accepted, by: actor, at: clock.now())
        switch opening {
        case .known, .first: break
        case .accepted(let before):
            warn("wallet \(wallet) is \(account.address) from now on; it was \(before)")
        case .refused(let known):
            throw StartFailure(
                """
                wallet \(wallet): its keystore opens the account \(account.address), and the ledger knows the wallet as \
                \(known). The keystore is damaged or another one. If the new account is meant, give \
                `--accept-address \(account.address)` once
                """)
        }
    }
}
