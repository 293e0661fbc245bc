import Synchronization

/// Where in the list of a network's unproven payments the next reading behind the front goes on.
package final class ReconciliationCursor: Sendable {
    private let place = Mutex(0)

    /// Starts right behind the front.
    package init() {}

    /// Payments in front of it.
    var position: Int {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }
}
