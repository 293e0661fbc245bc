import NIOCore
import Synchronization

/// Who may use a connection to a gateway that takes only so many at once, on all event loops together.
///
/// Whoever finds none free waits behind those that came before.
final class GatewayPlaces: Sendable {
    /// The right to one connection; it is given back when nobody holds it any more.
    final class Place: Sendable {
        private let gateway: String
        private let places: GatewayPlaces

        fileprivate init(at gateway: String, of places: GatewayPlaces) {
            self.gateway = gateway
            self.places = places
        }

        deinit { places.giveBack(gateway) }
    }

    /// One who waits for a place.
    struct Wait {
        fileprivate let gateway: String
        fileprivate let number: UInt64
    }

    /// What comes of asking for a place.
    enum Answer {
        case granted(Place)
        case wait(Wait)
    }

    private struct Waiting {
        let number: UInt64
        let limit: Int
        let grant: @Sendable (Place) -> Void
    }

    private struct Queue {
        var inUse = 0
        var waiting = CircularBuffer<Waiting>()

        /// Takes out those whose turn it is; more than one where a limit was raised.
        mutating func next() -> [Waiting] {
            var next: [Waiting] = []
            while let first = waiting.first, inUse < first.limit {
                inUse += 1
                next.append(waiting.removeFirst())
            }
            return next
        }
    }

    private struct State {
        var queues: [String: Queue] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Asks for one of `limit` places at a gateway; `grant` is called on any thread, once and later, when there is none yet.
    func ask(at gateway: String, limit: Int, grant: @escaping @Sendable (Place) -> Void) -> Answer {
        let (wait, next): (Wait?, [Waiting]) = state.withLock { state in
            var queue = state.queues.removeValue(forKey: gateway) ?? Queue()
            defer { state.queues[gateway] = queue }
            guard queue.inUse >= limit || !queue.waiting.isEmpty else {
                queue.inUse += 1
                return (nil, [])
            }
            state.lastNumber += 1
            queue.waiting.append(Waiting(number: state.lastNumber, limit: limit, grant: grant))
            return (Wait(gateway: gateway, number: state.lastNumber), queue.next())
        }
        handOver(next, at: gateway)
        return wait.map { .wait($0) } ?? .granted(Place(at: gateway, of: self))
    }

    /// Leaves the queue; whoever has been granted a place meanwhile only has to let go of it.
    func cancel(_ wait: Wait) {
        state.withLock { $0.queues[wait.gateway]?.waiting.removeAll { $0.number == wait.number } }
    }

    private func giveBack(_ gateway: String) {
        let next: [Waiting] = state.withLock { state in
            guard var queue = state.queues.removeValue(forKey: gateway) else { return [] }
            queue.inUse -= 1
            let next = queue.next()
            if queue.inUse > 0 { state.queues[gateway] = queue }
            return next
        }
        handOver(next, at: gateway)
    }

    /// Outside of the lock: a place that nobody takes comes back at once.
    private func handOver(_ next: [Waiting], at gateway: String) {
        for one in next { one.grant(Place(at: gateway, of: self)) }
    }
}
