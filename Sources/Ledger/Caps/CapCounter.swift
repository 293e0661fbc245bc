package import Primitives

/// What counts against one cap, kept up to date payment by payment so that no decision adds up the past.
///
/// An amount counts in the window of its reservation; while it is open it also counts in the current one.
package struct CapCounter: Sendable, Equatable {
    /// What was reserved in one bucket of the window.
    package struct Bucket: Sendable, Equatable {
        /// When the bucket began.
        package let start: Timestamp
        /// What counts of it.
        package var counted: UInt256
        /// What of that is still open.
        package var open: UInt256

        /// Makes a bucket.
        package init(start: Timestamp, counted: UInt256, open: UInt256) {
            self.start = start
            self.counted = counted
            self.open = open
        }
    }

    /// Everything that is open, whenever it was reserved.
    package private(set) var open: UInt256
    /// The buckets that may still count, oldest first.
    package private(set) var buckets: [Bucket]

    /// Makes a counter from what the books kept; without arguments, one that counted nothing yet.
    package init(open: UInt256 = .zero, buckets: [Bucket] = []) {
        self.open = open
        self.buckets = buckets
    }

    /// What counts at a moment.
    package func used(in window: CapWindow, at now: Timestamp) -> UInt256 {
        if window == .request { return .zero }
        var counted = UInt256.zero
        var inside = UInt256.zero
        for bucket in buckets where window.counts(bucket: bucket.start, at: now) {
            counted = counted.saturatingSum(bucket.counted)
            inside = inside.saturatingSum(bucket.open)
        }
        return counted.saturatingSum(open.subtracting(inside) ?? .zero)
    }

    /// When so much more fits under a limit if nothing else is reserved; nil when it never does by anything that is known.
    ///
    /// Open amounts are taken to stay open, so where they alone are too much only their outcome makes room.
    package func resets(
        in window: CapWindow, at now: Timestamp, toFit quantity: UInt256, under limit: UInt256
    ) -> Timestamp? {
        guard quantity <= limit else { return nil }
        let moments = buckets.compactMap { window.end(ofBucket: $0.start) }.filter { $0 > now }.sorted()
        return moments.first { moment in
            used(in: window, at: moment).saturatingSum(quantity) <= limit
        }
    }

    /// Takes a payment along from one state to the next; `from` is nil for a new one.
    package mutating func move(
        _ quantity: UInt256, reservedAt: Timestamp, in window: CapWindow, from: PaymentState?, to: PaymentState,
        at now: Timestamp
    ) {
        guard window != .request else { return }
        buckets.removeAll { !window.counts(bucket: $0.start, at: now) }
        let wasCounted = from?.isCounted ?? false
        let wasOpen = from?.isOpen ?? false
        change(&open, by: quantity, from: wasOpen, to: to.isOpen)
        let start = window.bucket(of: reservedAt)
        var index = buckets.firstIndex { $0.start == start }
        if index == nil, to.isCounted, window.counts(bucket: start, at: now) {
            let place = buckets.firstIndex { $0.start > start } ?? buckets.endIndex
            buckets.insert(Bucket(start: start, counted: .zero, open: .zero), at: place)
            index = place
        }
        guard let index else { return }
        change(&buckets[index].counted, by: quantity, from: wasCounted, to: to.isCounted)
        change(&buckets[index].open, by: quantity, from: wasOpen, to: to.isOpen)
        if buckets[index].counted.isZero, buckets[index].open.isZero { buckets.remove(at: index) }
    }

    /// Counts a spend that is in the books already.
    package mutating func add(
        _ spend: Spend, reservedAt: Timestamp, state: PaymentState, to limit: CapLimit, at now: Timestamp
    ) {
        move(
            spend.quantity(of: limit.measure), reservedAt: reservedAt, in: limit.window, from: nil, to: state, at: now)
    }

    private func change(_ total: inout UInt256, by quantity: UInt256, from was: Bool, to isNow: Bool) {
        if !was, isNow { total = total.saturatingSum(quantity) }
        if was, !isNow { total = total.subtracting(quantity) ?? .zero }
    }
}

extension UInt256 {
    /// The sum, or the largest value when it is larger: against whoever wants to spend.
    package func saturatingSum(_ other: UInt256) -> UInt256 { adding(other) ?? .max }
}
