import Synchronization

/// How many of something each agent has, on all event loops together.
final class CountByAgent: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// Counts one more; false when the agent has as many as it may.
    func begin(_ agent: String, limit: Int) -> Bool {
        counts.withLock { counts in
            guard counts[agent, default: 0] < limit else { return false }
            counts[agent, default: 0] += 1
            return true
        }
    }

    /// Counts one less.
    func end(_ agent: String) {
        counts.withLock { counts in
            let left = counts[agent, default: 0] - 1
            counts[agent] = left > 0 ? left : nil
        }
    }
}
