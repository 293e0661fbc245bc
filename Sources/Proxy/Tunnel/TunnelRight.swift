import Ledger
import NIOCore
import Transport

/// What entitles an agent to a tunnel: who opened it, and where it leads.
///
/// The right ends when the same request would be refused, or would lead elsewhere, under the rules and the books as they
/// are now.
struct TunnelRight: Sendable {
    /// How the bytes pass.
    enum Kind: String, Sendable {
        /// Unread, to a host that CONNECT names.
        case tunnel
        /// Through TLS that ends here, as requests that are checked one by one.
        case terminated
        /// In another protocol, to which a request switched.
        case switched
    }

    /// Where it leads.
    enum Destination: Sendable {
        /// A configured gateway, whose key went with the request.
        case gateway(Gateway)
        /// A host that the agent named, through the forward proxy.
        case host(HostName, port: Int)
    }

    let kind: Kind
    let agent: String
    let caller: Caller
    /// When the client certificate of the agent's connection ends, in seconds since the epoch; nil where it has none.
    let certificateEnd: Int64?
    let destination: Destination
    /// The host inside whose terminated TLS it was opened.
    var outerHost: (name: HostName, port: Int)?
    /// The address that was dialled for a host that the agent named.
    var address: SocketAddress?

    /// Where it leads, for the log: a gateway's name, or a host with its port.
    var target: String {
        switch destination {
        case .gateway(let gateway): gateway.name
        case .host(let host, let port): host.authority(port: port)
        }
    }

    /// Its place in lists: agent, kind and destination.
    func entry(under rules: ProxyRules) -> OpenTunnels.Entry {
        switch destination {
        case .gateway(let gateway):
            OpenTunnels.Entry(agent: agent, kind: kind.rawValue, gateway: gateway.name, host: nil)
        case .host(let host, let port):
            OpenTunnels.Entry(
                agent: agent, kind: kind.rawValue, gateway: rules.gateways.names(at: host, port: port).first,
                host: host.authority(port: port))
        }
    }

    /// Why the right has ended; nil while it holds.
    ///
    /// `now` is in seconds since the epoch.
    func ending(under rules: ProxyRules, agents: AgentRegistry, at now: Int64) -> TunnelEnding? {
        if let certificateEnd, certificateEnd < now { return .certificateExpired }
        guard let agent = agents.agent(named: agent) else { return .agentRemoved }
        switch caller {
        case .token(let credential):
            guard agent.tokenHash == credential.hash else { return .tokenReplaced }
        case .peer(let peer, _):
            guard rules.peers.agent(of: peer) == agent.name else { return .peerNotMapped }
        }
        if let freeze = freeze(under: rules, agents: agents) { return .frozen(freeze) }
        if let outerHost, rules.termination?.covers(outerHost.name, port: outerHost.port) != true {
            return .terminationChanged
        }
        switch destination {
        case .gateway(let gateway): return ending(at: gateway, under: rules)
        case .host(let host, let port): return ending(at: host, port, for: agent, under: rules)
        }
    }

    /// The freeze that it falls under.
    func freeze(under rules: ProxyRules, agents: AgentRegistry) -> Freeze? {
        switch destination {
        case .gateway(let gateway): agents.freeze(of: agent, at: [gateway.name])
        case .host(let host, let port):
            agents.freeze(of: agent, at: rules.gateways.names(at: host, port: port))
        }
    }

    private func ending(at gateway: Gateway, under rules: ProxyRules) -> TunnelEnding? {
        guard let current = rules.gateways.gateway(named: gateway.name) else { return .gatewayRemoved }
        guard current.isSameAccount(as: gateway) else { return .gatewayChanged }
        return current.allowsUpgrades ? nil : .upgradesRefused
    }

    private func ending(
        at host: HostName, _ port: Int, for agent: Agent, under rules: ProxyRules
    ) -> TunnelEnding? {
        let isTerminated = rules.termination?.covers(host, port: port) ?? false
        let isListed = rules.forward.allows(host, port: port, for: agent)
        switch kind {
        case .terminated:
            guard isTerminated else { return .terminationChanged }
            let isGateway = rules.gateways.isGateway(Origin(isSecure: true, host: host.text, port: port))
            return isListed || isGateway ? nil : .hostNotListed
        case .tunnel:
            guard isListed else { return .hostNotListed }
            if isTerminated { return .terminationChanged }
        case .switched:
            guard isListed else { return .hostNotListed }
        }
        if let address, !rules.forward.addresses.admits(address) { return .addressRefused }
        return nil
    }
}

extension HostName {
    /// The host with a port, in the form that CONNECT uses.
    func authority(port: Int) -> String { text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)" }
}
