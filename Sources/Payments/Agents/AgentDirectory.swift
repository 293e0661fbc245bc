package import Ledger
package import Primitives
import Synchronization

/// Who calls: the agents and freezes of the books, held in memory and never older than the last change.
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
        /// The agent that was looked up, or nil when there is none, and the generation of the books that say so.
        case current(Agent?, generation: UInt64)
        /// The books have changed: call ``refresh()`` and look in what it returns.
        case stale
    }

    /// Looks an agent up by its token without blocking.
    package func agent(tokenHash: Bytes32) -> LookUp { lookUp { $0.agent(tokenHash: tokenHash) } }

    /// Looks an agent up by its name without blocking.
    package func agent(named name: String) -> LookUp { lookUp { $0.agent(named: name) } }

    private func lookUp(_ find: (AgentRegistry) -> Agent?) -> LookUp {
        let now = store.currentGeneration
        return registry.withLock { $0.generation == now ? .current(find($0), generation: now) : .stale }
    }

    /// The number of the newest change in the books: one cheap load.
    package var currentGeneration: UInt64 { store.currentGeneration }

    /// Agents and freezes as they were last read.
    package var latest: AgentRegistry { registry.withLock { $0 } }

    /// Agents and freezes with the newest change, read again only where there was one.
    package func refreshed() async throws(LedgerError) -> AgentRegistry {
        let known = latest
        return known.generation == currentGeneration ? known : try await refresh()
    }

    /// Reads the agents and freezes again.
    package func refresh() async throws(LedgerError) -> AgentRegistry {
        let fresh = try await store.registry()
        registry.withLock { registry in
            if fresh.generation >= registry.generation { registry = fresh }
        }
        return fresh
    }
}
