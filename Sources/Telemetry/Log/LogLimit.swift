/// How often the same line may be logged about the same agent: the first of a minute are, the others are counted.
///
/// A value without a clock: times are seconds that never go back.
package struct LogLimit {
    /// Lines of one key that are logged in one window.
    package static let lines = 20
    /// The length of a window in seconds.
    package static let window: Int64 = 60
    /// The most keys that are told apart; all beyond them are one.
    package static let keys = 4096

    /// What makes lines the same.
    package struct Key: Hashable, Sendable {
        /// The constant text.
        package let message: String
        /// Whom it is about.
        package let agent: String
        /// Why, where the line has a code.
        package let code: String

        /// Makes a key.
        package init(message: String, agent: String, code: String) {
            self.message = message
            self.agent = agent
            self.code = code
        }

        fileprivate static let others = Key(message: "any other line", agent: "any other", code: "")
    }

    /// Lines that were left out.
    package struct LeftOut: Equatable, Sendable {
        package let key: Key
        package let count: Int
    }

    private struct Window {
        let end: Int64
        var count = 0
    }

    private var windows: [Key: Window] = [:]
    private var nextEnd = Int64.max

    /// Nothing logged yet.
    package init() {}

    /// Whether lines were left out or may be, so that ``takeEnded(at:)`` has something to find later.
    package var isWaiting: Bool { !windows.isEmpty }

    /// Whether a line may be logged now; else it is counted.
    package mutating func allows(_ key: Key, at now: Int64) -> Bool {
        let key = windows[key] != nil || windows.count < Self.keys ? key : .others
        var window = windows[key] ?? Window(end: now + Self.window)
        nextEnd = min(nextEnd, window.end)
        window.count += 1
        windows[key] = window
        return window.count <= Self.lines
    }

    /// What was left out in windows that are over; these begin anew with their next line.
    package mutating func takeEnded(at now: Int64) -> [LeftOut] {
        guard nextEnd <= now else { return [] }
        return take { $0.end <= now }
    }

    /// What was left out in all windows, before the process ends.
    package mutating func takeAll() -> [LeftOut] { take { _ in true } }

    private mutating func take(_ isOver: (Window) -> Bool) -> [LeftOut] {
        var leftOut: [LeftOut] = []
        for (key, window) in windows where isOver(window) {
            windows[key] = nil
            if window.count > Self.lines { leftOut.append(LeftOut(key: key, count: window.count - Self.lines)) }
        }
        nextEnd = windows.values.map(\.end).min() ?? .max
        return leftOut.sorted {
            ($0.key.agent, $0.key.message, $0.key.code) < ($1.key.agent, $1.key.message, $1.key.code)
        }
    }
}
