import Primitives
import Testing

@Suite("Time")
struct TimestampTests {
    @Test(
        "RFC 3339 text and UTC day",
        arguments: [
            (0, "1970-01-01T00:00:00Z", 0), (951_782_399, "2000-02-28T23:59:59Z", 11_015),
            (951_782_400, "2000-02-29T00:00:00Z", 11_016), (1_795_305_600, "2026-11-22T00:00:00Z", 20_779),
            (4_107_542_400, "2100-03-01T00:00:00Z", 47_541), (-1, "1969-12-31T23:59:59Z", -1),
            (253_402_300_799, "9999-12-31T23:59:59Z", 2_932_896),
        ] as [(Int64, String, Int64)])
    func text(seconds: Int64, text: String, day: Int64) {
        let time = Timestamp(seconds: seconds)
        #expect(time.description == text)
        #expect(time.utcDay == day)
        #expect(time.seconds == seconds)
        #expect(Timestamp.startOfUTCDay(day) <= time)
        #expect(time < Timestamp.startOfUTCDay(day + 1))
    }

    @Test("milliseconds are rounded down to seconds on both sides of the epoch")
    func rounding() {
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: -1001).seconds == -2)
        #expect(Timestamp(milliseconds: 500).adding(seconds: 2).milliseconds == 2500)
    }

    @Test("times out of range end at the range's end")
    func saturation() {
        #expect(Timestamp(seconds: .max).milliseconds == .max)
        #expect(Timestamp(seconds: .min).milliseconds == .min)
        #expect(Timestamp(milliseconds: 5).adding(seconds: .max).milliseconds == .max)
        #expect(Timestamp(milliseconds: .max).adding(seconds: 1).milliseconds == .max)
        #expect(Timestamp(milliseconds: -5).adding(seconds: .min).milliseconds == .min)
        #expect(Timestamp(milliseconds: .min).seconds == -9_223_372_036_854_776)
    }

    @Test(
        "a date of HTTP is read as it is written",
        arguments: [0, 784_111_777, 951_782_399, 951_782_400, 1_709_164_800, 1_795_305_600, 253_402_300_799] as [Int64])
    func httpDate(seconds: Int64) {
        let time = Timestamp(seconds: seconds)
        #expect(Timestamp(httpDate: time.httpDate) == time)
    }

    @Test(
        "reject- what is no date of HTTP, or no date at all",
        arguments: [
            "", "Mon, 22 Nov 2026 00:00:00 GMT", "Sun, 22 Nov 2026 24:00:00 GMT", "Sun, 22 Nov 2026 00:60:00 GMT",
            "Sun, 22 Nov 2026 00:00:60 GMT", "Sun, 22 nov 2026 00:00:00 GMT", "Sun, 22 Nov 2026 00:00:00 UTC",
            "Sun, 22 Nov 2026 00:00:00 GMT ", "Sun, 2  Nov 2026 00:00:00 GMT", "Sun, 22-Nov-2026 00:00:00 GMT",
            "Sunday, 22-Nov-26 00:00:00 GMT", "Sun Nov 22 00:00:00 2026", "Thu, 31 Apr 2026 00:00:00 GMT",
            "Fri, 31 Dec 1969 23:59:59 GMT", "Wed, 31 Dec 1969 23:59:59 GMT", "Sun, +2 Nov 2026 00:00:00 GMT",
        ])
    func noHTTPDate(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }
}
