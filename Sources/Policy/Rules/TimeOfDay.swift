package import Primitives

/// A span of each UTC day in minutes since midnight; it crosses midnight when its end is not behind its start.
package struct DayHours: Sendable, Equatable {
    /// The first minute, 0 to 1439.
    package let start: Int
    /// The first minute behind it, 1 to 1440.
    package let end: Int

    /// Reads `08:00-18:00` or `22:00-06:00`; nil for anything else, and for a span without a beginning or an end.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Self.minute(parts[0]), let end = Self.minute(parts[1]), start < 1440,
            end > 0 || start > 0, start != end
        else { return nil }
        self.start = start
        self.end = end == 0 ? 1440 : end
    }

    private static func minute(_ text: Substring) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
            [0, 1, 3, 4].allSatisfy({ bytes[$0].isASCIIDigit }), let hour = Int(text.prefix(2)),
            let minute = Int(text.suffix(2)), minute < 60, hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return hour * 60 + minute
    }

    /// Whether a time falls in it.
    package func contains(_ time: Timestamp) -> Bool {
        let minute = Int((time.seconds - time.utcDay * 86_400) / 60)
        return start < end ? (start..<end).contains(minute) : minute >= start || minute < end
    }
}

extension DayHours: CustomStringConvertible {
    /// `08:00-18:00`.
    package var description: String { "\(Self.text(start))-\(Self.text(end))" }

    private static func text(_ minute: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}

/// A day of the week; raw values are the file's words.
package enum Weekday: String, Sendable, CaseIterable {
    case mon, tue, wed, thu, fri, sat, sun

    /// The UTC day of a time; 1970-01-01 was a Thursday.
    package init(of time: Timestamp) {
        let index = Int((time.utcDay % 7 + 7 + 3) % 7)
        self = Self.allCases[index]
    }
}
