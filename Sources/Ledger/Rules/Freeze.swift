package import Primitives

/// What is frozen.
package enum FreezeScope: Sendable, Hashable {
    /// Everything.
    case everything
    /// One agent.
    case agent(String)
    /// One gateway.
    case gateway(String)
    /// One wallet, by its name in the configuration.
    case wallet(String)
}

extension FreezeScope: CustomStringConvertible {
    /// `everything`, `agent:NAME`, `gateway:NAME` or `wallet:NAME`.
    package var description: String {
        switch self {
        case .everything: "everything"
        case .agent(let name): "agent:\(name)"
        case .gateway(let name): "gateway:\(name)"
        case .wallet(let name): "wallet:\(name)"
        }
    }

    /// Reads what ``description`` writes; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0) }
        switch (parts.first, parts.count) {
        case ("everything", 1): self = .everything
        case ("agent", 2): self = .agent(parts[1])
        case ("gateway", 2): self = .gateway(parts[1])
        case ("wallet", 2): self = .wallet(parts[1])
        default: return nil
        }
    }
}

/// A stop that an operator made: nothing is reserved, adopted, metered, signed in or approved under it until it is lifted.
package struct Freeze: Sendable, Hashable {
    /// What is frozen.
    package let scope: FreezeScope
    /// Since when; the books keep the time of the entry that says so.
    package var since: Timestamp
    /// Who froze it.
    package let actor: String
    /// Why, in the operator's words.
    package let reason: String?

    /// Makes a freeze.
    package init(scope: FreezeScope, since: Timestamp, actor: String, reason: String?) {
        self.scope = scope
        self.since = since
        self.actor = actor
        self.reason = reason
    }
}
