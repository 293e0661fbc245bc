import GRDB
import Ledger
import Primitives

/// Rows of `calls`: what agents asked of prepaid gateways.
enum CallRows {
    /// Adds a call; `time` is ledger time.
    static func insert(_ call: MeteredCall, at time: Timestamp, into database: Database) throws(Fault) {
        var row = try Prepared(
            "INSERT INTO calls (at, agent, team, gateway, host) VALUES (?, ?, ?, ?, ?)", in: database)
        row.bind(time)
        row.bind(call.agent)
        row.bind(call.team)
        row.bind(call.gateway)
        row.bind(call.host)
        try row.run()
    }

    /// Calls in order, from a number on.
    static func page(from number: Int64, limit: Int, in database: Database) throws(Fault) -> [NumberedCall] {
        var query = try Prepared(
            "SELECT number, at, agent, team, gateway, host FROM calls WHERE number >= ? ORDER BY number LIMIT ?",
            in: database)
        query.bind(number)
        query.bind(Int64(limit))
        var calls: [NumberedCall] = []
        while try query.step() {
            let number = try RowNumber.checked(query.integer(), of: "calls")
            let at = query.timestamp()
            let call = MeteredCall(
                agent: query.text(), team: query.optionalText(), gateway: query.text(), host: query.text())
            calls.append(NumberedCall(number: number, call: call, at: at))
        }
        return calls
    }
}

/// Which numbers a row may have.
enum RowNumber {
    /// Far from where sums of numbers end, so that whoever counts on never has to ask.
    static let range: ClosedRange<Int64> = 1...(1 << 53)

    /// The number, once it is known to be one; `table` is for the error.
    static func checked(_ number: Int64, of table: StaticString) throws(Fault) -> Int64 {
        guard range.contains(number) else { throw .step(.damaged("row \(number) of \(table) has no valid number")) }
        return number
    }
}
