import Synchronization

/// A place where a test holds others up until it opens.
package final class Barrier: Sendable {
    private struct State {
        var isOpen = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Makes a closed barrier.
    package init() {}

    /// How many are held up.
    package var held: Int { state.withLock { $0.held.count } }

    /// Waits until the barrier is open.
    package func pass() async {
        await withCheckedContinuation { caller in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.held.append(caller) }
                return state.isOpen
            }
            if isOpen { caller.resume() }
        }
    }

    /// Waits until so many are held up; the test's time limit ends a wait for what never comes.
    package func holds(_ count: Int) async throws {
        while held < count {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Lets everybody pass, now and later.
    package func open() {
        let held = state.withLock { state in
            defer { state = State(isOpen: true) }
            return state.held
        }
        for caller in held { caller.resume() }
    }
}
