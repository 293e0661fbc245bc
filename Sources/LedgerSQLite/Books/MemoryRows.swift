import GRDB
import Ledger
import Primitives

/// Rows of `agent_payees`, `known_prices` and `price_ceilings`, and those of earlier versions in `known_payees`.
enum MemoryRows {
    /// What is remembered under a key.
    static func recollection(of key: SellerKey, in database: Database) throws(Fault) -> Recollection {
        var found = Recollection()
        var payees = try Prepared(
            """
            SELECT asset, payee FROM agent_payees WHERE agent = ?1 AND host = ?2
            UNION ALL SELECT asset, payee FROM known_payees WHERE host = ?2
            """, in: database)
        payees.bind(key.agent)
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
        var ceilings = try Prepared(
            "SELECT asset, nanodollars FROM price_ceilings WHERE agent = ? AND host = ?", in: database)
        ceilings.bind(key.agent)
        ceilings.bind(key.host)
        while try ceilings.step() {
            let asset = ceilings.text()
            found.ceilings[asset] = Dollars(nanodollars: ceilings.integer())
        }
        return found
    }

    /// Writes down what a payment taught, and forgets the oldest of the agent at the host beyond the limits.
    static func learn(_ lesson: Lesson, at now: Timestamp, in database: Database) throws(Fault) {
        try learn(payeeOf: lesson, at: now, in: database)
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
        var count = try Prepared("SELECT count(*) FROM known_prices WHERE agent = ? AND host = ?", in: database)
        count.bind(lesson.key.agent)
        count.bind(lesson.key.host)
        let excess = try count.step() ? count.integer() - Int64(Recollection.maximumPrices) : 0
        guard excess > 0 else { return }
        try forget(
            max(excess, Int64(Recollection.pricesForgottenAtOnce)), "agent = ?1 AND host = ?2",
            of: [lesson.key.agent, lesson.key.host], in: database)
    }

    private static func learn(payeeOf lesson: Lesson, at now: Timestamp, in database: Database) throws(Fault) {
        let place = [lesson.key.agent, lesson.key.host, lesson.asset]
        var payee = try Prepared(
            "INSERT OR IGNORE INTO agent_payees (agent, host, asset, payee, since) VALUES (?, ?, ?, ?, ?)", in: database
        )
        for word in place { payee.bind(word) }
        payee.bind(lesson.payee)
        payee.bind(now)
        try payee.run()
        var excess = try Prepared(
            """
            DELETE FROM agent_payees WHERE (agent, host, asset, payee) IN (
                SELECT agent, host, asset, payee FROM agent_payees WHERE agent = ?1 AND host = ?2 AND asset = ?3
                ORDER BY since DESC, payee DESC LIMIT -1 OFFSET \(Recollection.maximumPayees))
            """, in: database)
        for word in place { excess.bind(word) }
        try excess.run()
    }

    /// Forgets an agent's payees and prices; the highest prices stay.
    static func forget(_ agent: String, in database: Database) throws(Fault) {
        try forget(-1, "agent = ?1", of: [agent], in: database)
        var payees = try Prepared("DELETE FROM agent_payees WHERE agent = ?", in: database)
        payees.bind(agent)
        try payees.run()
    }

    /// Forgets the oldest lines that a condition picks, at most `limit` of them, and keeps the highest price by host and token.
    private static func forget(
        _ limit: Int64, _ condition: String, of words: [String], in database: Database
    ) throws(Fault) {
        let oldest = """
            FROM known_prices WHERE \(condition) ORDER BY learnt, route, model, asset LIMIT \(limit)
            """
        var ceilings = try Prepared(
            """
            INSERT INTO price_ceilings (agent, host, asset, nanodollars)
            SELECT agent, host, asset, max(nanodollars) FROM (SELECT agent, host, asset, nanodollars \(oldest))
            WHERE true GROUP BY agent, host, asset
            ON CONFLICT DO UPDATE SET nanodollars = max(nanodollars, excluded.nanodollars)
            """, in: database)
        for word in words { ceilings.bind(word) }
        try ceilings.run()
        var lines = try Prepared(
            """
            DELETE FROM known_prices WHERE (agent, host, route, model, asset) IN (
                SELECT agent, host, route, model, asset \(oldest))
            """, in: database)
        for word in words { lines.bind(word) }
        try lines.run()
    }

    private static func bind(_ key: SellerKey, to row: inout Prepared) {
        row.bind(key.agent)
        row.bind(key.host)
        row.bind(key.route)
        row.bind(key.model.value ?? "")
    }
}
