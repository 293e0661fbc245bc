package import Primitives

/// What a daemon does by itself, and when it is due again.
package struct HousekeepingSchedule: Sendable {
    /// One thing to do.
    package enum Duty: Sendable, CaseIterable {
        /// Booking what the books could not take when it came.
        case retryUnbooked
        /// Writing down how many refusals were counted in the minutes that are over.
        case noteRefusals
        /// Closing payments whose window has passed.
        case closeOverdue
        /// Signing the last hash of a day that is over.
        case closeDay

        /// Seconds from one time to the next.
        package var pause: Int64 {
            switch self {
            case .retryUnbooked: 5
            case .noteRefusals: 5
            case .closeOverdue: 30
            case .closeDay: 3600
            }
        }
    }

    private var last: [Duty: Timestamp] = [:]

    /// Makes a schedule in which everything is due.
    package init() {}

    /// What is due at a moment, in the order in which it is to be done; it is taken to be done then.
    ///
    /// A clock that was put back makes everything due: what was noted lies in its future.
    package mutating func due(at now: Timestamp) -> [Duty] {
        Duty.allCases.filter { duty in
            if let done = last[duty], done <= now, now < done.adding(seconds: duty.pause) { return false }
            last[duty] = now
            return true
        }
    }
}
