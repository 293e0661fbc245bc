package import Primitives

/// What one gateway rejected of one agent's payments.
///
/// The count of routes and the exposure are the agent's: no new path, payee, query or token begins them again. Only an
/// accepted payment ends the count, and only what becomes of the payments themselves ends the exposure.
package struct AgentRejections: Sendable, Equatable {
    /// Rejected routes, without an accepted payment between them, at which the agent is paused.
    package static let routesToStop: Int64 = 3
    /// The most routes that are kept for an agent at a gateway.
    package static let maximumRoutes = 32
    /// The exposure at which the agent is paused is more than the tightest cap divided by this.
    package static let exposureShare: Int64 = 10

    /// Why the agent is paused at the gateway.
    ///
    /// Raw values are stored.
    package enum Cause: String, Sendable, CaseIterable {
        /// Payments were rejected on ``routesToStop`` routes, and none was accepted between them.
        case routes
        /// What is rejected and may still be settled is more than a tenth of the tightest cap.
        case exposure
    }

    /// The pause of the agent at the gateway.
    package struct Stop: Sendable, Equatable {
        /// Why.
        package let cause: Cause
        /// Since when.
        package let since: Timestamp
        /// Whose payments the gateway accepted since, other than the agent's own.
        package internal(set) var accepted: AcceptedAgents
        /// Whether the last rejection said that the wallet has too little of the token.
        package internal(set) var saysUnfunded: Bool
        /// When a payment may be tried.
        package internal(set) var probes: ProbeSchedule

        /// Makes a pause from what the books kept.
        package init(
            cause: Cause, since: Timestamp, accepted: AcceptedAgents, saysUnfunded: Bool, probes: ProbeSchedule
        ) {
            self.cause = cause
            self.since = since
            self.accepted = accepted
            self.saysUnfunded = saysUnfunded
            self.probes = probes
        }
    }

    /// Grows with each accepted payment that ends a count of routes.
    package private(set) var epoch: Int64
    /// Routes on which payments were rejected since the last accepted one.
    package private(set) var freshRoutes: Int64
    /// The value of the agent's payments there that are rejected now: each may still be settled.
    package private(set) var exposed: Dollars
    /// The pause; nil when the agent is not paused as a whole.
    package private(set) var stop: Stop?
    /// Rejections in a row by route, at most ``maximumRoutes``.
    package private(set) var routes: [RejectedRoute: RouteStreak]

    /// Makes a value from what the books kept; without arguments, of an agent that nothing was rejected of.
    package init(
        epoch: Int64 = 0, freshRoutes: Int64 = 0, exposed: Dollars = .zero, stop: Stop? = nil,
        routes: [RejectedRoute: RouteStreak] = [:]
    ) {
        self.epoch = epoch
        self.freshRoutes = freshRoutes
        self.exposed = exposed
        self.stop = stop
        self.routes = routes
    }

    /// Whether nothing has to be kept.
    var isEmpty: Bool { routes.isEmpty && freshRoutes == 0 && exposed == .zero && stop == nil }

    /// A payment of this value became rejected, or is rejected no longer.
    mutating func expose(_ value: Dollars, isRejected: Bool) {
        exposed = isRejected ? exposed.adding(value) ?? .max : exposed.subtracting(value) ?? .zero
    }

    /// A payment was rejected; its value is exposed already.
    mutating func rejected(_ rejection: Rejection) {
        if routes[rejection.route]?.epoch != epoch { freshRoutes += 1 }
        if routes[rejection.route] == nil {
            routes[rejection.route] = RouteStreak(rejection, epoch: epoch)
        } else {
            routes[rejection.route]?.rejected(rejection, epoch: epoch)
        }
        let hasForgottenPause = makeRoom(keeping: rejection.route)
        guard stop == nil else {
            stop?.saysUnfunded = rejection.saysUnfunded
            stop?.probes.rejected(at: rejection.at)
            return
        }
        let isExposed = rejection.tightestCap.map { exposed.nanodollars > $0.nanodollars / Self.exposureShare } ?? false
        guard freshRoutes >= Self.routesToStop || isExposed || hasForgottenPause else { return }
        stop = Stop(
            cause: isExposed && freshRoutes < Self.routesToStop ? .exposure : .routes, since: rejection.at,
            accepted: .none, saysUnfunded: rejection.saysUnfunded,
            probes: ProbeSchedule(beginningAt: rejection.at))
    }

    /// Forgets the route with the fewest rejections, the oldest of these, when there are too many; true when it may have
    /// been paused: then the agent is paused in its place.
    private mutating func makeRoom(keeping newest: RejectedRoute) -> Bool {
        guard routes.count > Self.maximumRoutes else { return false }
        let least = routes.filter { $0.key != newest }.min { left, right in
            (left.value.count, left.value.rejectedAt, left.key) < (right.value.count, right.value.rejectedAt, right.key)
        }
        guard let least else { return false }
        routes[least.key] = nil
        return least.value.count >= Self.routesToStop
    }

    /// Whether an accepted payment changes anything; `route` is nil where it is not known any more.
    func isChanged(byAcceptanceOn route: RejectedRoute?) -> Bool {
        stop != nil || freshRoutes > 0 || route.map { routes[$0] != nil } ?? false
    }

    /// A payment was accepted.
    mutating func accepted(on route: RejectedRoute?) {
        if let route { routes[route] = nil }
        stop = nil
        guard freshRoutes > 0 else { return }
        freshRoutes = 0
        epoch += 1
    }

    /// Forgets the routes whose last rejection came before a time.
    mutating func forgetRoutes(before bound: Timestamp) {
        routes = routes.filter { $0.value.rejectedAt >= bound }
    }

    /// A payment of another agent was accepted.
    mutating func accepted(from other: String) { stop?.accepted.add(other) }

    /// A payment is set aside on a route: where that is paused it is the probe.
    mutating func reserved(on route: RejectedRoute, after limit: Int64, at now: Timestamp) {
        if let streak = routes[route], streak.count >= limit { routes[route]?.probed(at: now) }
        stop?.probes.probed(at: now)
    }
}
