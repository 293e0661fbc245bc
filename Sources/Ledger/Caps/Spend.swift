package import Primitives

/// One payment, or one call of a prepaid gateway, as caps see it.
package struct Spend: Sendable, Equatable {
    /// Who spends.
    package let agent: String
    /// The team the agent is in.
    package let team: String?
    /// The gateway's name.
    package let gateway: String
    /// The host, lower case, without a port.
    package let host: String
    /// The payee, EIP-55; nil for a prepaid call.
    package let payee: String?
    /// The token as `network/address`; nil for a prepaid call.
    package let asset: String?
    /// The network, CAIP-2; nil for a prepaid call.
    package let network: String?
    /// The dollar value.
    package let dollars: Dollars
    /// The amount in atomic units.
    package let units: UInt256

    /// Makes a spend.
    package init(
        agent: String, team: String?, gateway: String, host: String, payee: String?, asset: String?, network: String?,
        dollars: Dollars, units: UInt256
    ) {
        self.agent = agent
        self.team = team
        self.gateway = gateway
        self.host = host
        self.payee = payee
        self.asset = asset
        self.network = network
        self.dollars = dollars
        self.units = units
    }

    /// The scopes that hold it, without their facets, narrowest first.
    package var holders: [CapHolder] {
        var holders: [CapHolder] = [.agent(agent)]
        if let team { holders.append(.team(team)) }
        holders.append(.house)
        return holders
    }

    /// How much of a measure it is.
    package func quantity(of measure: CapMeasure) -> UInt256 {
        switch measure {
        case .dollars: dollars.quantity
        case .units: units
        case .payments: UInt256(1)
        }
    }

    /// Whether a scope counts it.
    package func isCounted(by scope: CapScope) -> Bool {
        let isHeld =
            switch scope.holder {
            case .house: true
            case .team(let name): name == team
            case .agent(let name): name == agent
            }
        guard isHeld else { return false }
        return switch scope.facet {
        case nil: true
        case .gateway(let name): name == gateway
        case .host(let name): name == host
        case .payee(let address): address == payee
        case .asset(let name): name == asset
        case .network(let name): name == network
        }
    }
}

extension PaymentIntent.Purpose {
    /// The payment as caps see it; `moved` is what was really moved, once that is shown.
    package func spend(_ terms: PaymentIntent.Terms, moved: UInt256? = nil) -> Spend {
        Spend(
            agent: agent, team: team, gateway: gateway, host: host, payee: terms.payTo, asset: terms.assetName,
            network: terms.network, dollars: moved.map { terms.value.share(of: $0, in: terms.amount) } ?? terms.value,
            units: moved ?? terms.amount)
    }
}

extension PaymentIntent.Terms {
    /// Whether the signed amount is a maximum, of which less may be settled.
    package var isMaximum: Bool { scheme == "upto" }
}
