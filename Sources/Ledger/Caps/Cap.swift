package import Primitives

/// The span of time over which a cap adds up.
///
/// Raw values are stored and typed by operators.
package enum CapWindow: String, Sendable, CaseIterable, Comparable {
    /// One payment on its own.
    case request
    /// One day from midnight to midnight UTC.
    case day
    /// For ever.
    case lifetime

    package static func < (left: CapWindow, right: CapWindow) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .request: 0
        case .day: 1
        case .lifetime: 2
        }
    }
}

/// One limit of one agent in one window, in dollars.
package struct Cap: Sendable, Hashable {
    /// The window.
    package let window: CapWindow
    /// The most that may be settled and reserved together.
    package let limit: Dollars

    /// Makes a cap.
    package init(window: CapWindow, limit: Dollars) {
        self.window = window
        self.limit = limit
    }

    /// Reads an operator's `day=5`; nil when the window is unknown or the amount is not plain dollars.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let window = CapWindow(rawValue: String(parts[0])), let limit = Dollars(parts[1]) else {
            return nil
        }
        self.init(window: window, limit: limit)
    }
}

/// How far one cap is used.
package struct CapUsage: Sendable, Equatable {
    /// The cap.
    package let cap: Cap
    /// What counts against it: settled, presumed and exposed.
    package let used: Dollars
    /// When the window starts anew; nil for `request` and `lifetime`.
    package let resetsAt: Timestamp?

    /// Makes a usage line.
    package init(cap: Cap, used: Dollars, resetsAt: Timestamp?) {
        self.cap = cap
        self.used = used
        self.resetsAt = resetsAt
    }

    /// What may still be spent; zero when a lowered cap is already exceeded.
    package var left: Dollars { cap.limit.subtracting(used) ?? .zero }

    /// Whether one more payment of this value fits.
    package func admits(_ value: Dollars) -> Bool {
        guard let total = used.adding(value) else { return false }
        return total <= cap.limit
    }
}

/// What counts in the windows of one agent at one moment; the input of the one cap decision.
package struct Counted: Sendable, Equatable {
    /// Reserved in the current UTC day, plus what is still open from earlier days.
    package let day: Dollars
    /// Everything ever counted.
    package let lifetime: Dollars

    /// Makes the totals.
    package init(day: Dollars, lifetime: Dollars) {
        self.day = day
        self.lifetime = lifetime
    }
}

/// Why the books would not set money aside.
package enum CapRefusal: Sendable, Equatable {
    /// The agent has no cap at all, so nothing may be paid.
    case noCap
    /// This cap would be exceeded.
    case exceeded(CapUsage)
    /// The agent is not in the books any more.
    case unknownAgent

    /// The refusal's stable code, as the history of the refused payment keeps it.
    package var code: String {
        switch self {
        case .noCap: "no-cap"
        case .exceeded(let usage): "cap-\(usage.cap.window.rawValue)"
        case .unknownAgent: "unknown-agent"
        }
    }
}

/// The cap decision, pure: every store calls it inside its own transaction.
package enum CapCheck {
    /// Usage of each cap, narrowest window first.
    package static func usage(of caps: [Cap], counted: Counted, at now: Timestamp) -> [CapUsage] {
        caps.sorted { $0.window < $1.window }.map { cap in
            switch cap.window {
            case .request: CapUsage(cap: cap, used: .zero, resetsAt: nil)
            case .day: CapUsage(cap: cap, used: counted.day, resetsAt: .startOfUTCDay(now.utcDay + 1))
            case .lifetime: CapUsage(cap: cap, used: counted.lifetime, resetsAt: nil)
            }
        }
    }

    /// The first cap that would not hold, or nil when the value may be reserved.
    ///
    /// A lifetime total that ``Dollars`` cannot hold is refused like an exceeded lifetime cap of ``Dollars/max``.
    package static func refusal(of value: Dollars, caps: [Cap], counted: Counted, at now: Timestamp) -> CapRefusal? {
        guard !caps.isEmpty else { return .noCap }
        let representable = Cap(window: .lifetime, limit: .max)
        let usage = usage(of: caps, counted: counted, at: now) + usage(of: [representable], counted: counted, at: now)
        return usage.first { !$0.admits(value) }.map(CapRefusal.exceeded)
    }
}
