import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Waits for the operator, or the system, to ask for an orderly end.
package enum StopSignals {
    /// Returns at the first SIGINT or SIGTERM.
    ///
    /// A second one ends the process at once.
    package static func wait() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waiter = Waiter(continuation)
            for number in [SIGINT, SIGTERM] {
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler {
                    for each in [SIGINT, SIGTERM] { signal(each, SIG_DFL) }
                    waiter.resume()
                    source.cancel()
                }
                source.resume()
            }
        }
    }

    /// Resumes once, whichever signal comes first.
    private final class Waiter: Sendable {
        private let pending: Mutex<CheckedContinuation<Void, Never>?>

        init(_ continuation: CheckedContinuation<Void, Never>) {
            pending = Mutex(continuation)
        }

        func resume() {
            pending.withLock { continuation in
                continuation?.resume()
                continuation = nil
            }
        }
    }
}
