package import Ethereum
package import Ledger
package import Policy
package import Primitives
package import Wallets
import X402

/// Why an operator's approval was not signed.
package enum ApprovalStopped: Error, Sendable, Hashable, CustomStringConvertible {
    /// The wallet or everything is frozen.
    case frozen(Freeze)
    /// The books did not admit it.
    case notAdmitted

    /// One sentence for an operator.
    package var description: String {
        switch self {
        case .frozen(let freeze):
            "\(freeze.scope) is frozen since \(freeze.since) by \(freeze.actor): nothing is signed until that is lifted"
        case .notAdmitted: "the ledger did not admit the approval, so nothing was signed"
        }
    }
}

/// The step between an approval that an operator asked for and the wallet's key: its entry is on disk first, and a freeze
/// of the wallet or of everything stops it.
package struct ApprovalSigning: Sendable {
    /// The wallet's key.
    package let signer: any Signer
    private let wallet: String
    private let books: any LedgerStore
    private let actor: String
    private let clock: any WallClock

    /// Signs with the key of a wallet what the books admit; `actor` is who asks for it.
    package init(
        signer: any Signer, of wallet: String, books: any LedgerStore, actor: String, clock: any WallClock
    ) {
        self.signer = signer
        self.wallet = wallet
        self.books = books
        self.actor = actor
        self.clock = clock
    }

    /// Signs one transaction.
    ///
    /// Throws ``ApprovalStopped``, what the books throw, or a signing error; nothing is signed then.
    package func sign(_ approval: ApprovalTransaction) async throws -> SignedTransaction {
        let note = note(of: approval)
        var generation = try await admit(note)
        // A freeze between the entry and here is found by asking once more, and its refusal has an entry of its own.
        while books.currentGeneration != generation {
            let rulebook = try await books.rulebook()
            generation = rulebook.freeze(ofWallet: wallet) == nil ? rulebook.generation : try await admit(note)
        }
        return SignedTransaction(approval.transaction, signature: try signer.sign(approval.signable))
    }

    /// Books that an endpoint has taken a transaction.
    package func sent(_ transaction: Bytes32, of approval: ApprovalTransaction) async throws {
        try await books.sent(note(of: approval), as: transaction, by: actor, at: clock.now())
    }

    private func admit(_ note: ApprovalNote) async throws -> UInt64 {
        switch try await books.admit(note, by: actor, at: clock.now()) {
        case .admitted(let generation): return generation
        case .refused(.frozen(let freeze)): throw ApprovalStopped.frozen(freeze)
        case .refused, .usedUp: throw ApprovalStopped.notAdmitted
        }
    }

    private func note(of approval: ApprovalTransaction) -> ApprovalNote {
        ApprovalNote(
            wallet: wallet, owner: signer.address.checksummed, asset: approval.token.name,
            spender: approval.spender.checksummed, amount: approval.amount, form: .transaction,
            nonce: UInt256(approval.transaction.nonce))
    }
}
