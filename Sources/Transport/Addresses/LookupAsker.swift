/// Who has a name looked up: an agent, or a host that the operator configured.
package enum LookupAsker: Hashable, Sendable {
    /// An agent that names a host.
    case agent(ConnectionOwner)
    /// A host in the operator's configuration.
    case host(String)

    /// Whether an agent chose the name.
    var isAgent: Bool { if case .agent = self { true } else { false } }
}
