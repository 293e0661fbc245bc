/// Where connections go, and whose choice that was.
///
/// What is kept of or remembered about one destination says nothing about another: an address that an agent chose passes the
/// ``AddressGuard``, one of the operator's does not, and a host that one agent cannot reach may be reached by others.
package struct Destination: Hashable, Sendable {
    /// Whose choice an address is.
    package enum Choice: Hashable, Sendable {
        /// The operator's, for the daemon's own requests, such as those to a chain's endpoints.
        case daemon
        /// The operator's, by the gateway of that name. Agents share it.
        case gateway(String)
        /// An agent's, who names a host to the forward proxy; `rules` numbers the rules that allow it, since others may not.
        case agent(ConnectionOwner, rules: UInt64)

        /// Whether an agent chose the address.
        var isOfAgent: Bool { if case .agent = self { true } else { false } }
    }

    /// Where the connections go.
    package let origin: Origin
    /// Whose choice that was.
    package let choice: Choice

    /// Makes a destination.
    package init(_ origin: Origin, chosenBy choice: Choice) {
        self.origin = origin
        self.choice = choice
    }
}

/// Whose exchanges an HTTP/1.1 connection carries: it is never used for anybody else's.
///
/// A server may read a request differently than we do. What is left over on the connection then is the beginning of its next
/// request or answer, and must not meet another agent's.
package struct ConnectionOwner: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// The daemon itself.
    package static let daemon = ConnectionOwner(high: 0, low: 0)

    /// Makes an owner from 128 bits that no other owner has.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// What a connection is wanted for.
package struct ConnectionUse: Sendable {
    /// Where it goes, and whose choice that is.
    package let destination: Destination
    /// Whose exchange it carries.
    package let owner: ConnectionOwner
    /// Idle HTTP/1.1 connections that are kept for the same choice, on all event loops together.
    package let idleLimit: Int

    /// Idle connections to one gateway, unless its entry says otherwise.
    package static let usualIdleLimit = 256

    /// Makes a use.
    package init(_ destination: Destination, by owner: ConnectionOwner, idleLimit: Int = Self.usualIdleLimit) {
        self.destination = destination
        self.owner = owner
        self.idleLimit = idleLimit
    }
}
