extension Timestamp {
    /// The time as HTTP's `Date` writes it, `Sun, 22 Nov 2026 00:00:00 GMT` (RFC 9110 section 5.6.7, IMF-fixdate).
    package var httpDate: String {
        let (year, month, day) = Self.civil(day: utcDay)
        let rest = seconds - utcDay * 86_400
        let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(Self.weekday(utcDay)), \(day < 10 ? "0" : "")\(day) \(Self.months[Int(month) - 1]) \(year) "
            + "\(clock.joined(separator: ":")) GMT"
    }

    /// Reads an IMF-fixdate exactly as ``httpDate`` writes it; nil for anything else, the obsolete forms included.
    ///
    /// Byte by byte, since every paid answer has one.
    package init?(httpDate text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, bytes[3...4].elementsEqual(", ".utf8), bytes[25...].elementsEqual(" GMT".utf8),
            [7, 11, 16].allSatisfy({ bytes[$0] == 0x20 }), [19, 22].allSatisfy({ bytes[$0] == 0x3a }),
            let day = Self.number(bytes[5..<7]), let year = Self.number(bytes[12..<16]),
            let hour = Self.number(bytes[17..<19]), let minute = Self.number(bytes[20..<22]),
            let second = Self.number(bytes[23..<25]), year >= 1970, hour < 24, minute < 60, second < 60,
            let month = Self.months.firstIndex(where: { bytes[8..<11].elementsEqual($0.utf8) })
        else { return nil }
        let number = Self.day(year: year, month: Int64(month) + 1, day: day)
        guard Self.civil(day: number) == (year, Int64(month) + 1, day),
            bytes[..<3].elementsEqual(Self.weekday(number).utf8)
        else { return nil }
        self = Timestamp.startOfUTCDay(number).adding(seconds: hour * 3600 + minute * 60 + second)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard digit.isASCIIDigit else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    /// The name of a day; day 0 was a Thursday, and before it remainders are negative.
    private static func weekday(_ day: Int64) -> String { weekdays[Int((day % 7 + 7) % 7)] }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
