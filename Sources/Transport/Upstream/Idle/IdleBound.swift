import NIOCore
import Synchronization

/// How many idle connections there are on all event loops, by whose choice they are.
package final class IdleBound: Sendable {
    private let pots = Mutex<[Destination.Choice: IdlePot]>([:])

    /// Makes the bound of one set of event loops.
    package init() {}

    /// Gives an event loop its part of a pot; `closeOldest` is called on any thread.
    func join(_ choice: Destination.Choice, closeOldest: @escaping @Sendable () -> Void) -> IdlePot.Part {
        pots.withLock { pots in
            let pot = pots[choice] ?? IdlePot()
            pots[choice] = pot
            return pot.add(closeOldest)
        }
    }

    /// Takes back a part that holds nothing.
    func leave(_ choice: Destination.Choice, _ part: IdlePot.Part) {
        pots.withLock { pots in
            if part.pot.remove(part) { pots[choice] = nil }
        }
    }
}

/// The idle connections of one choice, on all event loops together.
final class IdlePot: Sendable {
    /// What one event loop has of it.
    final class Part: Sendable {
        let pot: IdlePot
        fileprivate let count = Atomic<Int>(0)
        fileprivate let closeOldest: @Sendable () -> Void

        fileprivate init(of pot: IdlePot, closeOldest: @escaping @Sendable () -> Void) {
            self.pot = pot
            self.closeOldest = closeOldest
        }

        /// One more; returns how many there are on all loops.
        func add() -> Int {
            count.wrappingAdd(1, ordering: .relaxed)
            return pot.total.wrappingAdd(1, ordering: .relaxed).newValue
        }

        /// One less.
        func remove() {
            count.wrappingSubtract(1, ordering: .relaxed)
            pot.total.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    private let total = Atomic<Int>(0)
    private let parts = Mutex<[Part]>([])

    /// How many there are on all loops.
    var count: Int { total.load(ordering: .relaxed) }

    fileprivate func add(_ closeOldest: @escaping @Sendable () -> Void) -> Part {
        let part = Part(of: self, closeOldest: closeOldest)
        parts.withLock { $0.append(part) }
        return part
    }

    /// Returns whether no part is left.
    fileprivate func remove(_ part: Part) -> Bool {
        parts.withLock { parts in
            parts.removeAll { $0 === part }
            return parts.isEmpty
        }
    }

    /// Makes room on the loop that has the most.
    ///
    /// Returns whether that is the caller's, which then closes its oldest connection; another one is asked to.
    func makeRoom(from own: Part) -> Bool {
        let fullest = parts.withLock { parts in
            parts.max { $0.count.load(ordering: .relaxed) < $1.count.load(ordering: .relaxed) }
        }
        guard let fullest, fullest !== own,
            fullest.count.load(ordering: .relaxed) > own.count.load(ordering: .relaxed)
        else { return true }
        fullest.closeOldest()
        return false
    }
}
