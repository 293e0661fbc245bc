package import Primitives

/// An allowance that a wallet is about to give, as the journal keeps it.
package struct ApprovalNote: Sendable, Equatable {
    /// What the wallet signs.
    ///
    /// Raw values are stored.
    package enum Form: String, Sendable, CaseIterable {
        /// A permit of EIP-2612.
        case permit
        /// A transaction.
        case transaction
    }

    /// The wallet's name in the configuration.
    package let wallet: String
    /// The wallet's account, EIP-55.
    package let owner: String
    /// The token as `network/address`.
    package let asset: String
    /// Who may move the token then, EIP-55.
    package let spender: String
    /// How much, in atomic units; 2^256 - 1 is everything, for ever.
    package let amount: UInt256
    /// What the wallet signs.
    package let form: Form
    /// The number of the permit or of the account's transaction.
    package let nonce: UInt256

    /// Makes a note.
    package init(
        wallet: String, owner: String, asset: String, spender: String, amount: UInt256, form: Form, nonce: UInt256
    ) {
        self.wallet = wallet
        self.owner = owner
        self.asset = asset
        self.spender = spender
        self.amount = amount
        self.form = form
        self.nonce = nonce
    }

    /// The entry of an approval that goes with a payment.
    package func sponsored(with payment: PaymentID) -> JournalLine {
        line("sponsored", by: nil) { $0.field("payment", payment.description) }
    }

    /// The entry without which an operator's approval is not signed.
    package func admitted(by actor: String) -> JournalLine { line("admitted", by: actor) }

    /// The entry that says what stopped an operator's approval.
    package func refused(by freeze: Freeze, for actor: String) -> JournalLine {
        line("refused", by: actor) { $0.field("frozen", freeze.scope.description) }
    }

    /// The entry of an approval that an endpoint has taken.
    package func sent(_ transaction: Bytes32, by actor: String) -> JournalLine {
        line("sent", by: actor) { $0.field("transaction", transaction.description) }
    }

    private func line(
        _ cause: String, by actor: String?, _ more: (inout JSONText) -> Void = { _ in }
    ) -> JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("owner", owner)
            text.field("asset", asset)
            text.field("spender", spender)
            text.field("amount", amount.description)
            text.field("form", form.rawValue)
            text.field("nonce", nonce.description)
            more(&text)
        }
        return JournalLine(.approval, subject: wallet, cause: cause, actor: actor, detail: text.string)
    }
}
