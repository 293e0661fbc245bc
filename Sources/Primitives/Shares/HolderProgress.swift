import Synchronization

/// When something made progress last, and whether it may be ended: one for all units that a connection and its request
/// hold, written by its event loop and read by any thread.
package final class HolderProgress: UnitHolder {
    private let time: Atomic<Int64>
    private let isProtected = Atomic<Bool>(false)

    /// Begins with a time, in milliseconds of the pots' clock.
    package init(at now: Int64) {
        time = Atomic(now)
    }

    /// Something came or went.
    package func made(at now: Int64) { time.store(now, ordering: .relaxed) }

    /// Says whether a payment that is reserved or sent, or something else that must not be cut, stands in the way.
    package func protect(_ isProtected: Bool) { self.isProtected.store(isProtected, ordering: .relaxed) }

    package var lastProgress: Int64 { time.load(ordering: .relaxed) }
    package var mayBeEnded: Bool { !isProtected.load(ordering: .relaxed) }
}
