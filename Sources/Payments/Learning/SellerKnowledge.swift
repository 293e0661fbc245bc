import Ledger
import Logging
import Policy
import Primitives
import Synchronization

/// What was paid before, read from the books once and then kept in memory, for each agent by itself.
///
/// Two daemons on one ledger may each know a little less than the books; they alert once more than needed then.
final class SellerKnowledge: Sendable {
    private let store: any LedgerStore
    private let logger: Logger
    private let known = Mutex<[String: Known]>([:])
    /// The most keys that are kept for an agent; with more, what is kept for that agent is read from the books again.
    static let limit = 1000

    /// What is known of one agent's sellers.
    ///
    /// The payees of a host are common to all its lines and kept once: a lesson costs the same however many there are.
    private struct Known {
        var payees: [String: [String: Set<String>]] = [:]
        var prices: [SellerKey: [String: Dollars]] = [:]
        var ceilings: [String: [String: Dollars]] = [:]

        subscript(key: SellerKey) -> Recollection? {
            guard let payees = payees[key.host], let prices = prices[key] else { return nil }
            return Recollection(
                payees: payees, prices: prices, ceilings: key.remembersPrices ? ceilings[key.host] ?? [:] : [:])
        }

        /// Adds what the books hold; what was learnt while they were read stays.
        mutating func add(_ found: Recollection, as key: SellerKey) {
            payees[key.host, default: [:]].merge(found.payees) { $0.union($1) }
            prices[key, default: [:]].merge(found.prices) { max($0, $1) }
            ceilings[key.host, default: [:]].merge(found.ceilings) { max($0, $1) }
        }

        mutating func learn(_ lesson: Lesson) {
            payees[lesson.key.host]?[lesson.asset, default: []].insert(lesson.payee)
            guard lesson.key.remembersPrices else { return }
            let known = prices[lesson.key]?[lesson.asset] ?? .zero
            prices[lesson.key]?[lesson.asset] = max(known, lesson.price)
        }
    }

    /// Makes a memory over the books.
    init(store: any LedgerStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// What is remembered; nothing when the books cannot be read, which their own decision finds out anyway.
    func recollection(of key: SellerKey) async -> Recollection {
        if let found = known.withLock({ $0[key.agent]?[key] }) { return found }
        do {
            let found = try await store.recollection(of: key)
            return known.withLock { known in
                if known[key.agent]?.prices.count ?? 0 >= Self.limit { known[key.agent] = nil }
                known[key.agent, default: Known()].add(found, as: key)
                return known[key.agent]?[key] ?? found
            }
        } catch {
            logger.error("memory of sellers not readable", metadata: ["problem": "\(error)"])
            return .none
        }
    }

    /// Adds what a payment taught, once the books have it.
    func learn(_ lesson: Lesson) {
        known.withLock { $0[lesson.key.agent]?.learn(lesson) }
    }
}

extension Recollection {
    /// The same as the gate takes it.
    var history: SellerHistory { SellerHistory(payees: payees, prices: comparablePrices) }

    /// Whether anything was ever bought under the key.
    var isBuyer: Bool { !prices.isEmpty }
}
