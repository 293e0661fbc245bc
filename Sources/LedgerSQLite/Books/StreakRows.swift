import GRDB
import Ledger
import Primitives

/// Rows of `streaks`.
enum StreakRows {
    /// What names a row.
    struct Key: Hashable {
        /// The gateway's name.
        let gateway: String
        /// The token as `network/address`.
        let asset: String
    }

    /// How often a gateway rejected payments in a token; nil when the last one was taken.
    static func find(_ key: Key, in database: Database) throws(Fault) -> RejectionStreak? {
        var query = try Prepared(
            "SELECT rejections, pause, next_probe FROM streaks WHERE gateway = ? AND asset = ?", in: database)
        query.bind(key.gateway)
        query.bind(key.asset)
        guard try query.step() else { return nil }
        let count = query.integer()
        let pause = query.integer()
        guard RowNumber.range.contains(count), (1...RejectionStreak.longestPause).contains(pause) else {
            throw .step(.damaged("the rejections of gateway \"\(key.gateway)\" are not valid"))
        }
        return RejectionStreak(count: count, pause: pause, nextProbe: query.timestamp())
    }

    /// Writes a streak, or ends it.
    static func write(_ streak: RejectionStreak?, of key: Key, in database: Database) throws(Fault) {
        guard let streak else {
            var row = try Prepared("DELETE FROM streaks WHERE gateway = ? AND asset = ?", in: database)
            row.bind(key.gateway)
            row.bind(key.asset)
            return try row.run()
        }
        var row = try Prepared(
            "INSERT OR REPLACE INTO streaks (gateway, asset, rejections, pause, next_probe) VALUES (?, ?, ?, ?, ?)",
            in: database)
        row.bind(key.gateway)
        row.bind(key.asset)
        row.bind(streak.count)
        row.bind(streak.pause)
        row.bind(streak.nextProbe)
        try row.run()
    }
}
