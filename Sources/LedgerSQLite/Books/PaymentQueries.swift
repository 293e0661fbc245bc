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

    /// Where a walk through open payments has come to: the end of a payment's window, and its number.
    struct Place {
        /// Unix seconds.
        let validBefore: Int64
        /// The payment's number.
        let number: Int64

        /// Before the first.
        static let start = Place(validBefore: .min, number: .min)
    }

    /// Payments whose agents wait, those whose window ends first in front.
    static func attended(behind place: Place, limit: Int, in database: Database) throws(Fault) -> [Place] {
        try places("(state = 'reserved' OR state = 'resumed')", behind: place, limit: limit, in: database)
    }

    /// Unattended payments whose window ended before a policy's margin, those whose window ended first in front; without
    /// those of networks that a chain reader watches.
    static func overdue(
        _ policy: OverduePolicy, at time: Timestamp, behind place: Place, limit: Int, in database: Database
    ) throws(Fault) -> [Place] {
        try places(
            "(state = 'rejected' OR state = 'in-doubt')", before: time.seconds - policy.margin,
            elsewhere: policy.proven.sorted(), behind: place, limit: limit, in: database)
    }

    private static func places(
        _ condition: String, before end: Int64? = nil, elsewhere networks: [String] = [], behind place: Place,
        limit: Int, in database: Database
    ) throws(Fault) -> [Place] {
        var conditions = [PaymentRows.openStates, condition, "(valid_before, number) > (?, ?)"]
        if end != nil { conditions.append("valid_before < ?") }
        if !networks.isEmpty {
            let marks = Array(repeating: "?", count: networks.count).joined(separator: ", ")
            conditions.append("network NOT IN (\(marks))")
        }
        var query = try Prepared(
            "SELECT valid_before, number FROM \(PaymentRows.openOnly) WHERE "
                + conditions.joined(separator: " AND ") + " ORDER BY valid_before, number LIMIT ?", in: database)
        query.bind(place.validBefore)
        query.bind(place.number)
        if let end { query.bind(end) }
        for network in networks { query.bind(network) }
        query.bind(Int64(limit))
        var places: [Place] = []
        while try query.step() { places.append(Place(validBefore: query.integer(), number: query.integer())) }
        return places
    }

    /// The numbers of closed payments that have something to erase, in order, between two numbers.
    static func erasable(
        behind number: Int64, before end: Int64, limit: Int, in database: Database
    ) throws(Fault) -> [Int64] {
        var query = try Prepared(
            """
            SELECT number FROM payments
            WHERE number > ? AND number < ? AND salt IS NOT NULL AND NOT \(PaymentRows.openStates)
            ORDER BY number LIMIT ?
            """, in: database)
        query.bind(number)
        query.bind(end)
        query.bind(Int64(limit))
        var numbers: [Int64] = []
        while try query.step() { numbers.append(query.integer()) }
        return numbers
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

    /// The fates that hold a request back, as the condition of the index writes them.
    private static let heldFates = "(delivery = 'undelivered' OR delivery = 'left' OR delivery = 'failed')"
    /// How many seconds after the news of it an answer that did not arrive can hold a request back: the longest window that
    /// is ever signed for, with room for clocks that differ.
    static let longestHold: Int64 = 2 * 3600

    private static let heldSelection =
        PaymentRows.selection(from: "payments INDEXED BY payments_held")
        + " WHERE fingerprint = ? AND delivery_at > ? AND \(heldFates) AND agent = ? ORDER BY number DESC"

    /// Payments for a request whose answers did not arrive or were failures, as was known after a time; newest first.
    static func held(
        agent: String, fingerprint: Bytes32, since: Timestamp, in database: Database
    ) throws(Fault) -> [NumberedPayment] {
        var query = try Prepared(heldSelection, in: database)
        query.bind(fingerprint)
        query.bind(since)
        query.bind(agent)
        return try PaymentRows.all(&query, in: database)
    }

    /// Whether any payment's answer did not arrive or was a failure.
    static func anyHeld(in database: Database) throws(Fault) -> Bool {
        var query = try Prepared(
            "SELECT 1 FROM payments INDEXED BY payments_held WHERE \(heldFates) LIMIT 1", in: database)
        return try query.step()
    }

    /// Payments whose answers are on their way to their agents, those whose window ends first in front.
    static func underWay(behind place: Place, limit: Int, in database: Database) throws(Fault) -> [Place] {
        var query = try Prepared(
            """
            SELECT valid_before, number FROM payments INDEXED BY payments_under_way
            WHERE delivery = 'under-way' AND (valid_before, number) > (?, ?) ORDER BY valid_before, number LIMIT ?
            """, in: database)
        query.bind(place.validBefore)
        query.bind(place.number)
        query.bind(Int64(limit))
        var places: [Place] = []
        while try query.step() { places.append(Place(validBefore: query.integer(), number: query.integer())) }
        return places
    }

    /// The account of a wallet's newest payment, EIP-55; nil when it never paid.
    ///
    /// A walk from the newest payment back, for books without an entry about the wallet: once for each.
    static func lastPayer(of wallet: String, in database: Database) throws(Fault) -> String? {
        var query = try Prepared(
            "SELECT payer FROM payments WHERE wallet = ? ORDER BY number DESC LIMIT 1", in: database)
        query.bind(wallet)
        return try query.step() ? query.optionalText() : nil
    }

    /// The policy that the newest payment was decided by.
    static func lastPolicy(in database: Database) throws(Fault) -> PolicyInForce {
        var query = try Prepared("SELECT policy FROM payments ORDER BY number DESC LIMIT 1", in: database)
        guard try query.step() else { return .unknown }
        return query.optionalBytes32().map(PolicyInForce.file) ?? .none
    }
}
