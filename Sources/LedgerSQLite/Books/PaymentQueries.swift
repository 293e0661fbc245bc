import GRDB
import Ledger
import Primitives

/// Reading payments, histories and usage.
enum PaymentQueries {
    /// The payments that match, newest first.
    static func list(_ filter: PaymentFilter, in database: Database) throws(Fault) -> [PaymentRecord] {
        var conditions: [String] = []
        let states = filter.states?.sorted { $0.rawValue < $1.rawValue }
        // Open rows are few, the books are long.
        let onlyOpen = states.map { !$0.isEmpty && $0.allSatisfy(\.isOpen) } ?? false
        let source = onlyOpen ? PaymentRows.openOnly : PaymentRows.everything
        if filter.agent != nil { conditions.append("agent = ?") }
        if let states {
            if onlyOpen { conditions.append(PaymentRows.openStates) }
            conditions.append("state IN (\(Array(repeating: "?", count: states.count).joined(separator: ", ")))")
        }
        let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        var query = try Prepared(
            PaymentRows.selection(from: source) + condition + " ORDER BY number DESC LIMIT ?", in: database)
        if let agent = filter.agent { query.bind(agent) }
        for state in states ?? [] { query.bind(state.rawValue) }
        query.bind(Int64(min(max(filter.limit, 1), PaymentFilter.maximumLimit)))
        var records: [PaymentRecord] = []
        while try query.step() { records.append(try PaymentRows.read(&query).record) }
        return records
    }

    /// One payment's history, oldest first; empty when it is not in the books.
    static func history(of id: PaymentID, in database: Database) throws(Fault) -> [PaymentTransition] {
        var query = try Prepared(
            """
            SELECT sequence, at, transitions.state, cause
            FROM transitions JOIN payments ON payments.number = transitions.payment
            WHERE payments.id = ? ORDER BY sequence
            """, in: database)
        query.bind(id.description)
        var lines: [PaymentTransition] = []
        while try query.step() {
            let sequence = query.integer()
            let time = Timestamp(milliseconds: query.integer())
            guard let state = PaymentState(rawValue: query.text()) else {
                throw .batch(.damaged("line \(sequence) of transitions has no valid state"))
            }
            lines.append(
                PaymentTransition(sequence: sequence, payment: id, at: time, state: state, cause: query.text()))
        }
        return lines
    }

    /// The use of an agent's caps at ledger time.
    static func usage(of agent: String, at now: Timestamp, in database: Database) throws(Fault) -> [CapUsage] {
        guard let caps = try AgentRows.caps(of: agent, in: database) else { throw .step(.unknownAgent(agent)) }
        let time = LedgerTime.later(now, try LedgerTime.last(in: database))
        let totals = try AgentTotals.read(of: agent, day: time.utcDay, in: database)
        return CapCheck.usage(of: caps, counted: try totals.counted(on: time.utcDay), at: time)
    }
}
