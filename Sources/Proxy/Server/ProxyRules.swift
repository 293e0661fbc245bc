/// What an operator can change while the proxy serves: replaced as a whole, never in part.
///
/// A class, since each request looks at it several times and a struct of tables would be retained table by table.
package final class ProxyRules: Sendable {
    /// The upstreams.
    package let gateways: GatewayTable
    /// The authorities by which the proxy may be addressed.
    package let hosts: HostRule
    /// What agents may reach besides the gateways.
    package let forward: ForwardRules
    /// Who is which agent without a token.
    package let peers: PeerAgents
    /// What ends TLS for listed hosts; nil where none is listed.
    package let termination: TLSTermination?
    /// How many connections agents may have.
    package let connections: ConnectionLimits

    /// Makes rules.
    package init(
        gateways: GatewayTable, hosts: HostRule, forward: ForwardRules = .none, peers: PeerAgents = .none,
        termination: TLSTermination? = nil, connections: ConnectionLimits = .standard
    ) {
        self.gateways = gateways
        self.hosts = hosts
        self.forward = forward
        self.peers = peers
        self.termination = termination
        self.connections = connections
    }
}
