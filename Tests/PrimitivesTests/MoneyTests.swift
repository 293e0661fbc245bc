import Primitives
import Testing

@Suite("Dollars and token amounts")
struct MoneyTests {
    @Test(
        "plain decimal dollars are read and written shortest, with cents",
        arguments: [
            ("0", 0, "0.00"), ("5", 5_000_000_000, "5.00"), ("0.1", 100_000_000, "0.10"),
            ("$0.0003", 300_000, "0.0003"), ("0.000000001", 1, "0.000000001"), ("007.50", 7_500_000_000, "7.50"),
            ("9223372036.854775807", Int64.max, "9223372036.854775807"),
        ] as [(String, Int64, String)])
    func dollars(text: String, nanodollars: Int64, written: String) {
        let value = Dollars(text)
        #expect(value?.nanodollars == nanodollars)
        #expect(value?.description == written)
    }

    @Test(
        "dollars in any other form are refused",
        arguments: [
            "", "$", ".5", "5.", "-1", "+1", "1e3", "1,000", " 1", "1 ", "0.0000000001", "1.2.3", "$$1", "€1", "１",
            "9223372036.854775808", "99999999999999999999",
        ])
    func rejectedDollars(text: String) {
        #expect(Dollars(text) == nil)
    }

    @Test("dollars never go below zero or past their range")
    func dollarEnds() throws {
        let one = try #require(Dollars(nanodollars: 1))
        #expect(Dollars(nanodollars: -1) == nil)
        #expect(Dollars.zero.subtracting(one) == nil)
        #expect(Dollars.max.adding(one) == nil)
        #expect(Dollars.max.subtracting(.max) == .zero)
        #expect(Dollars.zero.adding(one) == one)
    }

    @Test(
        "atomic units are written as people write the token",
        arguments: [
            ("10000", 6, "0.01"), ("0", 6, "0"), ("1000000", 6, "1"), ("1", 6, "0.000001"), ("123", 0, "123"),
            ("10000000000000000", 18, "0.01"), ("1500000", 6, "1.5"),
            ("1", 77, "0." + String(repeating: "0", count: 76) + "1"),
        ])
    func decimalText(amount: String, decimals: Int, text: String) throws {
        #expect(try TokenAmount.decimalText(of: UInt256(decimal: amount), decimals: decimals) == text)
    }

    @Test(
        "the dollar value is rounded up, against the payer",
        arguments: [
            ("10000", 6, "1.00", "0.01"), ("1", 6, "1.00", "0.000001"), ("1", 18, "1.00", "0.000000001"),
            ("0", 18, "1.00", "0.00"), ("1000000001", 18, "1.00", "0.000000002"),
            ("1000000000", 18, "1.00", "0.000000001"),
            ("1", 6, "0.9999", "0.000001"), ("3", 9, "0.50", "0.000000002"), ("7", 0, "1.00", "7.00"),
        ] as [(String, Int, String, String)])
    func value(amount: String, decimals: Int, par: String, dollars: String) throws {
        let par = try #require(Dollars(par))
        let value = try TokenAmount.dollars(of: UInt256(decimal: amount), decimals: decimals, par: par)
        #expect(value == Dollars(dollars))
    }

    @Test("a value out of range is no value")
    func valueOutOfRange() throws {
        let par = try #require(Dollars("1"))
        #expect(TokenAmount.dollars(of: .max, decimals: 6, par: par) == nil)
        #expect(TokenAmount.dollars(of: UInt256(1), decimals: 37, par: par) == nil)
        #expect(TokenAmount.dollars(of: UInt256(1), decimals: -1, par: par) == nil)
        #expect(TokenAmount.dollars(of: UInt256(1), decimals: 6, par: .zero) == nil)
        #expect(try TokenAmount.dollars(of: UInt256(decimal: "9223372036854776"), decimals: 6, par: par) == nil)
    }

    @Test(
        "an amount that was typed is cut to the token's decimals, and it is known whether that lost anything",
        arguments: [
            ("2.5", 6, "2500000", true), ("0", 6, "0", true), ("0.0000019", 6, "1", false), ("1.50", 1, "15", true),
            ("007", 0, "7", true), ("1.9", 0, "1", false), ("0.000000", 3, "0", true),
        ])
    func reading(_ text: String, _ decimals: Int, _ units: String, _ isExact: Bool) throws {
        let reading = try #require(TokenAmount.read(Substring(text), decimals: decimals))
        #expect(reading.units.description == units)
        #expect(reading.isExact == isExact)
    }

    @Test(
        "reject- what is no plain amount",
        arguments: [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "0x1", String(repeating: "9", count: 79),
        ])
    func noReading(_ text: String) {
        #expect(TokenAmount.read(Substring(text), decimals: 6) == nil)
    }
}
