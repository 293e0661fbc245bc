import Synchronization

/// A flag that one thread raises and others read.
final class Flag: Sendable {
    private let state = Atomic<Bool>(false)

    func raise() { state.store(true, ordering: .releasing) }

    var isRaised: Bool { state.load(ordering: .acquiring) }
}
