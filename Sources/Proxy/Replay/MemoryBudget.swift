import Synchronization

/// The memory that all replay copies of the process may hold together.
package final class MemoryBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    /// Makes a budget of `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes bytes out of the budget; false when it does not hold them.
    func take(_ count: Int) -> Bool {
        let (_, total) = used.wrappingAdd(count, ordering: .relaxed)
        guard total > limit else { return true }
        used.wrappingSubtract(count, ordering: .relaxed)
        return false
    }

    /// Puts bytes back.
    func giveBack(_ count: Int) {
        used.wrappingSubtract(count, ordering: .relaxed)
    }
}
