import Primitives

extension Timestamp {
    /// The time as HTTP's `Date` writes it, `Sun, 22 Nov 2026 00:00:00 GMT` (RFC 9110, IMF-fixdate).
    var httpDate: String {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        // The day 0 was a Thursday; before it remainders are negative.
        let weekday = weekdays[Int((utcDay % 7 + 7) % 7)]
        let parts = description.dropLast().split(separator: "T")
        let date = parts[0].split(separator: "-")
        let month = months[(Int(date[1]) ?? 1) - 1]
        return "\(weekday), \(date[2]) \(month) \(date[0]) \(parts[1]) GMT"
    }
}
