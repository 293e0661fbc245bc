package import Primitives
import SystemCrypto

/// What rejections are counted by within an agent and a gateway: the token, and the request's method and path.
package struct RejectedRoute: Sendable, Hashable, Comparable {
    /// The token as `network/address`.
    package let asset: String
    /// Method and path without the query, such as `POST /v1/images`; at most ``maximumLength`` bytes of UTF-8.
    ///
    /// A longer one is its beginning and the SHA-256 of all of it, so that no two routes are one.
    package let name: String

    /// The longest name, in bytes.
    package static let maximumLength = 256

    /// Makes a route from what the books kept.
    package init(asset: String, name: String) {
        self.asset = asset
        self.name = name
    }

    /// The route of a payment for a request.
    package init(asset: String, request: PaymentIntent.Request) {
        self.init(asset: asset, name: Self.bounded("\(request.method) \(request.path)"))
    }

    /// A method and path within ``maximumLength``.
    static func bounded(_ whole: String) -> String {
        guard whole.utf8.count > maximumLength else { return whole }
        let hash = "\(SHA256.hash(Array(whole.utf8)))"
        var beginning = ""
        var left = maximumLength - hash.utf8.count - 1
        for character in whole {
            left -= character.utf8.count
            guard left >= 0 else { break }
            beginning.append(character)
        }
        return "\(beginning) \(hash)"
    }

    package static func < (left: RejectedRoute, right: RejectedRoute) -> Bool {
        (left.name, left.asset) < (right.name, right.asset)
    }
}

/// Rejections in a row on one route, for one agent.
package struct RouteStreak: Sendable, Equatable {
    /// How many there were, at least 1.
    package private(set) var count: Int64
    /// The agent's ``AgentRejections/epoch`` in which the last one came.
    package private(set) var epoch: Int64
    /// When the last one came.
    package private(set) var rejectedAt: Timestamp
    /// Whether the last one said that the wallet has too little of the token.
    package private(set) var saysUnfunded: Bool
    /// When a payment may be tried, once the route is paused.
    package private(set) var probes: ProbeSchedule

    /// Makes a streak from what the books kept.
    package init(count: Int64, epoch: Int64, rejectedAt: Timestamp, saysUnfunded: Bool, probes: ProbeSchedule) {
        self.count = count
        self.epoch = epoch
        self.rejectedAt = rejectedAt
        self.saysUnfunded = saysUnfunded
        self.probes = probes
    }

    /// The first rejection.
    init(_ rejection: Rejection, epoch: Int64) {
        self.init(
            count: 1, epoch: epoch, rejectedAt: rejection.at, saysUnfunded: rejection.saysUnfunded,
            probes: ProbeSchedule(beginningAt: rejection.at))
    }

    /// One more.
    mutating func rejected(_ rejection: Rejection, epoch: Int64) {
        // A count that ran over would be no count.
        count = min(count, .max - 1) + 1
        self.epoch = epoch
        rejectedAt = rejection.at
        saysUnfunded = rejection.saysUnfunded
        probes.rejected(at: rejection.at)
    }

    /// A payment is tried on the paused route.
    mutating func probed(at now: Timestamp) { probes.probed(at: now) }
}

/// One rejection of a payment, as it is counted.
package struct Rejection: Sendable, Equatable {
    /// Where.
    package let route: RejectedRoute
    /// Ledger time.
    package let at: Timestamp
    /// Whether the seller said that the wallet has too little of the token.
    package let saysUnfunded: Bool
    /// The agent's tightest cap in dollars over a time window; nil where it has none.
    package let tightestCap: Dollars?

    /// Makes a rejection.
    package init(route: RejectedRoute, at time: Timestamp, saysUnfunded: Bool = false, tightestCap: Dollars? = nil) {
        self.route = route
        at = time
        self.saysUnfunded = saysUnfunded
        self.tightestCap = tightestCap
    }
}
