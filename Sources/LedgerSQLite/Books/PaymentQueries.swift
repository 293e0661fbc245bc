import GRDB
import Ledger
import Primitives

/// Reading payments.
enum PaymentQueries {
    /// The payments that match, newest first.
    static func list(_ filter: PaymentFilter, in database: Database) throws(Fault) -> [PaymentRecord] {
        var conditions: [String] = []
        let states = filter.states?.sorted { $0.rawValue < $1.rawValue }
        // Open rows are few, the books are long.
        let onlyOpen = states.map { !$0.isEmpty && $0.allSatisfy(\.isOpen) } ?? false
        let source = onlyOpen ? PaymentRows.openOnly : PaymentRows.everything
        if filter.agent != nil { conditions.append("agent = ?") }
        if filter.gateway != nil { conditions.append("gateway = ?") }
        if let states {
            if onlyOpen { conditions.append(PaymentRows.openStates) }
            conditions.append("state IN (\(Array(repeating: "?", count: states.count).joined(separator: ", ")))")
        }
        let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        var query = try Prepared(
            PaymentRows.selection(from: source) + condition + " ORDER BY number DESC LIMIT ?", in: database)
        if let agent = filter.agent { query.bind(agent) }
        if let gateway = filter.gateway { query.bind(gateway) }
        for state in states ?? [] { query.bind(state.rawValue) }
        query.bind(Int64(filter.boundedLimit))
        return try PaymentRows.all(&query, in: database).map(\.record)
    }

    /// Payments in order, from a number on.
    static func page(from number: Int64, limit: Int, in database: Database) throws(Fault) -> [NumberedPayment] {
        var query = try Prepared(
            PaymentRows.selection() + " WHERE number >= ? ORDER BY number LIMIT ?", in: database)
        query.bind(number)
        query.bind(Int64(limit))
        return try PaymentRows.all(&query, in: database)
    }

    /// Open payments that meet a condition, in order.
    static func open(where condition: String, in database: Database) throws(Fault) -> [NumberedPayment] {
        var query = try Prepared(
            PaymentRows.selection(from: PaymentRows.openOnly)
                + " WHERE \(PaymentRows.openStates) AND \(condition) ORDER BY number", in: database)
        return try PaymentRows.all(&query, in: database)
    }

    private static let unshownSelection =
        PaymentRows.selection(from: "payments INDEXED BY payments_unshown")
            + """
             WHERE network = ? AND scheme = 'upto' AND moved IS NULL AND (state = 'settled' OR state = 'confirmed')
            ORDER BY number LIMIT ?
            """

    /// Payments that moved an unknown part of what was signed, oldest first.
    static func unshown(network: String, limit: Int, in database: Database) throws(Fault) -> [PaymentRecord] {
        var query = try Prepared(unshownSelection, in: database)
        query.bind(network)
        query.bind(Int64(limit))
        return try PaymentRows.all(&query, in: database).map(\.record)
    }

    private static let attemptSelection =
        PaymentRows.selection(from: "payments INDEXED BY payments_attempts")
        + " WHERE fingerprint = ? AND (state = 'rejected' OR state = 'in-doubt') AND agent = ? ORDER BY number"

    /// Unattended attempts at a request, oldest first.
    static func attempts(
        agent: String, fingerprint: Bytes32, in database: Database
    ) throws(Fault) -> [NumberedPayment] {
        var query = try Prepared(attemptSelection, in: database)
        query.bind(fingerprint)
        query.bind(agent)
        return try PaymentRows.all(&query, in: database)
    }

    /// Unproven payments of a network, those whose window ends first in front.
    static func unproven(network: String, limit: Int, in database: Database) throws(Fault) -> [PaymentRecord] {
        var query = try Prepared(
            PaymentRows.selection(from: "payments INDEXED BY payments_unproven") + """
                 WHERE (state = 'rejected' OR state = 'in-doubt' OR state = 'presumed' OR state = 'lapsed')
                AND network = ? ORDER BY valid_before, number LIMIT ?
                """, in: database)
        query.bind(network)
        query.bind(Int64(limit))
        return try PaymentRows.all(&query, in: database).map(\.record)
    }
}
