package import Ledger
package import Primitives

/// One pause of payments, as `status` shows it.
package struct PausedPayments: Sendable, Equatable {
    /// The gateway's name.
    package let gateway: String
    /// The agent that is paused; nil where everybody is.
    package let agent: String?
    /// The route that is paused; nil where the agent or everybody is.
    package let route: RejectedRoute?
    /// Rejections in a row on the route.
    package let rejections: Int64?
    /// Why the agent is paused.
    package let cause: AgentRejections.Cause?
    /// When one payment may be tried.
    package let nextProbe: Timestamp
    /// Whether the last rejection said that the wallet has too little of the token.
    package let saysUnfunded: Bool

    /// `gateway`, `agent` or `route`.
    package var scope: String { route != nil ? "route" : agent != nil ? "agent" : "gateway" }

    /// All pauses, by gateway, the widest first; `limits` are the gateways' `stop-after-rejections`, by name.
    ///
    /// A gateway that is not configured any more has no pauses. Without a configuration, nil, all have the usual limit.
    package static func list(
        _ rejections: [String: GatewayRejections], limits: [String: Int64]?
    ) -> [PausedPayments] {
        rejections.sorted { $0.key < $1.key }.flatMap { name, gateway -> [PausedPayments] in
            let limit = limits.map { $0[name] ?? 0 } ?? ReservationRules().stopAfterRejections
            guard limit > 0 else { return [] }
            var found: [PausedPayments] = []
            if let probes = gateway.probes {
                found.append(
                    PausedPayments(
                        gateway: name, agent: nil, route: nil, rejections: nil, cause: nil, nextProbe: probes.next,
                        saysUnfunded: gateway.agents.values.contains { $0.stop?.saysUnfunded ?? false }))
            }
            for (agent, own) in gateway.agents.sorted(by: { $0.key < $1.key }) {
                if let stop = own.stop {
                    found.append(
                        PausedPayments(
                            gateway: name, agent: agent, route: nil, rejections: nil, cause: stop.cause,
                            nextProbe: stop.probes.next, saysUnfunded: stop.saysUnfunded))
                }
                for (route, streak) in own.routes.sorted(by: { $0.key < $1.key }) where streak.count >= limit {
                    found.append(
                        PausedPayments(
                            gateway: name, agent: agent, route: route, rejections: streak.count, cause: nil,
                            nextProbe: streak.probes.next, saysUnfunded: streak.saysUnfunded))
                }
            }
            return found
        }
    }

    /// The pause in words: what is paused, why, and when one payment is tried.
    package var words: String {
        let what =
            if let route, let agent {
                "agent \(agent) on \(route.name) (\(rejections ?? 0) rejections in a row)"
            } else if let agent {
                "agent \(agent) (\(cause == .exposure ? "rejected exposure" : "rejections on several routes"))"
            } else {
                "everybody (rejections of several agents)"
            }
        let why = saysUnfunded ? ", reason insufficient_funds" : ""
        return "\(what) at \(gateway)\(why); one payment is tried from \(nextProbe)"
    }
}
