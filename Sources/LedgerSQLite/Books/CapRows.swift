import GRDB
import Ledger
import Primitives

/// Rows of `caps`, each with its counter.
enum CapRows {
    /// A cap's counter as it stands.
    struct Row: Equatable {
        /// The row's number.
        let number: Int64
        /// What counts.
        var counter: CapCounter
    }

    private static let bucketSize = 72

    /// All caps.
    static func all(in database: Database) throws(Fault) -> [Cap] {
        var query = try Prepared("SELECT scope, span, measure, amount FROM caps", in: database)
        var caps: [Cap] = []
        while try query.step() {
            let text = query.text()
            guard let scope = CapScope(text), let window = CapWindow(query.text()),
                let measure = CapMeasure(rawValue: query.text()), let amount = query.amount()
            else { throw .step(.damaged("a cap of \"\(text)\" is not valid")) }
            caps.append(Cap(scope, CapLimit(window, measure, amount)))
        }
        return caps
    }

    /// A cap's counter, or nil.
    static func find(_ key: Cap.Key, in database: Database) throws(Fault) -> Row? {
        var query = try Prepared(
            "SELECT number, open, buckets FROM caps WHERE scope = ? AND span = ? AND measure = ?", in: database)
        bind(key, to: &query)
        guard try query.step() else { return nil }
        let number = query.integer()
        guard let open = query.amount(), let buckets = buckets(query.blob()) else {
            throw .step(.damaged("the counter of a cap of \"\(key.scope)\" is not valid"))
        }
        return Row(number: number, counter: CapCounter(open: open, buckets: buckets))
    }

    /// Sets a cap with its counter, replacing what was there.
    static func set(_ cap: Cap, counter: CapCounter, in database: Database) throws(Fault) {
        var row = try Prepared(
            """
            INSERT INTO caps (scope, span, measure, amount, open, buckets) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (scope, span, measure) DO UPDATE SET amount = ?4, open = ?5, buckets = ?6
            """, in: database)
        bind(cap.key, to: &row)
        row.bind(cap.limit.amount)
        row.bind(counter.open)
        row.bind(bytes(of: counter.buckets))
        try row.run()
    }

    /// Writes a counter.
    static func write(_ row: Row, in database: Database) throws(Fault) {
        var statement = try Prepared("UPDATE caps SET open = ?, buckets = ? WHERE number = ?", in: database)
        statement.bind(row.counter.open)
        statement.bind(bytes(of: row.counter.buckets))
        statement.bind(row.number)
        try statement.run()
    }

    /// Removes a cap.
    static func remove(_ key: Cap.Key, in database: Database) throws(Fault) {
        var row = try Prepared("DELETE FROM caps WHERE scope = ? AND span = ? AND measure = ?", in: database)
        bind(key, to: &row)
        try row.run()
    }

    private static func bind(_ key: Cap.Key, to row: inout Prepared) {
        row.bind(key.scope.description)
        row.bind(key.window.description)
        row.bind(key.measure.rawValue)
    }

    /// Each bucket as its start in milliseconds (8 bytes), what counts (32) and what of that is open (32), big-endian.
    private static func bytes(of buckets: [CapCounter.Bucket]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(buckets.count * bucketSize)
        for bucket in buckets {
            let start = UInt64(bitPattern: bucket.start.milliseconds)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: start >> shift))
            }
            bytes += bucket.counted.bigEndianBytes.bytes
            bytes += bucket.open.bigEndianBytes.bytes
        }
        return bytes
    }

    private static func buckets(_ bytes: [UInt8]) -> [CapCounter.Bucket]? {
        guard bytes.count.isMultiple(of: bucketSize) else { return nil }
        var buckets: [CapCounter.Bucket] = []
        for offset in stride(from: 0, to: bytes.count, by: bucketSize) {
            let start = bytes[offset..<offset + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let counted = Bytes32(Array(bytes[offset + 8..<offset + 40])),
                let open = Bytes32(Array(bytes[offset + 40..<offset + bucketSize]))
            else { return nil }
            buckets.append(
                CapCounter.Bucket(
                    start: Timestamp(milliseconds: Int64(bitPattern: start)), counted: UInt256(bigEndian: counted),
                    open: UInt256(bigEndian: open)))
        }
        return buckets
    }

    /// What a cap counts as of one state of the books, and where that state ends.
    struct Past {
        /// The cap.
        let cap: Cap
        /// What it counts.
        let counter: CapCounter
        /// The number of the last entry; 0 in empty books.
        let entry: Int64
        /// The number of the last call; 0 where there is none.
        let call: Int64
    }

    /// What a cap counts by now; call it in a reading transaction.
    static func past(of cap: Cap, at now: Timestamp, in database: Database) throws(Fault) -> Past {
        let head = try EntryRows.Head.read(in: database)
        var calls = try Prepared("SELECT max(number) FROM calls", in: database)
        let call = try calls.step() ? calls.integer() : 0
        return Past(
            cap: cap, counter: try recount(cap, at: head.time(at: now), in: database), entry: head.number, call: call)
    }

    /// What a cap counts once the payments that took a step since, and the calls, are counted as they are now; call it under the write lock.
    static func caughtUp(_ past: Past, at now: Timestamp, in database: Database) throws(Fault) -> CapCounter {
        let (cap, window) = (past.cap, past.cap.limit.window)
        var counter = past.counter
        guard window != .request else { return counter }
        var query = try Prepared(
            """
            SELECT \(spendFields), state, (
                SELECT entries.state FROM entries WHERE entries.payment = payments.number AND entries.number <= ?1
                ORDER BY entries.number DESC LIMIT 1), (
                SELECT count(*) FROM entries WHERE entries.payment = payments.number AND entries.number <= ?1
                AND cause = '\(PaymentEvent.amountShown.rawValue)')
            FROM payments WHERE number IN (SELECT payment FROM entries WHERE number > ?1 AND payment IS NOT NULL)
            AND version IS NOT NULL ORDER BY number
            """, in: database)
        query.bind(past.entry)
        while try query.step() {
            let payment = try readSpend(&query)
            let state = PaymentState(rawValue: query.text())
            let earlier = query.optionalText()
            let previous = earlier.flatMap { PaymentState(rawValue: $0) }
            let wasShown = query.integer() > 0
            guard let state, earlier == nil || previous != nil else {
                throw .step(.damaged("a payment has no valid state"))
            }
            guard payment.spend.isCounted(by: cap.scope) else { continue }
            if let previous {
                let known = wasShown ? payment.spend : payment.whole
                counter.move(
                    known.quantity(of: cap.limit.measure), reservedAt: payment.reservedAt, in: window, from: previous,
                    to: .voided, at: now)
            }
            counter.add(payment.spend, reservedAt: payment.reservedAt, state: state, to: cap.limit, at: now)
        }
        if cap.limit.measure == .payments {
            try countCalls(cap, at: now, from: past.call + 1, into: &counter, in: database)
        }
        return counter
    }

    private static let spendFields =
        "agent, team, gateway, host, pay_to, network, asset, nanodollars, amount, moved, reserved_at"

    /// What ``spendFields`` say: the payment as caps see it, as they saw it before it was shown what it moved, and when it
    /// was reserved.
    private static func readSpend(
        _ row: inout Prepared
    ) throws(Fault) -> (spend: Spend, whole: Spend, reservedAt: Timestamp) {
        let agent = row.text()
        let team = row.optionalText()
        let gateway = row.text()
        let host = row.text()
        let payee = row.text()
        let network = row.text()
        let asset = row.text()
        guard let dollars = Dollars(nanodollars: row.integer()), let units = row.amount() else {
            throw .step(.damaged("a payment has no valid amount"))
        }
        let moved = row.optionalBytes32().map { UInt256(bigEndian: $0) }
        func spend(_ dollars: Dollars, _ units: UInt256) -> Spend {
            Spend(
                agent: agent, team: team, gateway: gateway, host: host, payee: payee, asset: "\(network)/\(asset)",
                network: network, dollars: dollars, units: units)
        }
        let whole = spend(dollars, units)
        let part = moved.map { spend(dollars.share(of: $0, in: units), $0) }
        return (part ?? whole, whole, row.timestamp())
    }

    /// What a cap counts, worked out from payments and calls.
    ///
    /// Reads what was reserved since the window began, and what is open from before; for a lifetime cap of the house that
    /// is every payment in the books.
    static func recount(_ cap: Cap, at now: Timestamp, in database: Database) throws(Fault) -> CapCounter {
        var counter = CapCounter()
        guard cap.limit.window != .request else { return counter }
        let beginning = cap.limit.window.beginning(at: now)
        let first =
            try beginning.map { (time) throws(Fault) in
                try EntryRows.first(since: time, table: "payments", column: "reserved_at", in: database)
            } ?? 1
        try count(cap, at: now, where: "number >= \(first)", into: &counter, in: database)
        if first > 1 {
            try count(
                cap, at: now, where: "number < \(first) AND \(PaymentRows.openStates)", into: &counter, in: database)
        }
        if cap.limit.measure == .payments {
            let first =
                try beginning.map { (time) throws(Fault) in
                    try EntryRows.first(since: time, table: "calls", column: "at", in: database)
                } ?? 1
            try countCalls(cap, at: now, from: first, into: &counter, in: database)
        }
        return counter
    }

    private static func count(
        _ cap: Cap, at now: Timestamp, where condition: String, into counter: inout CapCounter, in database: Database
    ) throws(Fault) {
        var agent: String?
        if case .agent(let name) = cap.scope.holder { agent = name }
        var query = try Prepared(
            """
            SELECT \(spendFields), state
            FROM payments WHERE version IS NOT NULL AND \(condition) \(agent == nil ? "" : "AND agent = ?")
            ORDER BY number
            """, in: database)
        if let agent { query.bind(agent) }
        while try query.step() {
            let payment = try readSpend(&query)
            guard let state = PaymentState(rawValue: query.text()) else {
                throw .step(.damaged("a payment has no valid state"))
            }
            guard payment.spend.isCounted(by: cap.scope) else { continue }
            counter.add(payment.spend, reservedAt: payment.reservedAt, state: state, to: cap.limit, at: now)
        }
    }

    private static func countCalls(
        _ cap: Cap, at now: Timestamp, from first: Int64, into counter: inout CapCounter, in database: Database
    ) throws(Fault) {
        var query = try Prepared(
            "SELECT agent, team, gateway, host, at FROM calls WHERE number >= ? ORDER BY number", in: database)
        query.bind(first)
        while try query.step() {
            let call = MeteredCall(
                agent: query.text(), team: query.optionalText(), gateway: query.text(), host: query.text())
            guard call.spend.isCounted(by: cap.scope) else { continue }
            counter.add(call.spend, reservedAt: query.timestamp(), state: .settled, to: cap.limit, at: now)
        }
    }
}
