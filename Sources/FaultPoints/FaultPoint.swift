#if FAULT_POINTS
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization
#endif

/// A place where a test may kill the process, to see what the books say afterwards.
///
/// Compiled into debug builds alone; in a release build reaching one is nothing.
package enum FaultPoint: String, Sendable, CaseIterable {
    /// A transaction of the ledger has begun.
    case ledgerBegun = "ledger-begun"
    /// A step of a transaction was performed.
    case ledgerStepped = "ledger-stepped"
    /// Balances and counters were written.
    case ledgerFlushed = "ledger-flushed"
    /// A transaction is on the disk, and nobody was told.
    case ledgerCommitted = "ledger-committed"
    /// Money is set aside, and nothing is signed.
    case reserved
    /// A payment is signed, and nothing has left.
    case signed
    /// The header was handed to a socket.
    case sent
    /// The answer's head is there, and not booked.
    case answered

    /// Ends the process with SIGKILL when the environment's `PURSER_FAULT` names this point: `signed`, or `signed:3` for
    /// the third time it is reached.
    @inline(__always)
    package static func reach(_ point: FaultPoint) {
        #if FAULT_POINTS
        if let chosen = FaultChoice.chosen, chosen.point == point { chosen.count() }
        #endif
    }
}

#if FAULT_POINTS
/// The point at which this process is to die.
private final class FaultChoice: Sendable {
    static let chosen = FaultChoice()

    let point: FaultPoint
    private let left: Atomic<Int>

    private init?() {
        guard let text = unsafe getenv("PURSER_FAULT") else { return nil }
        let parts = unsafe String(cString: text).split(separator: ":")
        guard let name = parts.first, let point = FaultPoint(rawValue: String(name)) else { return nil }
        self.point = point
        left = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }

    func count() {
        if left.subtract(1, ordering: .relaxed).newValue == 0 { kill(getpid(), SIGKILL) }
    }
}
#endif
