import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The operator, or the system, asks for an orderly end: SIGINT or SIGTERM.
///
/// A second one ends the process at once.
package final class StopSignals: Sendable {
    private enum State {
        case untaken
        case taken
        case waiting(CheckedContinuation<Void, Never>)
        case came
    }

    private let state = Mutex(State.untaken)

    /// Until ``takeOver()`` the signals end the process at once.
    package init() {}

    /// Takes the signals over: from now on one is an order, also when ``wait()`` is called only later.
    package func takeOver() {
        let isTaken = state.withLock { state in
            guard case .untaken = state else { return true }
            state = .taken
            return false
        }
        guard !isTaken else { return }
        let registered = DispatchSemaphore(value: 0)
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            // A source lives as long as somebody holds it.
            source.setEventHandler {
                for each in [SIGINT, SIGTERM] { signal(each, SIG_DFL) }
                self.came()
                source.cancel()
            }
            source.setRegistrationHandler { registered.signal() }
            source.resume()
            // What comes before the source is registered, which happens on another thread, is lost.
            registered.wait()
        }
    }

    /// Returns when the first signal has come.
    package func wait() async {
        takeOver()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let hasCome = state.withLock { state in
                if case .came = state { return true }
                state = .waiting(continuation)
                return false
            }
            if hasCome { continuation.resume() }
        }
    }

    private func came() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .came }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume()
    }
}
