extension Timestamp {
    /// Reads a date and time of RFC 3339, years 1970 to 9999, such as `2026-11-22T00:00:00.000Z`; nil for anything else.
    ///
    /// `T` and `Z` are upper case, a fraction has 1 to 9 digits of which milliseconds are kept, an offset is at most
    /// 23:59, and there is no second 60.
    package init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(36))
        guard (20...35).contains(bytes.count), bytes[10] == UInt8(ascii: "T"),
            let day = Timestamp(utcDate: String(decoding: bytes[..<10], as: UTF8.self)),
            let time = Self.minutes(bytes[11..<16]), bytes[16] == UInt8(ascii: ":"),
            let seconds = Self.twoDigits(bytes[17..<19], below: 60)
        else { return nil }
        var rest = bytes[19...]
        var milliseconds: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix(while: \.isASCIIDigit)
            guard (1...9).contains(digits.count) else { return nil }
            for index in 0..<3 {
                let digit = index < digits.count ? digits[digits.startIndex + index] - 0x30 : 0
                milliseconds = milliseconds * 10 + Int64(digit)
            }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = Self.offset(rest) else { return nil }
        self.init(
            milliseconds: day.milliseconds + ((time - offset) * 60 + seconds) * 1000 + milliseconds)
    }

    /// `Z`, `+01:00` or `-01:00` in minutes east of UTC.
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int64? {
        switch zone.first {
        case UInt8(ascii: "Z"): zone.count == 1 ? 0 : nil
        case UInt8(ascii: "+"): minutes(zone.dropFirst())
        case UInt8(ascii: "-"): minutes(zone.dropFirst()).map { -$0 }
        default: nil
        }
    }

    /// `hh:mm` as minutes since midnight.
    private static func minutes(_ text: ArraySlice<UInt8>) -> Int64? {
        guard text.count == 5, text[text.startIndex + 2] == UInt8(ascii: ":"),
            let hours = twoDigits(text.prefix(2), below: 24), let minutes = twoDigits(text.suffix(2), below: 60)
        else { return nil }
        return hours * 60 + minutes
    }

    private static func twoDigits(_ text: ArraySlice<UInt8>, below limit: Int64) -> Int64? {
        guard text.allSatisfy(\.isASCIIDigit) else { return nil }
        let value = text.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        return value < limit ? value : nil
    }
}
