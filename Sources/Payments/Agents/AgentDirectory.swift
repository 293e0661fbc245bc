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
    private let generation: @Sendable () -> UInt64

    /// Makes a directory; `generation` is one cheap load of the books' current number.
    package init(store: any LedgerStore, generation: @escaping @Sendable () -> UInt64) async throws(LedgerError) {
        self.store = store
        self.generation = generation
        registry = Mutex(try await store.registry())
    }

    /// The answer to a look-up.
    package enum LookUp: Sendable {
        /// The agent with that token hash, or nil when there is none.
        case current(Agent?)
        /// The books have changed: call ``refresh()`` and ask again.
        case stale
    }

    /// Looks an agent up without blocking.
    package func agent(tokenHash: Bytes32) -> LookUp {
        let now = generation()
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
