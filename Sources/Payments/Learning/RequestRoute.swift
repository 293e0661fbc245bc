/// Where a request of an agent goes, as far as what sellers ask depends on it.
package struct RequestRoute: Hashable, Sendable {
    /// The agent's name.
    package let agent: String
    /// The gateway's name.
    package let gateway: String
    /// The HTTP method.
    package let method: String
    /// Path and query.
    package let target: String

    /// Makes a route.
    package init(agent: String, gateway: String, method: String, target: String) {
        self.agent = agent
        self.gateway = gateway
        self.method = method
        self.target = target
    }
}
