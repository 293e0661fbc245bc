import Primitives

/// Which account a wallet's name stands for: what the books know of it, and what a keystore has opened.
package struct WalletAccount: Sendable, Equatable {
    /// The wallet's name in the configuration.
    package let wallet: String
    /// The account that its keystore has opened, EIP-55.
    package let address: String

    /// Makes an account.
    package init(wallet: String, address: String) {
        self.wallet = wallet
        self.address = address
    }

    /// What the books make of a wallet that was opened.
    package enum Opening: Sendable, Equatable {
        /// It is the account that the books know.
        case known
        /// The books know none yet; now they know this one.
        case first
        /// It is another account than before, which the operator accepts.
        case accepted(before: String)
        /// It is another account than the books know, and nobody has accepted it.
        case refused(known: String)
    }

    /// Decides about an account, beside the one that the books know.
    package func opening(beside known: String?, accepting: Set<String>) -> Opening {
        guard let known else { return .first }
        if known == address { return .known }
        return accepting.contains(address) ? .accepted(before: known) : .refused(known: known)
    }

    /// The entry that an opening leaves; nil when it leaves none.
    package func line(_ opening: Opening, by actor: String) -> JournalLine? {
        let (cause, before): (String, String?)
        switch opening {
        case .known, .refused: return nil
        case .first: (cause, before) = ("opened", nil)
        case .accepted(let known): (cause, before) = ("accepted", known)
        }
        var text = JSONText()
        text.object { text in
            text.field("address", address)
            text.field("before", optional: before)
        }
        return JournalLine(.wallet, subject: wallet, cause: cause, actor: actor, detail: text.string)
    }

    /// The account that such an entry tells of; nil when it tells of none.
    package init?(_ line: JournalLine) {
        guard line.kind == .wallet, let detail = line.detail,
            let address = (try? JSONReader.read(Array(detail.utf8)))?["address"]?.string
        else { return nil }
        self.init(wallet: line.subject, address: address)
    }
}
