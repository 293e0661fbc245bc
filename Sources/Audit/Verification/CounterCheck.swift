import Ledger
import Primitives

/// Whether caps count what their payments add up to.
enum CounterCheck {
    /// Holds each cap's kept counter against one that is worked out anew.
    ///
    /// Both are read at the same moment: what a kept counter still carries of a window that has passed is no fault.
    static func examine(
        _ snapshot: any LedgerSnapshot, at now: Timestamp, _ findings: inout Findings
    ) throws(LedgerError) {
        for cap in try snapshot.rules().allCaps {
            let kept = try snapshot.counter(of: cap.key) ?? CapCounter()
            let window = cap.limit.window
            let used = kept.used(in: window, at: now)
            let recounted = try snapshot.recounted(cap, at: now).used(in: window, at: now)
            findings.examine(
                .counters, "cap \(cap.scope) \(window) \(cap.limit.measure.rawValue)", holds: used == recounted,
                "is kept as \(cap.text(of: used)) used, but its payments add up to \(cap.text(of: recounted))")
        }
    }
}
