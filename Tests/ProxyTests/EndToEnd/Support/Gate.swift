import Synchronization

/// Something that one side waits for and another lets happen, at most ten seconds later.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    var isOpenNow: Bool { isOpen.load(ordering: .acquiring) }

    /// Waits without blocking; false when it took too long.
    func opened() async -> Bool {
        for _ in 0..<1000 {
            if isOpen.load(ordering: .acquiring) { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Waits, blocking.
    func waitBlocking() {
        for _ in 0..<1000 {
            if isOpen.load(ordering: .acquiring) { return }
            Threads.pause(milliseconds: 10)
        }
    }
}
