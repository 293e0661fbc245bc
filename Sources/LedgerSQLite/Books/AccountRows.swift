import GRDB
import Ledger
import Primitives

/// Rows of `accounts`.
enum AccountRows {
    /// What names a row.
    struct Key: Hashable {
        /// The account.
        let account: Account
        /// The asset.
        let asset: String
    }

    /// A row as it stands.
    struct Row: Equatable {
        /// Its number.
        let number: Int64
        /// Everything that came in.
        var debits: UInt256
        /// Everything that went out.
        var credits: UInt256
    }

    /// A row, or nil.
    static func find(_ key: Key, in database: Database) throws(Fault) -> Row? {
        var query = try Prepared(
            "SELECT number, debits, credits FROM accounts WHERE name = ? AND asset = ?", in: database)
        query.bind(key.account.description)
        query.bind(key.asset)
        guard try query.step() else { return nil }
        let number = query.integer()
        guard let debits = query.amount(), let credits = query.amount() else {
            throw .step(.damaged("account \(number) has no valid balance"))
        }
        return Row(number: number, debits: debits, credits: credits)
    }

    /// Adds an empty row.
    static func insert(_ key: Key, into database: Database) throws(Fault) -> Row {
        var row = try Prepared(
            "INSERT INTO accounts (name, asset, debits, credits) VALUES (?, ?, ?, ?)", in: database)
        row.bind(key.account.description)
        row.bind(key.asset)
        row.bind(UInt256.zero)
        row.bind(UInt256.zero)
        try row.run()
        return Row(number: database.lastInsertedRowID, debits: .zero, credits: .zero)
    }

    /// Writes a row's balance.
    static func write(_ row: Row, in database: Database) throws(Fault) {
        var statement = try Prepared("UPDATE accounts SET debits = ?, credits = ? WHERE number = ?", in: database)
        statement.bind(row.debits)
        statement.bind(row.credits)
        statement.bind(row.number)
        try statement.run()
    }

    /// All balances, by account and asset.
    static func balances(in database: Database) throws(Fault) -> [AccountBalance] {
        var query = try Prepared("SELECT name, asset, debits, credits FROM accounts", in: database)
        var balances: [AccountBalance] = []
        while try query.step() {
            let name = query.text()
            let asset = query.text()
            guard let account = Account(name), let debits = query.amount(), let credits = query.amount() else {
                throw .step(.damaged("account \"\(name)\" is not valid"))
            }
            balances.append(AccountBalance(account: account, asset: asset, debits: debits, credits: credits))
        }
        return balances.sorted()
    }
}
