/// Whose payments a cap counts.
package enum CapHolder: Sendable, Hashable {
    /// Everybody's.
    case house
    /// Those of the agents of one team.
    case team(String)
    /// One agent's.
    case agent(String)
}

/// Which of its holder's payments a cap counts.
package enum CapFacet: Sendable, Hashable {
    /// Those through a gateway, by its name in the configuration.
    case gateway(String)
    /// Those for requests to a host, lower case, without a port.
    case host(String)
    /// Those to a payee, EIP-55.
    case payee(String)
    /// Those in a token: `eip155:42161/0x…`, EIP-55.
    case asset(String)
    /// Those on a network, CAIP-2.
    case network(String)
}

/// What a cap counts: the payments of a holder, or a part of them.
package struct CapScope: Sendable, Hashable {
    /// Whose payments.
    package let holder: CapHolder
    /// Which of them; nil means all.
    package let facet: CapFacet?

    /// Makes a scope.
    package init(_ holder: CapHolder, facet: CapFacet? = nil) {
        self.holder = holder
        self.facet = facet
    }
}

extension CapHolder: CustomStringConvertible {
    /// `house`, `team:NAME` or `agent:NAME`.
    package var description: String {
        switch self {
        case .house: "house"
        case .team(let name): "team:\(name)"
        case .agent(let name): "agent:\(name)"
        }
    }

    /// Reads what ``description`` writes, and a bare agent's name; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        switch (parts.first, parts.count) {
        case ("house", 1): self = .house
        case ("team", 2) where Agent.isValidName(parts[1]): self = .team(parts[1])
        case ("agent", 2) where Agent.isValidName(parts[1]): self = .agent(parts[1])
        case (let name?, 1) where Agent.isValidName(name): self = .agent(name)
        default: return nil
        }
    }
}

extension CapFacet: CustomStringConvertible {
    /// `gateway:NAME`, `host:NAME`, `payee:0x…`, `asset:eip155:N/0x…` or `network:eip155:N`.
    package var description: String {
        switch self {
        case .gateway(let name): "gateway:\(name)"
        case .host(let name): "host:\(name)"
        case .payee(let address): "payee:\(address)"
        case .asset(let asset): "asset:\(asset)"
        case .network(let network): "network:\(network)"
        }
    }

    /// Reads what ``description`` writes, without looking at what is behind the colon; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0) }
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "gateway": self = .gateway(parts[1])
        case "host": self = .host(parts[1])
        case "payee": self = .payee(parts[1])
        case "asset": self = .asset(parts[1])
        case "network": self = .network(parts[1])
        default: return nil
        }
    }
}

extension CapScope: CustomStringConvertible {
    /// The holder, and behind a blank the facet where there is one: `agent:scout gateway:lab`.
    package var description: String {
        facet.map { "\(holder) \($0)" } ?? holder.description
    }

    /// Reads what ``description`` writes; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let holder = CapHolder(first) else { return nil }
        guard parts.count == 2 else {
            self.init(holder)
            return
        }
        guard let facet = CapFacet(parts[1]) else { return nil }
        self.init(holder, facet: facet)
    }

    /// How far down the tree the scope stands: 0 for the house, then teams, then agents; a facet counts half a step.
    var depth: Int {
        let base =
            switch holder {
            case .house: 0
            case .team: 2
            case .agent: 4
            }
        return base + (facet == nil ? 0 : 1)
    }
}
