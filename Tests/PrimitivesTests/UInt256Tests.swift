import Primitives
import TestSupport
import Testing

@Suite("256-bit integers")
struct UInt256Tests {
    private static let maximum =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935"

    @Test(
        "canonical decimal text survives a round trip",
        arguments: [
            "0", "1", "9", "10", "10000", "999999999999999999", "1000000000000000000", "1000000000000000001",
            "18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211455",
            "340282366920938463463374607431768211456", "100000000000000000000000000000000000000", maximum,
        ])
    func roundTrip(text: String) throws {
        let value = try UInt256(decimal: text)
        #expect(value.description == text)
        #expect(UInt256(bigEndian: value.bigEndianBytes) == value)
    }

    @Test(
        "text that is not a canonical decimal is refused",
        arguments: [
            ("", UInt256.ParseError.empty), ("00", .leadingZero), ("01", .leadingZero), ("+1", .notADigit),
            ("-1", .notADigit), ("1.0", .notADigit), ("1e6", .notADigit), ("0x10", .notADigit), (" 1", .notADigit),
            ("1 ", .notADigit), ("1_000", .notADigit), ("１", .notADigit), ("٣", .notADigit),
            ("115792089237316195423570985008687907853269984665640564039457584007913129639936", .overflow),
            ("999999999999999999999999999999999999999999999999999999999999999999999999999999", .overflow),
            (String(repeating: "1", count: 79), .overflow),
        ])
    func rejectedText(text: String, error: UInt256.ParseError) {
        #expect(throws: error) { try UInt256(decimal: text) }
    }

    @Test("arithmetic stops at both ends instead of wrapping")
    func ends() throws {
        let one = UInt256(1)
        let halfWay = UInt256(high: 0, low: .max)
        #expect(UInt256.max.adding(one) == nil)
        #expect(UInt256.max.adding(.zero) == .max)
        #expect(halfWay.adding(one) == UInt256(high: 1, low: 0))
        #expect(UInt256(high: .max, low: 0).adding(halfWay) == .max)
        #expect(UInt256(high: .max, low: 1).adding(halfWay) == nil)
        #expect(UInt256.zero.subtracting(one) == nil)
        #expect(UInt256(high: 1, low: 0).subtracting(one) == halfWay)
        #expect(UInt256.max.subtracting(.max) == .zero)
        #expect(UInt256.max.multiplied(by: 1) == .max)
        #expect(UInt256.max.multiplied(by: 0) == .zero)
        #expect(UInt256.max.multiplied(by: 2) == nil)
        #expect(
            halfWay.multiplied(by: .max)?.description == "6277101735386680763495507056286727952620534092958556749825")
        #expect(UInt256(high: 1 << 63, low: 0).multiplied(by: 2) == UInt256(high: 1 << 64, low: 0))
        #expect(UInt256(high: 1 << 127, low: 0).multiplied(by: 2) == nil)
        #expect(UInt256(1).quotientAndRemainder(dividingBy: 0) == nil)
    }

    @Test("division undoes multiplication", arguments: [1, 2, 10, 1_000_000_007, UInt64.max])
    func division(divisor: UInt64) throws {
        let random = SeededRandom(seed: divisor)
        for _ in 0..<100 {
            let quotient = UInt256(bigEndian: Bytes32(words: (0, random.word(), random.word(), random.word())))
            let remainder = random.word() % divisor
            let product = try #require(quotient.multiplied(by: divisor)?.adding(UInt256(remainder)))
            let (back, rest) = try #require(product.quotientAndRemainder(dividingBy: divisor))
            #expect(back == quotient)
            #expect(rest == remainder)
            #expect(try UInt256(decimal: product.description) == product)
        }
    }

    @Test("order is that of the numbers and of their big-endian bytes")
    func order() {
        let ascending = [
            UInt256.zero, UInt256(1), UInt256(.max), UInt256(high: 0, low: .max), UInt256(high: 1, low: 0), .max,
        ]
        #expect(ascending == ascending.shuffled().sorted())
        for (left, right) in zip(ascending, ascending.dropFirst()) {
            #expect(left < right)
            #expect(left.bigEndianBytes.bytes.lexicographicallyPrecedes(right.bigEndianBytes.bytes))
        }
    }

    @Test("only what fits into 64 bits becomes a machine integer")
    func narrowing() {
        #expect(UInt256(.max).uint64 == .max)
        #expect(UInt256(high: 0, low: 1 << 64).uint64 == nil)
        #expect(UInt256(high: 1, low: 0).uint64 == nil)
    }
}
