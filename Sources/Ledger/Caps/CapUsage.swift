package import Primitives

/// How far one cap is used.
package struct CapUsage: Sendable, Equatable {
    /// The cap.
    package let cap: Cap
    /// What counts against it, in its measure: settled, presumed and exposed.
    package let used: UInt256
    /// When something of it is free again by itself; nil for `request` and `lifetime`, and where nothing that is known
    /// makes room: only the outcome of open payments, or an operator.
    package let resetsAt: Timestamp?

    /// Makes a usage line.
    package init(cap: Cap, used: UInt256, resetsAt: Timestamp?) {
        self.cap = cap
        self.used = used
        self.resetsAt = resetsAt
    }

    /// Reads a counter; `resetsAt` is when `quantity` would fit.
    package init(cap: Cap, counter: CapCounter, toFit quantity: UInt256 = .zero, at now: Timestamp) {
        let window = cap.limit.window
        let resetsAt: Timestamp? =
            switch window {
            case .request, .lifetime: nil
            case .rolling: counter.resets(in: window, at: now, toFit: quantity, under: cap.limit.amount)
            case .hour, .day, .week, .month:
                quantity <= cap.limit.amount ? window.end(ofBucket: window.bucket(of: now)) : nil
            }
        self.init(cap: cap, used: counter.used(in: window, at: now), resetsAt: resetsAt)
    }

    /// What may still be spent; zero when a lowered cap is already exceeded.
    package var left: UInt256 { cap.limit.amount.subtracting(used) ?? .zero }

    /// Whether so much more fits.
    package func admits(_ quantity: UInt256) -> Bool {
        guard let total = used.adding(quantity) else { return false }
        return total <= cap.limit.amount
    }

    /// The shares of a cap, in percent, at which operators are warned.
    package static let warningShares: [UInt64] = [50, 80, 95]

    /// The highest share to be warned of that `quantity` more reaches and that was not reached before.
    func warning(adding quantity: UInt256) -> UInt64? {
        guard cap.limit.window != .request else { return nil }
        func isReached(_ share: UInt64, by total: UInt256) -> Bool {
            // total ≥ limit × share / 100, without rounding; what overflows is larger than any limit times 100.
            guard let scaled = total.multiplied(by: 100), let bound = cap.limit.amount.multiplied(by: share) else {
                return cap.limit.amount.multiplied(by: share) != nil
            }
            return scaled >= bound
        }
        let total = used.saturatingSum(quantity)
        return Self.warningShares.last { isReached($0, by: total) && !isReached($0, by: used) }
    }
}

/// A cap that a payment brought near its limit.
package struct CapWarning: Sendable, Equatable {
    /// The share that was reached, in percent.
    package let share: UInt64
    /// The cap with the payment counted.
    package let usage: CapUsage

    /// What the journal calls it; its subject is the cap's scope.
    package var cause: String { "cap-\(share)-percent" }

    /// Whether a notice of this cause about this scope warns of the very cap: a scope may have several.
    package func isGiven(by detail: String?) -> Bool {
        var name = JSONText()
        name.object { name in
            name.field("window", usage.cap.limit.window.description)
            name.field("measure", usage.cap.limit.measure.rawValue)
        }
        return detail?.hasPrefix(name.string.dropLast() + ",") ?? false
    }
}

extension CapUsage {
    /// The caps that are to be warned of when `spend` is added; the lines are those from before.
    package static func warnings(of lines: [CapUsage], adding spend: Spend) -> [CapWarning] {
        lines.compactMap { line in
            let quantity = spend.quantity(of: line.cap.limit.measure)
            return line.warning(adding: quantity).map { share in
                let used = line.used.saturatingSum(quantity)
                return CapWarning(
                    share: share, usage: CapUsage(cap: line.cap, used: used, resetsAt: line.resetsAt))
            }
        }
    }

    /// The cap that stands against a spend, or nil when all admit it.
    ///
    /// Of several it is the one that is free again last, since only then a repetition can help; among equals the
    /// narrowest.
    package static func binding(of lines: [CapUsage], for spend: Spend) -> CapUsage? {
        let against = lines.filter { !$0.admits(spend.quantity(of: $0.cap.limit.measure)) }.sorted { $0.cap < $1.cap }
        return against.max { left, right in
            guard let leftEnd = left.resetsAt else { return false }
            guard let rightEnd = right.resetsAt else { return true }
            return leftEnd < rightEnd
        }
    }
}
