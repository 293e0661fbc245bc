import Ledger
import Primitives

/// Beancount's language.
///
/// Source: Beancount Language Syntax, versions 2 and 3. Its arithmetic has 28 digits, so tokens of 18 decimals are exact
/// below ten thousand million of them.
struct BeancountSyntax: AccountingSyntax {
    func header() -> String {
        "option \"title\" \"Purser ledger\"\n\n"
    }

    func declaration(of commodity: Commodity, on date: String) -> String {
        "\(date) commodity \(commodity.name)\n  asset: \"\(commodity.asset.accountingText)\"\n"
            + "  decimals: \(commodity.decimals)\n\n"
    }

    func opening(of account: Account, on date: String) -> String {
        "\(date) open \(AccountNames.name(of: account))\n\n"
    }

    func transaction(_ transaction: AccountingTransaction) -> String {
        let entry = transaction.entry
        let line = entry.line
        // Payments' names are letters, digits and an underscore: what links may have.
        let link = line.kind == .payment ? " ^\(line.subject)" : ""
        var text = "\(entry.at.utcDate) * \"\(line.cause.accountingText)\"\(link)\n  entry: \(entry.number)\n"
        if line.kind == .payment { text += "  payment: \"\(line.subject)\"\n" }
        if line.kind == .adjustment, let note = line.detail { text += "  note: \"\(note.accountingText)\"\n" }
        let amount = SignedAmount(debits: transaction.transfer.amount, credits: .zero)
        let opposite = SignedAmount(debits: .zero, credits: transaction.transfer.amount)
        text += posting(transaction.transfer.debit, amount, transaction.commodity)
        text += posting(transaction.transfer.credit, opposite, transaction.commodity)
        return text + "\n"
    }

    func broughtForward(_ balances: [AccountingBalance], on date: String) -> String {
        "\(date) * \"balances brought forward\"\n"
            + balances.map { posting($0.account, $0.amount, $0.commodity) }.joined() + "\n"
    }

    /// Beancount asserts what stands at the beginning of a day; without a tolerance of zero it would let one atomic unit
    /// pass.
    func assertions(_ balances: [AccountingBalance], endOf day: Timestamp) -> String {
        let date = day.adding(seconds: 86_400).utcDate
        return balances.map { balance in
            "\(date) balance \(AccountNames.name(of: balance.account)) "
                + "\(balance.amount.text(decimals: balance.commodity.decimals)) ~ 0 \(balance.commodity.name)\n"
        }.joined()
    }

    private func posting(_ account: Account, _ amount: SignedAmount, _ commodity: Commodity) -> String {
        "  \(AccountNames.name(of: account))  \(amount.text(decimals: commodity.decimals)) \(commodity.name)\n"
    }
}
