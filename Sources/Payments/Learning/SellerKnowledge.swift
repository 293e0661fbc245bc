import Ledger
import Logging
import Policy
import Primitives
import Synchronization

/// What was paid before, read from the books once and then kept in memory.
///
/// Two daemons on one ledger may each know a little less than the books; they alert once more than needed then.
final class SellerKnowledge: Sendable {
    private let store: any LedgerStore
    private let logger: Logger
    private let known = Mutex<[SellerKey: Recollection]>([:])
    private let limit = 10_000

    /// Makes a memory over the books.
    init(store: any LedgerStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// What is remembered; nothing when the books cannot be read, which their own decision finds out anyway.
    func recollection(of key: SellerKey) async -> Recollection {
        if let found = known.withLock({ $0[key] }) { return found }
        do {
            let found = try await store.recollection(of: key)
            known.withLock { known in
                if known.count >= limit { known.removeAll() }
                known[key] = found
            }
            return found
        } catch {
            logger.error("memory of sellers not readable", metadata: ["problem": "\(error)"])
            return .none
        }
    }

    /// Adds what a payment taught, once the books have it.
    func learn(_ lesson: Lesson) {
        known.withLock { known in
            // The payees of a host are common to all its lines.
            for key in known.keys where key.host == lesson.key.host && key != lesson.key {
                known[key]?.payees[lesson.asset, default: []].insert(lesson.payee)
            }
            known[lesson.key]?.learn(lesson)
        }
    }
}

extension Recollection {
    /// The same as the gate takes it.
    var history: SellerHistory { SellerHistory(payees: payees, prices: prices) }

    /// Whether anything was ever bought under the key.
    var isBuyer: Bool { !prices.isEmpty }
}
