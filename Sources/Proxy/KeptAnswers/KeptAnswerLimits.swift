package import NIOCore

/// How much of paid answers is kept in memory for a repetition of their request, and how long.
package struct KeptAnswerLimits: Sendable, Equatable {
    /// Bytes of one answer, its head included.
    package var each: Int
    /// Bytes of all answers together, the oldest of which is dropped for a newer one.
    package var total: Int
    /// How long an answer is read on and kept after its agent has left.
    package var time: TimeAmount

    /// 1 MiB each, 64 MiB in all, for a minute.
    package static let standard = KeptAnswerLimits()

    /// Makes limits.
    package init(each: Int = 1 << 20, total: Int = 64 << 20, time: TimeAmount = .seconds(60)) {
        self.each = each
        self.total = total
        self.time = time
    }
}
