import Ledger
import Primitives

/// The journal format of hledger.
///
/// Source: hledger manual, "Journal".
struct HledgerSyntax: AccountingSyntax {
    func header() -> String {
        "; Purser ledger\ndecimal-mark .\n\n"
    }

    func declaration(of commodity: Commodity, on date: String) -> String {
        // hledger wants a mark in the sample amount even where no decimals follow it.
        let sample = "1000." + String(repeating: "0", count: commodity.decimals)
        return "; \(quoted(commodity)) is \(commodity.asset.accountingText)\n"
            + "commodity \(sample) \(quoted(commodity))\n\n"
    }

    func opening(of account: Account, on date: String) -> String {
        "account \(AccountNames.name(of: account))\n\n"
    }

    func transaction(_ transaction: AccountingTransaction) -> String {
        let entry = transaction.entry
        let line = entry.line
        var text = "\(entry.at.utcDate) * (\(entry.number)) \(line.cause.accountingText)"
        if line.kind == .payment { text += "  ; payment:\(line.subject)" }
        text += "\n"
        if line.kind == .adjustment, let note = line.detail { text += "    ; note: \(note.accountingText)\n" }
        let amount = SignedAmount(debits: transaction.transfer.amount, credits: .zero)
        let opposite = SignedAmount(debits: .zero, credits: transaction.transfer.amount)
        text += posting(transaction.transfer.debit, amount, transaction.commodity)
        text += posting(transaction.transfer.credit, opposite, transaction.commodity)
        return text + "\n"
    }

    func broughtForward(_ balances: [AccountingBalance], on date: String) -> String {
        "\(date) * balances brought forward\n"
            + balances.map { posting($0.account, $0.amount, $0.commodity) }.joined() + "\n"
    }

    /// A transaction of nothing, whose postings assert what stands in each account.
    func assertions(_ balances: [AccountingBalance], endOf day: Timestamp) -> String {
        "\(day.utcDate) * balances at the end of the day\n"
            + balances.map { balance in
                let amount = balance.amount.text(decimals: balance.commodity.decimals)
                let commodity = quoted(balance.commodity)
                return "    \(AccountNames.name(of: balance.account))  0 \(commodity) = \(amount) \(commodity)\n"
            }.joined()
    }

    private func posting(_ account: Account, _ amount: SignedAmount, _ commodity: Commodity) -> String {
        "    \(AccountNames.name(of: account))  \(amount.text(decimals: commodity.decimals)) \(quoted(commodity))\n"
    }

    /// Names with digits or hyphens stand in quotation marks.
    private func quoted(_ commodity: Commodity) -> String { "\"\(commodity.name)\"" }
}
