package import Primitives

/// The span of time over which a cap adds up.
package enum CapWindow: Sendable, Hashable {
    /// One payment on its own.
    case request
    /// The last so many minutes, 1 to 10,080.
    ///
    /// Counted in sixtieths of the span, so that a payment counts for up to a sixtieth longer, never shorter.
    case rolling(minutes: Int64)
    /// One hour from minute zero, UTC.
    case hour
    /// One day from midnight to midnight UTC.
    case day
    /// One week from Monday to Monday, midnight UTC.
    case week
    /// One calendar month, UTC.
    case month
    /// For ever.
    case lifetime

    /// The windows that have a name of their own, narrowest first.
    package static let named: [CapWindow] = [.request, .hour, .day, .week, .month, .lifetime]

    /// What an operator may write for a window.
    package static let form = "request, hour, day, week, month, lifetime, or minutes such as 15m"

    /// The longest rolling window, a week.
    package static let longestRolling: Int64 = 10_080
}

extension CapWindow: CustomStringConvertible {
    /// The text that operators type and that the books keep: `day`, or `15m` for the last fifteen minutes.
    package var description: String {
        switch self {
        case .request: "request"
        case .rolling(let minutes): "\(minutes)m"
        case .hour: "hour"
        case .day: "day"
        case .week: "week"
        case .month: "month"
        case .lifetime: "lifetime"
        }
    }

    /// Reads what ``description`` writes; nil for anything else.
    package init?(_ text: some StringProtocol) {
        if let named = Self.named.first(where: { $0.description == text }) {
            self = named
            return
        }
        let digits = text.dropLast()
        guard text.hasSuffix("m"), digits.utf8.first != UInt8(ascii: "0"), digits.utf8.allSatisfy(\.isASCIIDigit),
            let minutes = Int64(digits), (1...Self.longestRolling).contains(minutes)
        else { return nil }
        self = .rolling(minutes: minutes)
    }
}

extension CapWindow: Comparable {
    package static func < (left: CapWindow, right: CapWindow) -> Bool { left.rank < right.rank }

    /// The window's length in seconds, roughly; a rolling one goes before a fixed one of the same length.
    private var rank: Int64 {
        switch self {
        case .request: 0
        case .rolling(let minutes): minutes * 60 - 1
        case .hour: 3600
        case .day: 86_400
        case .week: 604_800
        case .month: 2_678_400
        case .lifetime: .max
        }
    }
}

extension CapWindow {
    /// When the bucket began that a payment of this time is added to.
    ///
    /// A fixed window is one bucket; a rolling one of N minutes consists of buckets of N seconds.
    func bucket(of time: Timestamp) -> Timestamp {
        switch self {
        case .request, .lifetime: Timestamp(milliseconds: 0)
        case .rolling(let minutes): time.startOf(seconds: minutes)
        case .hour: time.startOfUTCHour
        case .day: .startOfUTCDay(time.utcDay)
        case .week: time.startOfUTCWeek
        case .month: time.startOfUTCMonth
        }
    }

    /// The first moment at which a bucket does not count any more; nil when it always does.
    func end(ofBucket start: Timestamp) -> Timestamp? {
        switch self {
        case .request, .lifetime: nil
        case .rolling(let minutes): start.adding(seconds: minutes * 61)
        case .hour: start.adding(seconds: 3600)
        case .day: start.adding(seconds: 86_400)
        case .week: start.adding(seconds: 604_800)
        case .month: start.startOfNextUTCMonth
        }
    }

    /// Whether a bucket counts at a moment.
    func counts(bucket start: Timestamp, at now: Timestamp) -> Bool {
        end(ofBucket: start).map { now < $0 } ?? true
    }

    /// No payment before this moment counts in the window; nil when all do.
    package func beginning(at now: Timestamp) -> Timestamp? {
        switch self {
        case .request, .lifetime: nil
        case .rolling(let minutes): now.adding(seconds: -61 * minutes)
        case .hour, .day, .week, .month: bucket(of: now)
        }
    }
}
