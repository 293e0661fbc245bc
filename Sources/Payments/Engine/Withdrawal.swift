import Synchronization

/// Whether a request is still to be decided about: its agent may leave at any time, and until money is reserved for it the
/// proxy may give it up as well.
///
/// Written by the request's event loop and by the engine; read by any thread. One request has one for its whole life.
package final class Withdrawal: Sendable {
    private struct State {
        var isWithdrawn = false
        var isReserving = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let whenReserving: @Sendable (Bool) -> Void

    /// Begins with a request that is wanted.
    ///
    /// `whenReserving` is called under a lock with true when money may be reserved from then on, and with false when none
    /// is reserved any more.
    package init(whenReserving: @escaping @Sendable (Bool) -> Void = { _ in }) {
        self.whenReserving = whenReserving
    }

    /// Whether nothing is to be signed for the request any more.
    package var isWithdrawn: Bool { state.withLock { $0.isWithdrawn } }

    /// Nobody waits for the request any more: its agent has left, or has been answered.
    package func withdraw() { withdraw(evenWhileReserving: true) }

    /// Gives the request up unless money may be reserved for it already; returns whether it did.
    package func withdrawBeforeReserving() -> Bool { withdraw(evenWhileReserving: false) }

    @discardableResult
    private func withdraw(evenWhileReserving: Bool) -> Bool {
        let (isWithdrawn, wake) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            guard evenWhileReserving || !state.isReserving else { return (false, nil) }
            state.isWithdrawn = true
            defer { state.wake = nil }
            return (true, state.wake)
        }
        wake?()
        return isWithdrawn
    }

    /// Money is about to be reserved; false where the request was withdrawn before, and then none may be.
    func beginReserving() -> Bool {
        state.withLock { state in
            guard !state.isWithdrawn else { return false }
            state.isReserving = true
            whenReserving(true)
            return true
        }
    }

    /// Nothing was reserved, or nothing is any more: the request may be given up again.
    ///
    /// Of a request that was withdrawn nothing is said any more: its exchange may be over.
    package func endReserving() {
        state.withLock { state in
            guard state.isReserving, !state.isWithdrawn else { return }
            state.isReserving = false
            whenReserving(false)
        }
    }

    /// Sets what ends the wait that the decision is in, nil for none; called at once where the request is withdrawn.
    package func whenWithdrawn(_ wake: (@Sendable () -> Void)?) {
        let isWithdrawn = state.withLock { state in
            state.wake = state.isWithdrawn ? nil : wake
            return state.isWithdrawn
        }
        if isWithdrawn { wake?() }
    }
}
