import Ledger
import Policy
import Primitives

/// One transfer as a transaction of two postings.
struct AccountingTransaction {
    /// The entry that booked it.
    let entry: JournalEntry
    /// What it moves.
    let transfer: Transfer
    /// What it moves it in.
    let commodity: Commodity
}

/// An account's balance in one commodity.
struct AccountingBalance {
    /// The account.
    let account: Account
    /// In what.
    let commodity: Commodity
    /// How much.
    let amount: SignedAmount
}

/// How a plain-text accounting program wants things written; every text ends with a line end.
protocol AccountingSyntax: Sendable {
    /// What stands in front of everything.
    func header() -> String

    /// Declares a commodity from a day on.
    func declaration(of commodity: Commodity, on date: String) -> String

    /// Declares an account from a day on.
    func opening(of account: Account, on date: String) -> String

    /// A transaction.
    func transaction(_ transaction: AccountingTransaction) -> String

    /// One transaction that brings balances forward from before a day.
    func broughtForward(_ balances: [AccountingBalance], on date: String) -> String

    /// Assertions of balances at the end of a day.
    func assertions(_ balances: [AccountingBalance], endOf day: Timestamp) -> String
}

/// Writes a period's transfers as a journal that stands alone.
///
/// Balances brought forward are added up from the entries in front of the period; the assertions at its end come from
/// the kept balances, less what entries behind it moved. So the program that reads the file checks one against the other.
/// In memory are the balances alone.
struct AccountingExport<Syntax: AccountingSyntax> {
    private let syntax: Syntax
    private let assets: AssetTable

    init(_ syntax: Syntax, assets: AssetTable) {
        self.syntax = syntax
        self.assets = assets
    }

    /// Writes the journal.
    func write(
        _ snapshot: any LedgerSnapshot, of period: Period, to sink: ([UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        try sink(Array(syntax.header().utf8))
        let numbers = try period.entries(in: snapshot)
        var before = AccountSums()
        if numbers.first > 1 {
            try snapshot.forEachEntry(to: numbers.first - 1) { (entry) throws(LedgerError) in
                if let transfer = entry.line.transfer { before.add(transfer) }
            }
        }
        let oldest = try snapshot.entries(from: 1, limit: 1).first?.at
        guard let start = period.start ?? oldest else { return }
        var sheet = Sheet(
            syntax: syntax, commodities: try CommodityTable(snapshot, assets: assets), start: start.utcDate)
        try sink(Array(sheet.broughtForward(before).utf8))
        var last = start
        try snapshot.forEachEntry(from: numbers.first, to: numbers.behind - 1) { (entry) throws(LedgerError) in
            last = entry.at
            guard let transfer = entry.line.transfer else { return }
            try sink(Array(sheet.transaction(entry, moving: transfer).utf8))
        }
        var later = AccountSums()
        if period.end != nil {
            try snapshot.forEachEntry(from: numbers.behind) { (entry) throws(LedgerError) in
                if let transfer = entry.line.transfer { later.add(transfer) }
            }
        }
        let lastDay = period.end.map { $0.adding(seconds: -86_400) } ?? .startOfUTCDay(last.utcDay)
        try sink(Array(sheet.assertions(try snapshot.balances(), less: later, endOf: lastDay).utf8))
    }
}

/// A journal while it is being written: what was declared already.
private struct Sheet<Syntax: AccountingSyntax> {
    let syntax: Syntax
    let commodities: CommodityTable
    let start: String
    private var declared: Set<String> = []
    private var touched: Set<AccountSums.Place> = []
    private var opened: Set<Account> = []

    init(syntax: Syntax, commodities: CommodityTable, start: String) {
        self.syntax = syntax
        self.commodities = commodities
        self.start = start
    }

    /// What must be declared before an account can be used in an asset.
    private mutating func declare(_ account: Account, in asset: String) -> String {
        touched.insert(AccountSums.Place(account: account, asset: asset))
        var text = ""
        if declared.insert(asset).inserted { text += syntax.declaration(of: commodities[asset], on: start) }
        if opened.insert(account).inserted { text += syntax.opening(of: account, on: start) }
        return text
    }

    mutating func broughtForward(_ sums: AccountSums) -> String {
        var text = ""
        var balances: [AccountingBalance] = []
        for place in sums.places {
            guard let amount = sums.sums[place]?.balance, !amount.isZero else { continue }
            text += declare(place.account, in: place.asset)
            balances.append(
                AccountingBalance(account: place.account, commodity: commodities[place.asset], amount: amount))
        }
        return balances.isEmpty ? text : text + syntax.broughtForward(balances, on: start)
    }

    mutating func transaction(_ entry: JournalEntry, moving transfer: Transfer) -> String {
        declare(transfer.debit, in: transfer.asset) + declare(transfer.credit, in: transfer.asset)
            + syntax.transaction(
                AccountingTransaction(entry: entry, transfer: transfer, commodity: commodities[transfer.asset]))
    }

    func assertions(_ kept: [AccountBalance], less later: AccountSums, endOf day: Timestamp) -> String {
        let balances = kept.sorted().compactMap { balance -> AccountingBalance? in
            let place = AccountSums.Place(account: balance.account, asset: balance.asset)
            let behind = later.sums[place] ?? AccountSums.Sum()
            // Taking a debit back is the same as crediting it.
            let amount = SignedAmount(
                debits: balance.debits.saturatingSum(behind.credits),
                credits: balance.credits.saturatingSum(behind.debits))
            guard !amount.isZero || touched.contains(place) else { return nil }
            return AccountingBalance(
                account: balance.account, commodity: commodities[balance.asset], amount: amount)
        }
        return balances.isEmpty ? "" : syntax.assertions(balances, endOf: day)
    }
}

extension String {
    /// The text on one line and without a character that ends a string in either program.
    var accountingText: String {
        String(
            unicodeScalars.map { scalar in
                scalar.value < 0x20 || scalar.value == 0x7f || scalar == "\"" || scalar == "\\" || scalar == ";"
                    ? " " : Character(scalar)
            })
    }
}
