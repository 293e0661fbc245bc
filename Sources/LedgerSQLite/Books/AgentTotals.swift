import GRDB
import Ledger
import Primitives

/// The running totals of one agent, in nano-dollars; the row of `totals`.
struct AgentTotals: Equatable {
    private(set) var lifetime: Int64 = 0
    private(set) var open: Int64 = 0
    private(set) var day: Int64
    private(set) var dayCounted: Int64 = 0
    private(set) var dayOpen: Int64 = 0

    /// The totals of an agent that never reserved.
    init(day: Int64) {
        self.day = day
    }

    /// What counts on a day: reserved on that day, plus what is still open from earlier ones.
    ///
    /// `day` is never before the row's own, since ledger time does not go back.
    func counted(on day: Int64) throws(Fault) -> Counted {
        let today = rolled(to: day)
        guard let dayTotal = Dollars(nanodollars: today.dayCounted + today.open - today.dayOpen),
            let lifetimeTotal = Dollars(nanodollars: today.lifetime)
        else { throw .batch(.damaged("an agent's totals are negative")) }
        return Counted(day: dayTotal, lifetime: lifetimeTotal)
    }

    /// Adds a reservation whose sum was checked.
    mutating func reserve(_ value: Dollars, on day: Int64) {
        self = rolled(to: day)
        lifetime += value.nanodollars
        open += value.nanodollars
        dayCounted += value.nanodollars
        dayOpen += value.nanodollars
    }

    private func rolled(to day: Int64) -> AgentTotals {
        guard day > self.day else { return self }
        var next = AgentTotals(day: day)
        next.lifetime = lifetime
        next.open = open
        return next
    }
}

extension AgentTotals {
    /// Reads an agent's row; `day` starts the totals of an agent that has none.
    static func read(of agent: String, day: Int64, in database: Database) throws(Fault) -> AgentTotals {
        var totals = AgentTotals(day: day)
        var query = try Prepared(
            "SELECT lifetime, open, day, day_counted, day_open FROM totals WHERE agent = ?", in: database)
        query.bind(agent)
        guard try query.step() else { return totals }
        totals.lifetime = query.integer()
        totals.open = query.integer()
        totals.day = query.integer()
        totals.dayCounted = query.integer()
        totals.dayOpen = query.integer()
        return totals
    }

    /// Writes an agent's row.
    func write(of agent: String, in database: Database) throws(Fault) {
        var statement = try Prepared(
            """
            INSERT INTO totals (lifetime, open, day, day_counted, day_open, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (agent) DO UPDATE
            SET lifetime = ?1, open = ?2, day = ?3, day_counted = ?4, day_open = ?5
            """, in: database)
        statement.bind(lifetime)
        statement.bind(open)
        statement.bind(day)
        statement.bind(dayCounted)
        statement.bind(dayOpen)
        statement.bind(agent)
        try statement.run()
    }

    /// Takes a payment out of the totals: from what is open, and when it no longer counts from everything.
    static func release(
        _ value: Dollars, of agent: String, reservedOn day: Int64, stillCounted: Bool, in database: Database
    ) throws(Fault) {
        var statement = try Prepared(
            """
            UPDATE totals SET
                lifetime = lifetime - ?1,
                open = open - ?2,
                day_counted = day_counted - iif(day = ?3, ?1, 0),
                day_open = day_open - iif(day = ?3, ?2, 0)
            WHERE agent = ?4
            """, in: database)
        statement.bind(stillCounted ? 0 : value.nanodollars)
        statement.bind(value.nanodollars)
        statement.bind(day)
        statement.bind(agent)
        try statement.run()
    }
}
