package import Primitives

/// A pause that stands against a payment.
package struct RejectionPause: Sendable, Equatable {
    /// What is paused.
    package enum Scope: Sendable, Equatable {
        /// A route, for one agent, after so many rejections in a row.
        case route(RejectedRoute, rejections: Int64)
        /// An agent at the gateway.
        case agent(AgentRejections.Cause)
        /// The gateway, for everybody.
        case gateway
    }

    /// What is paused.
    package let scope: Scope
    /// When one payment may be tried.
    package let until: Timestamp
    /// Whether the gateway said last that the wallet has too little of the token.
    package let saysUnfunded: Bool

    /// Makes a pause.
    package init(scope: Scope, until: Timestamp, saysUnfunded: Bool = false) {
        self.scope = scope
        self.until = until
        self.saysUnfunded = saysUnfunded
    }

    init(_ scope: Scope, _ probes: ProbeSchedule, _ saysUnfunded: Bool) {
        self.init(scope: scope, until: probes.next, saysUnfunded: saysUnfunded)
    }
}

extension RejectionPause.Scope {
    /// `route`, `agent` or `gateway`: what operators and agents read.
    package var word: String {
        switch self {
        case .route: "route"
        case .agent: "agent"
        case .gateway: "gateway"
        }
    }
}
