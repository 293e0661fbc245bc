package import Primitives

/// One call of a gateway that bills a prepaid balance behind its key.
package struct MeteredCall: Sendable, Equatable {
    /// The caller's name.
    package let agent: String
    /// The team the agent is in.
    package var team: String?
    /// The gateway's name.
    package let gateway: String
    /// The host, lower case, without a port.
    package let host: String

    /// Makes a call.
    package init(agent: String, team: String?, gateway: String, host: String) {
        self.agent = agent
        self.team = team
        self.gateway = gateway
        self.host = host
    }

    /// The call as caps see it: one payment of an unknown price.
    package var spend: Spend {
        Spend(
            agent: agent, team: team, gateway: gateway, host: host, payee: nil, asset: nil, network: nil,
            dollars: .zero, units: .zero)
    }

    /// The hash of what a call's entry fixes for ever, besides what it moves.
    package var hash: Bytes32 {
        var bytes = CanonicalBytes("purser-call-1")
        bytes.add(agent)
        bytes.add(team)
        bytes.add(gateway)
        bytes.add(host)
        return bytes.hash
    }

    /// The unit that calls are booked in.
    package static let asset = "calls"

    /// What is booked for it: one call, from the gateway to the agent.
    package var transfer: Transfer {
        Transfer(
            debit: .metered(agent: agent, gateway: gateway), credit: .prepaid(gateway: gateway), asset: Self.asset,
            amount: UInt256(1))
    }
}

/// The answer to a request to book a call.
package enum MeteringOutcome: Sendable, Equatable {
    /// The call is booked; the lines are the caps with it counted.
    case booked(usage: [CapUsage], warnings: [CapWarning])
    /// It is not, and must not be made.
    case refused(ReservationRefusal)
}
