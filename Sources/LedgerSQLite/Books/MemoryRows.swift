import GRDB
import Ledger
import Primitives

/// Rows of `known_payees` and `known_prices`.
enum MemoryRows {
    /// What is remembered under a key.
    static func recollection(of key: SellerKey, in database: Database) throws(Fault) -> Recollection {
        var found = Recollection()
        var payees = try Prepared("SELECT asset, payee FROM known_payees WHERE host = ?", in: database)
        payees.bind(key.host)
        while try payees.step() { found.payees[payees.text(), default: []].insert(payees.text()) }
        guard key.remembersPrices else { return found }
        var prices = try Prepared(
            "SELECT asset, nanodollars FROM known_prices WHERE agent = ? AND host = ? AND route = ? AND model = ?",
            in: database)
        bind(key, to: &prices)
        while try prices.step() {
            let asset = prices.text()
            found.prices[asset] = Dollars(nanodollars: prices.integer())
        }
        return found
    }

    /// Writes down what a payment taught, and forgets the oldest beyond the limits.
    static func learn(_ lesson: Lesson, at now: Timestamp, in database: Database) throws(Fault) {
        let host = lesson.key.host
        var payee = try Prepared(
            "INSERT OR IGNORE INTO known_payees (host, asset, payee, since) VALUES (?, ?, ?, ?)", in: database)
        payee.bind(host)
        payee.bind(lesson.asset)
        payee.bind(lesson.payee)
        payee.bind(now)
        try payee.run()
        var excess = try Prepared(
            """
            DELETE FROM known_payees WHERE (host, asset, payee) IN (
                SELECT host, asset, payee FROM known_payees WHERE host = ?1 AND asset = ?2
                ORDER BY since DESC, payee DESC LIMIT -1 OFFSET \(Recollection.maximumPayees))
            """, in: database)
        excess.bind(host)
        excess.bind(lesson.asset)
        try excess.run()
        guard lesson.key.remembersPrices else { return }
        var price = try Prepared(
            """
            INSERT INTO known_prices (agent, host, route, model, asset, nanodollars, learnt) VALUES (?,?,?,?,?,?,?)
            ON CONFLICT DO UPDATE SET nanodollars = max(nanodollars, excluded.nanodollars), learnt = excluded.learnt
            """, in: database)
        bind(lesson.key, to: &price)
        price.bind(lesson.asset)
        price.bind(lesson.price.nanodollars)
        price.bind(now)
        try price.run()
        // Counting visits pages, not rows; the oldest then come first, instead of after all that stay.
        try database.run(
            """
            DELETE FROM known_prices WHERE (agent, host, route, model, asset) IN (
                SELECT agent, host, route, model, asset FROM known_prices
                ORDER BY learnt, agent, host, route, model, asset
                LIMIT max(0, (SELECT count(*) FROM known_prices) - \(Recollection.maximumPrices)))
            """)
    }

    private static func bind(_ key: SellerKey, to row: inout Prepared) {
        row.bind(key.agent)
        row.bind(key.host)
        row.bind(key.route)
        row.bind(key.model.value ?? "")
    }
}
