extension Timestamp {
    /// The first moment of this time's hour, UTC.
    package var startOfUTCHour: Timestamp { startOf(seconds: 3600) }

    /// The first moment of this time's span, where spans of a length in seconds follow each other from the epoch on.
    package func startOf(seconds length: Int64) -> Timestamp {
        let rest = seconds % length
        return Timestamp(seconds: seconds - (rest < 0 ? rest + length : rest))
    }

    /// Midnight at the beginning of this time's ISO 8601 week, which begins on Monday, UTC.
    package var startOfUTCWeek: Timestamp {
        // The epoch was a Thursday.
        let weekday = (utcDay + 3) % 7
        return .startOfUTCDay(utcDay - (weekday < 0 ? weekday + 7 : weekday))
    }

    /// Midnight at the beginning of this time's calendar month, UTC.
    package var startOfUTCMonth: Timestamp {
        .startOfUTCDay(utcDay - Self.civil(day: utcDay).day + 1)
    }

    /// Midnight at the beginning of the calendar month behind this time's, UTC.
    package var startOfNextUTCMonth: Timestamp {
        // 31 days behind the first of a month lie in the next one, whatever its length.
        Timestamp.startOfUTCDay(startOfUTCMonth.utcDay + 31).startOfUTCMonth
    }

    /// The date as `2026-11-22`, UTC.
    package var utcDate: String { String(description.prefix { $0 != "T" }) }

    /// Reads `2026-11-22` as that day's midnight UTC, years 1970 to 9999; nil for anything else.
    package init?(utcDate text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy(\.isASCIIDigit) }),
            let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]), year >= 1970
        else { return nil }
        let number = Self.day(year: year, month: month, day: day)
        let time = Timestamp.startOfUTCDay(number)
        // A date that is no date, such as the 31st of April, comes out as another one.
        guard time.utcDate == text else { return nil }
        self = time
    }
}
