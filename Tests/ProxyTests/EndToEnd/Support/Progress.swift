import Synchronization

/// A number that one thread raises and another reads.
final class Progress: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ more: Int) { count.wrappingAdd(more, ordering: .relaxed) }

    /// The number before it is raised by one.
    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }

    var value: Int { count.load(ordering: .relaxed) }
}
