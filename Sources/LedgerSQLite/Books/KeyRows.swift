import GRDB
import Ledger
import Primitives

/// Rows of `request_keys`: which payment an agent's idempotency key is bound to.
enum KeyRows {
    /// What a key is bound to.
    struct Binding {
        /// The request's fingerprint.
        let fingerprint: Bytes32
        /// The payment's number.
        let payment: Int64
    }

    /// What a key is bound to since less than its lifetime ago; nil when it is free.
    static func find(agent: String, key: Bytes32, at now: Timestamp, in database: Database) throws(Fault) -> Binding? {
        var query = try Prepared(
            "SELECT fingerprint, payment, bound_at FROM request_keys WHERE agent = ? AND key = ?", in: database)
        query.bind(agent)
        query.bind(key)
        guard try query.step() else { return nil }
        guard let fingerprint = query.bytes32() else { throw .step(.damaged("an idempotency key is not valid")) }
        let payment = query.integer()
        let isBound = now.seconds - query.timestamp().seconds < ReservationRequest.keyLifetime
        return isBound ? Binding(fingerprint: fingerprint, payment: payment) : nil
    }

    /// Binds a key from now on, and forgets a few that are too old to bind anything.
    static func bind(
        agent: String, key: Bytes32, fingerprint: Bytes32, payment: Int64, at now: Timestamp, in database: Database
    ) throws(Fault) {
        var old = try Prepared(
            """
            DELETE FROM request_keys WHERE (agent, key) IN (
                SELECT agent, key FROM request_keys WHERE bound_at < ? ORDER BY bound_at LIMIT 4)
            """, in: database)
        old.bind(now.adding(seconds: -2 * ReservationRequest.keyLifetime))
        try old.run()
        var row = try Prepared(
            "INSERT OR REPLACE INTO request_keys (agent, key, fingerprint, payment, bound_at) VALUES (?, ?, ?, ?, ?)",
            in: database)
        row.bind(agent)
        row.bind(key)
        row.bind(fingerprint)
        row.bind(payment)
        row.bind(now)
        try row.run()
    }
}
