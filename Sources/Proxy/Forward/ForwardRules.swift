import Ledger
package import Transport

/// What agents may reach through the forward proxy, besides the configured gateways.
package struct ForwardRules: Sendable {
    /// Whose list it is.
    package enum Scope: Hashable, Sendable {
        case house
        case team(String)
        case agent(String)

        /// Reads `house`, `team:NAME` or `agent:NAME`; nil for anything else.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            switch (parts[0], parts.count) {
            case ("house", 1): self = .house
            case ("team", 2) where !parts[1].isEmpty: self = .team(String(parts[1]))
            case ("agent", 2) where !parts[1].isEmpty: self = .agent(String(parts[1]))
            default: return nil
            }
        }
    }

    private let hosts: [Scope: [HostPattern]]
    /// Which addresses may be dialled.
    package let addresses: AddressGuard

    /// Nobody reaches anything.
    package static let none = ForwardRules(hosts: [:], addresses: AddressGuard())

    /// Makes rules from lists of hosts and what may be dialled.
    package init(hosts: [Scope: [HostPattern]], addresses: AddressGuard) {
        self.hosts = hosts
        self.addresses = addresses
    }

    /// Whether an agent may reach a host: one list that names it is enough.
    func allows(_ host: HostName, port: Int, for agent: Agent) -> Bool {
        let scopes = [.house, .agent(agent.name)] + (agent.team.map { [Scope.team($0)] } ?? [])
        return scopes.contains { scope in hosts[scope]?.contains { $0.matches(host, port: port) } ?? false }
    }
}

/// Hosts as an operator lists them: `api.example`, `*.example`, `*`, each with `:port` or `:*`; without a port 80 and 443.
package struct HostPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Name: Hashable {
        case any
        /// Every name that ends with this one and has more in front.
        case below(String)
        case exactly(String)
    }

    private enum Port: Hashable {
        case usual
        case any
        case exactly(Int)
    }

    private let name: Name
    private let port: Port
    /// The pattern as it was written, in lower case.
    package let description: String

    /// Reads a pattern; nil for what is none.
    package init?(_ text: String) {
        description = text.lowercased()
        var rest = description[...]
        if rest.hasSuffix(":*") {
            rest = rest.dropLast(2)
            port = .any
        } else if let place = HostAndPort(rest.replacing("*", with: "any", maxReplacements: 1)), let number = place.port
        {
            guard number > 0 else { return nil }
            rest = rest.dropLast(":\(number)".count)
            port = .exactly(number)
        } else {
            port = .usual
        }
        if rest == "*" {
            name = .any
        } else if rest.hasPrefix("*.") {
            guard let host = HostName(rest.dropFirst(2)), !host.isAddress else { return nil }
            name = .below("." + host.text)
        } else {
            guard let host = HostName(rest) else { return nil }
            name = .exactly(host.text)
        }
    }

    /// The host that it names, or below which all that it names are; nil when it names every host.
    package var domain: HostName? {
        switch name {
        case .any: nil
        case .below(let suffix): HostName(suffix.dropFirst())
        case .exactly(let text): HostName(text.contains(":") ? "[\(text)]" : text)
        }
    }

    func matches(_ host: HostName, port number: Int) -> Bool {
        let isPort =
            switch port {
            case .usual: number == 80 || number == 443
            case .any: true
            case .exactly(let port): port == number
            }
        guard isPort else { return false }
        return switch name {
        case .any: true
        case .below(let suffix): !host.isAddress && host.text.hasSuffix(suffix)
        case .exactly(let text): text == host.text
        }
    }
}
