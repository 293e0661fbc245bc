import Primitives
import Synchronization

/// Which requests have an outcome, or the departure of their agent, on its way into the books.
///
/// An agent may repeat its request as soon as it has its answer, or has gone. The repetition must find the books as that
/// answer left them: else the attempt would seem to have an agent that waits, and be paid beside instead of taken over.
/// So whoever wants to set money aside for a request waits here until everything known of it is booked.
final class OutcomesUnderWay: Sendable {
    private struct Request {
        /// Bookings that run.
        var running = 0
        /// Outcomes that the books could not take and that wait to be tried again.
        var kept = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let requests = Mutex<[Bytes32: Request]>([:])

    /// An outcome of a request with this fingerprint is known; called before anybody can hear of it.
    func begin(_ fingerprint: Bytes32) {
        requests.withLock { $0[fingerprint, default: Request()].running += 1 }
    }

    /// Its booking has run; `isKept` when the books could not take it.
    func end(_ fingerprint: Bytes32, isKept: Bool) {
        let waiting = requests.withLock { requests -> [CheckedContinuation<Void, Never>] in
            guard var request = requests[fingerprint] else { return [] }
            request.running -= 1
            if isKept { request.kept += 1 }
            let waiting = request.running == 0 ? request.waiting : []
            if request.running == 0 { request.waiting = [] }
            requests[fingerprint] = request.running == 0 && request.kept == 0 ? nil : request
            return waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    /// An outcome that was kept is booked, or given up.
    func release(_ fingerprint: Bytes32) {
        requests.withLock { requests in
            guard var request = requests[fingerprint] else { return }
            request.kept -= 1
            requests[fingerprint] = request.running == 0 && request.kept <= 0 ? nil : request
        }
    }

    /// Waits for the bookings that run; false when an outcome is kept that the books could not take.
    func settled(_ fingerprint: Bytes32) async -> Bool {
        guard requests.withLock({ $0[fingerprint] != nil }) else { return true }
        await withCheckedContinuation { waiter in
            let isOver = requests.withLock { requests in
                guard requests[fingerprint]?.running ?? 0 > 0 else { return true }
                requests[fingerprint]?.waiting.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
        return requests.withLock { $0[fingerprint] == nil }
    }
}
