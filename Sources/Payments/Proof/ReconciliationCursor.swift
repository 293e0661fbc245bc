import Ledger
import Synchronization

/// Where the next reading of a network's payments goes on.
package final class ReconciliationCursor: Sendable {
    private let place = Mutex(AgentRound())

    /// Starts with the oldest payments of each agent.
    package init() {}

    /// Whose turn is next, and how far each agent's payments were read.
    var round: AgentRound {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }
}
