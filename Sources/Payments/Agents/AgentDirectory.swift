package import Ledger
package import Primitives
import Synchronization

/// Who calls: the agents of the books, held in memory and never older than the last change.
///
/// Every look-up compares one number with the books' generation; when they differ the caller refreshes first. A token
/// that an operator removed is therefore dead from the next request, also when another process removed it.
package final class AgentDirectory: Sendable {
    private let registry: Mutex<AgentRegistry>
    private let store: any LedgerStore

    /// Makes a directory and reads the agents.
    package init(store: any LedgerStore) async throws(LedgerError) {
        self.store = store
        registry = Mutex(try await store.registry())
    }

    /// The answer to a look-up.
    package enum LookUp: Sendable {
        /// The agent with that token hash, or nil when there is none.
        case current(Agent?)
        /// The books have changed: call ``refreshedAgent(tokenHash:)`` instead.
        case stale
    }

    /// Looks an agent up without blocking.
    package func agent(tokenHash: Bytes32) -> LookUp {
        let now = store.currentGeneration
        return registry.withLock { registry in
            registry.generation == now ? .current(registry.agent(tokenHash: tokenHash)) : .stale
        }
    }

    /// Reads the agents again and looks one up in what was read.
    package func refreshedAgent(tokenHash: Bytes32) async throws(LedgerError) -> Agent? {
        let fresh = try await store.registry()
        registry.withLock { registry in
            if fresh.generation >= registry.generation { registry = fresh }
        }
        return fresh.agent(tokenHash: tokenHash)
    }
}
