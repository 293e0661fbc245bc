import Ledger
import Primitives

/// Sums of entries by account and asset.
struct AccountSums {
    /// An account in one asset.
    struct Place: Hashable {
        let account: Account
        let asset: String
    }

    /// Both sides of one account.
    struct Sum: Equatable {
        var debits = UInt256.zero
        var credits = UInt256.zero

        /// What stands in the account.
        var balance: SignedAmount { SignedAmount(debits: debits, credits: credits) }
    }

    private(set) var sums: [Place: Sum] = [:]

    /// Adds what an entry moves.
    mutating func add(_ transfer: Transfer) {
        let debit = Place(account: transfer.debit, asset: transfer.asset)
        let credit = Place(account: transfer.credit, asset: transfer.asset)
        let debits = (sums[debit]?.debits ?? .zero).saturatingSum(transfer.amount)
        sums[debit, default: Sum()].debits = debits
        let credits = (sums[credit]?.credits ?? .zero).saturatingSum(transfer.amount)
        sums[credit, default: Sum()].credits = credits
    }

    /// The accounts in the order of their names.
    var places: [Place] {
        sums.keys.sorted { ($0.account.description, $0.asset) < ($1.account.description, $1.asset) }
    }
}

/// Whether balances are what the entries add up to, and debits what credits are.
struct BalanceCheck {
    private var entries = AccountSums()

    /// Adds what an entry moves.
    mutating func add(_ entry: JournalEntry) {
        if let transfer = entry.line.transfer { entries.add(transfer) }
    }

    /// Holds the kept balances against the sums.
    func finish(_ kept: [AccountBalance], _ findings: inout Findings) {
        var rest = entries
        var totals = TotalsByAsset()
        for balance in kept {
            let place = AccountSums.Place(account: balance.account, asset: balance.asset)
            let sum = rest.remove(place) ?? AccountSums.Sum()
            findings.examine(
                .balances, "balance \(balance.account) in \(balance.asset)",
                holds: sum.debits == balance.debits && sum.credits == balance.credits,
                "is kept as \(balance.debits) in and \(balance.credits) out, but its entries add up to "
                    + "\(sum.debits) and \(sum.credits)")
            totals.add(balance)
        }
        for place in rest.places {
            findings.examine(
                .balances, "balance \(place.account) in \(place.asset)", holds: false,
                "is not kept, though entries move it")
        }
        for (asset, sum) in totals.inOrder {
            findings.examine(
                .doubleEntry, "asset \(asset)", holds: sum.debits == sum.credits,
                "has \(sum.debits) debited and \(sum.credits) credited in its kept balances")
        }
    }
}

extension AccountSums {
    fileprivate mutating func remove(_ place: Place) -> Sum? { sums.removeValue(forKey: place) }
}

/// Debits and credits of all accounts of an asset.
private struct TotalsByAsset {
    private var sums: [String: AccountSums.Sum] = [:]

    mutating func add(_ balance: AccountBalance) {
        var sum = sums[balance.asset] ?? AccountSums.Sum()
        sum.debits = sum.debits.saturatingSum(balance.debits)
        sum.credits = sum.credits.saturatingSum(balance.credits)
        sums[balance.asset] = sum
    }

    var inOrder: [(asset: String, sum: AccountSums.Sum)] {
        sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
