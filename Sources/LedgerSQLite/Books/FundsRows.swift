import GRDB
import Ledger
import Primitives

/// Rows of `unfunded_wallets`, `unfunded_claims` and `unfunded_tries`.
enum FundsRows {
    /// Everything that is kept.
    static func all(in database: Database) throws(Fault) -> UnfundedWallets {
        var standings: [Purse: UnfundedWallets.Standing] = [:]
        do {
            var query = try Prepared(
                """
                SELECT network, asset, payer, wallet, symbol, decimals, balance, largest, since, next_try
                FROM unfunded_wallets
                """, in: database)
            while try query.step() {
                let purse = Purse(network: query.text(), asset: query.text(), payer: query.text())
                var standing = UnfundedWallets.Standing(
                    wallet: query.text(), symbol: query.text(), decimals: Int(query.integer()))
                if !query.skipNull() {
                    guard let balance = query.amount() else { throw damaged(purse) }
                    standing.balance = balance
                }
                if !query.skipNull() {
                    guard let largest = query.amount() else { throw damaged(purse) }
                    standing.largest = largest
                }
                if !query.skipNull() {
                    standing.pause = UnfundedWallets.Pause(since: query.timestamp(), nextTry: query.timestamp())
                }
                guard (0...36).contains(standing.decimals) else { throw damaged(purse) }
                standings[purse] = standing
            }
        }
        guard !standings.isEmpty else { return UnfundedWallets() }
        try readClaims(into: &standings, from: database)
        try readTries(into: &standings, from: database)
        return UnfundedWallets(standings: standings)
    }

    private static func readClaims(
        into standings: inout [Purse: UnfundedWallets.Standing], from database: Database
    ) throws(Fault) {
        var query = try Prepared("SELECT network, asset, payer, host, at, amount FROM unfunded_claims", in: database)
        while try query.step() {
            let purse = Purse(network: query.text(), asset: query.text(), payer: query.text())
            let (host, time) = (query.text(), query.timestamp())
            guard standings[purse] != nil, let amount = query.amount() else { throw damaged(purse) }
            standings[purse]?.claims[host] = UnfundedWallets.Claim(at: time, amount: amount)
        }
    }

    private static func readTries(
        into standings: inout [Purse: UnfundedWallets.Standing], from database: Database
    ) throws(Fault) {
        var query = try Prepared("SELECT network, asset, payer, agent, next_try FROM unfunded_tries", in: database)
        while try query.step() {
            let purse = Purse(network: query.text(), asset: query.text(), payer: query.text())
            guard standings[purse]?.pause != nil else { throw damaged(purse) }
            let agent = query.text()
            standings[purse]?.pause?.tries[agent] = query.timestamp()
        }
    }

    private static func damaged(_ purse: Purse) -> Fault {
        .step(.damaged("what is kept of the funds of account \(purse.payer) is not valid"))
    }

    /// Writes what has changed.
    static func write(
        _ new: UnfundedWallets, over old: UnfundedWallets, in database: Database
    ) throws(Fault) {
        for purse in Set(old.standings.keys).union(new.standings.keys) {
            let (before, after) = (old.standings[purse], new.standings[purse])
            guard before != after else { continue }
            let (claims, tries) = (after?.claims ?? [:], after?.pause?.tries ?? [:])
            let (areClaimsNew, areTriesNew) = (claims != before?.claims ?? [:], tries != before?.pause?.tries ?? [:])
            if areClaimsNew {
                try run(
                    "DELETE FROM unfunded_claims WHERE network = ? AND asset = ? AND payer = ?", purse, in: database)
            }
            if areTriesNew {
                try run(
                    "DELETE FROM unfunded_tries WHERE network = ? AND asset = ? AND payer = ?", purse, in: database)
            }
            guard let after else {
                try run(
                    "DELETE FROM unfunded_wallets WHERE network = ? AND asset = ? AND payer = ?", purse, in: database)
                continue
            }
            try write(after, of: purse, in: database)
            for (host, claim) in areClaimsNew ? claims : [:] {
                var row = try Prepared(
                    "INSERT INTO unfunded_claims (network, asset, payer, host, at, amount) VALUES (?, ?, ?, ?, ?, ?)",
                    in: database)
                bind(purse, to: &row)
                row.bind(host)
                row.bind(claim.at)
                row.bind(claim.amount)
                try row.run()
            }
            for (agent, time) in areTriesNew ? tries : [:] {
                var row = try Prepared(
                    "INSERT INTO unfunded_tries (network, asset, payer, agent, next_try) VALUES (?, ?, ?, ?, ?)",
                    in: database)
                bind(purse, to: &row)
                row.bind(agent)
                row.bind(time)
                try row.run()
            }
        }
    }

    private static func write(
        _ standing: UnfundedWallets.Standing, of purse: Purse, in database: Database
    ) throws(Fault) {
        var row = try Prepared(
            """
            INSERT OR REPLACE INTO unfunded_wallets (
                network, asset, payer, wallet, symbol, decimals, balance, largest, since, next_try)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, in: database)
        bind(purse, to: &row)
        row.bind(standing.wallet)
        row.bind(standing.symbol)
        row.bind(Int64(standing.decimals))
        row.bind(standing.balance)
        row.bind(standing.largest)
        row.bind(standing.pause?.since.milliseconds)
        row.bind(standing.pause?.nextTry.milliseconds)
        try row.run()
    }

    private static func run(_ sql: String, _ purse: Purse, in database: Database) throws(Fault) {
        var row = try Prepared(sql, in: database)
        bind(purse, to: &row)
        try row.run()
    }

    private static func bind(_ purse: Purse, to row: inout Prepared) {
        row.bind(purse.network)
        row.bind(purse.asset)
        row.bind(purse.payer)
    }
}
