extension Timestamp {
    /// The time as HTTP's `Date` writes it, `Sun, 22 Nov 2026 00:00:00 GMT` (RFC 9110 section 5.6.7, IMF-fixdate).
    package var httpDate: String {
        // The day 0 was a Thursday; before it remainders are negative.
        let weekday = Self.weekdays[Int((utcDay % 7 + 7) % 7)]
        let parts = description.dropLast().split(separator: "T")
        let date = parts[0].split(separator: "-")
        let month = Self.months[(Int(date[1]) ?? 1) - 1]
        return "\(weekday), \(date[2]) \(month) \(date[0]) \(parts[1]) GMT"
    }

    /// Reads an IMF-fixdate exactly as ``httpDate`` writes it; nil for anything else, the obsolete forms included.
    package init?(httpDate text: some StringProtocol) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard text.utf8.count == 29, parts.count == 6, let month = Self.months.firstIndex(of: String(parts[2])),
            let midnight = Timestamp(utcDate: "\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])")
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false).compactMap { Int64($0) }
        guard clock.count == 3 else { return nil }
        let time = midnight.adding(seconds: clock[0] * 3600 + clock[1] * 60 + clock[2])
        guard time.httpDate == text else { return nil }
        self = time
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
