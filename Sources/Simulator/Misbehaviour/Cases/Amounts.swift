extension Misbehaviour {
    private static func amount(_ name: String, _ text: String?) -> Misbehaviour {
        .entry("amount-\(name)") { $0["amount"] = text }
    }

    /// Prices that are not a positive decimal number of atomic units.
    static let amounts: [Misbehaviour] = [
        amount("number", "10000"), amount("float", "10000.0"), amount("fraction", "0.01"),
        amount("exponent", "1e4"), amount("exponent-text", #""1e4""#),
        amount("number-beyond-doubles", "9007199254740993"),
        amount("negative", #""-10000""#), amount("negative-number", "-10000"), amount("zero", #""0""#),
        amount("leading-zero", #""010000""#), amount("plus-sign", #""+10000""#), amount("hex", #""0x2710""#),
        amount("dollars", #""0.01""#), amount("dollar-sign", #""$0.01""#), amount("spaces", #"" 10000 ""#),
        amount("commas", #""10,000""#), amount("other-digits", #""\u0661\u0660\u0660\u0660\u0660""#),
        amount(
            "two-to-256", #""115792089237316195423570985008687907853269984665640564039457584007913129639936""#),
        amount(
            "largest", #""115792089237316195423570985008687907853269984665640564039457584007913129639935""#),
        amount("of-a-thousand-digits", quoted("1" + String(repeating: "0", count: 999))),
        amount("missing", nil), amount("null", "null"), amount("empty", #""""#), amount("array", #"["10000"]"#),
        amount("object", #"{"value":"10000"}"#), amount("true", "true"),
    ]

    /// Prices that are well written and too high, with the usual limit of a dollar for one payment.
    static let prices: [Misbehaviour] = [
        .entry("price-of-a-dollar") { $0["amount"] = #""1000000""# },
        .entry("price-above-a-dollar") { $0["amount"] = #""1010000""# },
        .entry("price-a-unit-above-a-dollar") { $0["amount"] = #""1000001""# },
        .entry("price-of-a-million-dollars") { $0["amount"] = #""1000000000000""# },
        .challenge("price-high-first-fine-second") { challenge in
            challenge.entries.append(.usdt)
            challenge.entries[0]["amount"] = #""5000000000""#
        },
    ]
}
