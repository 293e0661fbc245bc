import Ledger
import Primitives
import Synchronization

/// Refusals that are booked already: the same one again within an hour is counted and not booked once more, so that a
/// client that repeats a request by itself does not fill the books.
final class RepeatedRefusals: Sendable {
    /// What makes two refusals the same: who asked for which route and model, and what was refused why.
    struct Key: Hashable, Sendable {
        private let words: [String]
        private let model: Fact<String>?
        private let policy: Bytes32?
        fileprivate let gateway: String

        /// The key of a refusal.
        init(_ refusal: RefusedPayment) {
            let (purpose, terms) = (refusal.purpose, refusal.terms)
            gateway = purpose.gateway
            words = [
                refusal.code, purpose.agent, purpose.team ?? "", purpose.gateway, purpose.host,
                purpose.request?.method ?? "", purpose.request?.path ?? "", terms?.network ?? "", terms?.asset ?? "",
                terms?.payTo ?? "", terms?.amount.description ?? "",
            ]
            model = purpose.request?.model
            policy = purpose.policy
        }
    }

    /// How often a booked refusal came again.
    struct Count: Equatable, Sendable {
        /// The refusal that is in the books.
        let refusal: PaymentID
        /// Its gateway.
        let gateway: String
        /// How often the same one came after it, at least once.
        let repetitions: Int
    }

    private struct Entry {
        let refusal: PaymentID
        let since: Timestamp
        var repetitions = 0
    }

    /// For how long the same refusal is counted, in seconds.
    static let period: Int64 = 3600
    /// Refusals that are remembered; with more, the oldest is forgotten first.
    static let limit = 1024

    private let entries = Mutex<[Key: Entry]>([:])

    /// Takes note of a refusal.
    ///
    /// Returns the name of the booked one that it repeats, nil when it is to be booked itself, and the counts that have
    /// come to their end by it.
    func register(_ key: Key, as refusal: PaymentID, at now: Timestamp) -> (repeats: PaymentID?, ended: [Count]) {
        entries.withLock { entries in
            if let entry = entries[key], Self.isCurrent(entry, at: now) {
                entries[key]?.repetitions += 1
                return (entry.refusal, [])
            }
            var ended: [(Key, Entry)] = []
            if let entry = entries.removeValue(forKey: key) { ended.append((key, entry)) }
            if entries.count >= Self.limit, let oldest = entries.min(by: { $0.value.since < $1.value.since }) {
                entries[oldest.key] = nil
                ended.append((oldest.key, oldest.value))
            }
            entries[key] = Entry(refusal: refusal, since: now)
            return (nil, ended.compactMap(Self.count))
        }
    }

    /// A refusal could not be booked after all.
    func forget(_ key: Key, _ refusal: PaymentID) {
        entries.withLock { if $0[key]?.refusal == refusal { $0[key] = nil } }
    }

    /// Takes out the counts of refusals whose hour is over, or all of them.
    func take(all: Bool, at now: Timestamp) -> [Count] {
        entries.withLock { entries in
            let ended = entries.filter { all || !Self.isCurrent($0.value, at: now) }
            for key in ended.keys { entries[key] = nil }
            return ended.map { ($0.key, $0.value) }.compactMap(Self.count)
                .sorted { $0.refusal.description < $1.refusal.description }
        }
    }

    private static func isCurrent(_ entry: Entry, at now: Timestamp) -> Bool {
        now.seconds - entry.since.seconds < period
    }

    private static func count(_ key: Key, _ entry: Entry) -> Count? {
        guard entry.repetitions > 0 else { return nil }
        return Count(refusal: entry.refusal, gateway: key.gateway, repetitions: entry.repetitions)
    }
}
