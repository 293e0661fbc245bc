import Primitives
import TestSupport
import Testing

@Suite("Shares of a value")
struct DollarShareTests {
    @Test(
        "a share is rounded up and never more than the whole",
        arguments: [
            ("100", 50, 100, "50"), ("100", 1, 3, "33.333333334"), ("100", 2, 3, "66.666666667"), ("1", 0, 7, "0.00"),
            ("0.000000001", 1, 1_000_000, "0.000000001"), ("5", 7, 7, "5"), ("5", 8, 7, "5"),
            ("9223372036.854775807", 1, 2, "4611686018.427387904"),
        ] as [(String, UInt64, UInt64, String)])
    func share(value: String, part: UInt64, whole: UInt64, share: String) throws {
        let value = try #require(Dollars(value))
        #expect(value.share(of: UInt256(part), in: UInt256(whole)) == Dollars(share))
    }

    @Test("amounts too large to multiply free nothing")
    func huge() throws {
        let half = UInt256(high: .max >> 1, low: .max)
        #expect(Dollars.one.share(of: half, in: .max) == .one)
        let part = UInt256(high: 1 << 50, low: 0)
        let share = Dollars.one.share(of: part, in: UInt256(high: 1 << 51, low: 0))
        #expect(share == Dollars("0.50"))
    }

    @Test("shares of random amounts agree with a division in wider numbers", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let (whole, nanos) = (random.word() | 1, Int64(random.word() >> 1))
            let part = random.word() % whole
            let exact = UInt128(part) * UInt128(nanos)
            let expected = exact / UInt128(whole) + (exact % UInt128(whole) == 0 ? 0 : 1)
            let share = try #require(Dollars(nanodollars: nanos)).share(of: UInt256(part), in: UInt256(whole))
            #expect(UInt128(share.nanodollars) == expected)
        }
    }
}
