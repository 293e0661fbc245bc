import Primitives
import Testing

@Suite("Times of RFC 3339")
struct RFC3339Tests {
    @Test(
        "the same moment in every spelling that is read",
        arguments: [
            "2026-11-22T00:00:00Z", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000000000Z",
            "2026-11-22T00:00:00+00:00", "2026-11-22T00:00:00-00:00", "2026-11-22T05:45:00+05:45",
            "2026-11-21T12:00:00-12:00", "2026-11-22T00:00:00.000999Z", "2026-11-22T23:59:00.0+23:59",
        ])
    func spellings(text: String) {
        #expect(Timestamp(rfc3339: text) == Timestamp(seconds: 1_795_305_600))
    }

    @Test(
        "milliseconds are kept",
        arguments: [
            ("1970-01-01T00:00:00.5Z", 500), ("1970-01-01T00:00:01.042Z", 1042),
            ("1970-01-01T23:59:59.99Z", 86_399_990),
        ]
    )
    func milliseconds(text: String, value: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == value)
    }

    @Test("what is written is read")
    func roundTrip() {
        for seconds: Int64 in [0, 951_782_400, 1_795_305_600, 4_102_444_799, 253_402_300_799] {
            let time = Timestamp(seconds: seconds)
            #expect(Timestamp(rfc3339: time.description) == time)
        }
    }

    @Test(
        "reject- everything else",
        arguments: [
            "", "2026-11-22", "2026-11-22T00:00:00", "2026-11-22 00:00:00Z", "2026-11-22t00:00:00Z",
            "2026-11-22T00:00:00z", "2026-11-22T24:00:00Z", "2026-11-22T00:60:00Z", "2026-11-22T00:00:60Z",
            "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T00:00:00.Z", "2026-11-22T00:00:00,5Z",
            "2026-11-22T00:00:00.0000000000Z", "2026-11-22T00:00:00+0000", "2026-11-22T00:00:00+24:00",
            "2026-11-22T00:00:00+00:60", "2026-11-22T00:00:00+00", "2026-11-22T00:00:00ZZ", "2026-11-22T00:00:00Z ",
            " 2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z\n", "1969-12-31T23:59:59Z", "20261122T000000Z",
            "2026-11-22T0:00:000Z", "+026-11-22T00:00:00Z", "2026-11-22T+1:00:00Z", "２026-11-22T00:00:00Z",
            "2026-11-22T00:00:00.000000000+00:00:00", "2026-11-22T00-00-00Z", "2026-11-22T00:00-00Z00",
        ])
    func rejected(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
