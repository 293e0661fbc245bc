import Primitives
import Synchronization

/// Which requests are being decided, or have an outcome or the departure of their agent on its way into the books.
///
/// An agent may repeat its request as soon as it has its answer, or has gone. The repetition must find the books as that
/// answer left them: else the attempt would seem to have an agent that waits, and be paid beside instead of taken over.
/// So whoever wants to set money aside for a request waits here until everything known of it is booked.
final class OutcomesUnderWay: Sendable {
    private struct Request {
        /// Bookings and decisions that run.
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

    /// Waits for the bookings and the decision that run, and begins a decision; false when an outcome is kept that the
    /// books could not take.
    ///
    /// Identical requests pass their decisions one at a time: an agent may leave during its own, and the next one must
    /// find what that made of the attempt. ``end(_:isKept:)`` ends the decision.
    func beginDecision(_ fingerprint: Bytes32) async -> Bool {
        while true {
            let turn = requests.withLock { requests -> Bool? in
                guard let request = requests[fingerprint] else {
                    requests[fingerprint] = Request(running: 1)
                    return true
                }
                return request.running > 0 ? nil : false
            }
            if let turn { return turn }
            await withCheckedContinuation { waiter in
                let isOver = requests.withLock { requests in
                    guard requests[fingerprint]?.running ?? 0 > 0 else { return true }
                    requests[fingerprint]?.waiting.append(waiter)
                    return false
                }
                if isOver { waiter.resume() }
            }
        }
    }
}
