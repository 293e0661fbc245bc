package import Primitives

/// What one gateway rejected, by agent, and what is paused because of it.
///
/// A route is paused for an agent, an agent at the gateway, or the gateway for everybody: that only while two agents are
/// paused at it and no payment of a third was accepted since the first of the two was paused. What was accepted from one
/// of the two before its own pause is not a third's. Each pause has probes of its own, which are payments of those for
/// whom it holds.
package struct GatewayRejections: Sendable, Equatable {
    /// What concerns each agent, by name; agents without rejections are not listed.
    package private(set) var agents: [String: AgentRejections]
    /// When an agent that is not paused itself may try a payment; nil unless the gateway is paused for everybody.
    package private(set) var probes: ProbeSchedule?
    /// How many agents are paused for whose pause another accepted payment can change something.
    private var open: Int

    /// Makes a value from what the books kept; without arguments, of a gateway that has rejected nothing.
    package init(agents: [String: AgentRejections] = [:], probes: ProbeSchedule? = nil) {
        self.agents = agents
        self.probes = probes
        open = Self.open(agents)
    }

    /// Whether nothing has to be kept.
    package var isEmpty: Bool { agents.isEmpty && probes == nil }

    /// Whether nothing is counted that concerns an agent's next payment.
    package func isClear(for agent: String) -> Bool { probes == nil && agents[agent] == nil }

    /// Why an agent must not pay on a route now, by the pause that ends last; nil when it may.
    ///
    /// `limit` is the gateway's ``ReservationRules/stopAfterRejections``.
    package func pause(of agent: String, on route: RejectedRoute, after limit: Int64, at now: Timestamp)
        -> RejectionPause?
    {
        guard limit > 0 else { return nil }
        let own = agents[agent]
        var pauses: [RejectionPause] = []
        if let streak = own?.routes[route], streak.count >= limit {
            pauses.append(RejectionPause(.route(route, rejections: streak.count), streak.probes, streak.saysUnfunded))
        }
        if let stop = own?.stop {
            pauses.append(RejectionPause(.agent(stop.cause), stop.probes, stop.saysUnfunded))
        } else if let probes {
            pauses.append(RejectionPause(.gateway, probes, saysUnfunded))
        }
        return pauses.filter { now < $0.until }.max { $0.until < $1.until }
    }

    private var saysUnfunded: Bool { agents.values.contains { $0.stop?.saysUnfunded ?? false } }

    /// A payment of an agent is set aside on a route: in each pause that holds for it, it is the probe.
    package mutating func reserved(by agent: String, on route: RejectedRoute, after limit: Int64, at now: Timestamp) {
        guard limit > 0 else { return }
        if agents[agent]?.stop == nil { probes?.probed(at: now) }
        agents[agent]?.reserved(on: route, after: limit, at: now)
    }

    /// A payment of this value went from one state to another.
    package mutating func moved(_ value: Dollars, of agent: String, from: PaymentState, to: PaymentState) {
        guard (from == .rejected) != (to == .rejected) else { return }
        var own = agents[agent] ?? AgentRejections()
        own.expose(value, isRejected: to == .rejected)
        agents[agent] = own.isEmpty ? nil : own
    }

    /// A payment of an agent was rejected; what it exposes was counted by ``moved(_:of:from:to:)`` before.
    package mutating func rejected(_ rejection: Rejection, of agent: String) {
        var own = agents[agent] ?? AgentRejections()
        if own.stop == nil { probes?.rejected(at: rejection.at) }
        own.rejected(rejection)
        agents[agent] = own
        review(at: rejection.at)
    }

    /// Whether an accepted payment changes anything; `route` is nil where it is not known any more.
    package func isChanged(byAcceptanceOf agent: String, on route: @autoclosure () -> RejectedRoute?) -> Bool {
        guard !agents.isEmpty else { return false }
        if agents[agent]?.isChanged(byAcceptanceOn: route()) ?? false { return true }
        return open > 0
            && agents.contains { name, own in
                name != agent && own.stop.map { $0.accepted.isChanged(by: agent) } ?? false
            }
    }

    /// A payment of an agent was accepted: the agent and its route go on, and the gateway for the others.
    package mutating func accepted(by agent: String, on route: RejectedRoute?, at time: Timestamp) {
        if var own = agents[agent] {
            own.accepted(on: route)
            agents[agent] = own.isEmpty ? nil : own
        }
        for name in agents.keys where name != agent { agents[name]?.accepted(from: agent) }
        review(at: time)
    }

    /// Forgets the routes whose last rejection came before a time: their names are parts of URLs, which operators erase.
    ///
    /// What is counted for the agents stays.
    package mutating func forgetRoutes(before bound: Timestamp) {
        for (name, var own) in agents {
            own.forgetRoutes(before: bound)
            agents[name] = own.isEmpty ? nil : own
        }
    }

    private mutating func review(at time: Timestamp) {
        open = Self.open(agents)
        probes = isPausedForAll ? probes ?? ProbeSchedule(beginningAt: time) : nil
    }

    /// Whether two agents are paused, and no payment of a third was accepted since the first of them was.
    ///
    /// The later pause of two has seen at most what the earlier one has, so both are asked alike.
    package var isPausedForAll: Bool {
        var isOnePaused = false
        for (name, own) in agents {
            guard let stop = own.stop else { continue }
            switch stop.accepted {
            case .several: continue
            case .none:
                if isOnePaused { return true }
                isOnePaused = true
            case .only(let other):
                if let second = agents[other]?.stop, !second.accepted.includesOther(than: name) { return true }
            }
        }
        return false
    }

    private static func open(_ agents: [String: AgentRejections]) -> Int {
        agents.values.count { $0.stop.map { $0.accepted != .several } ?? false }
    }
}
