import Primitives
import TestSupport
import Testing
import X402

@Suite("Payment requirements")
struct RequirementTests {
    private func read(_ text: String) throws -> PaymentRequirement {
        let bytes = Array(text.utf8)
        return try PaymentRequirement.read(try JSONReader.read(bytes), in: bytes)
    }

    private func entry(amount: String = #""10000""#, more: String = "") -> String {
        #"{"scheme":"exact","network":"eip155:8453","asset":"0x01","amount":\#(amount),"payTo":"0x02"\#(more)}"#
    }

    @Test(
        "amounts are whole atomic units",
        arguments: [
            (#""1""#, "1"), (#""10000""#, "10000"), ("1", "1"), ("9007199254740991", "9007199254740991"),
            (#""\u0031""#, "1"),
            (
                #""115792089237316195423570985008687907853269984665640564039457584007913129639935""#,
                "115792089237316195423570985008687907853269984665640564039457584007913129639935"
            ),
        ])
    func amount(text: String, value: String) throws {
        #expect(try read(entry(amount: text)).amount.description == value)
    }

    @Test(
        "reject- amounts that are not positive whole units of 256 bits",
        arguments: [
            #""0""#, "0", #""00""#, #""-1""#, "-1", "-0", #""+1""#, #""01""#, #""0x10""#, #""1.0""#, "1.0", "0.01",
            #""0.01""#, #""1e3""#, "1e3", "1E3", #""1,000""#, #"" 1""#, #""1 ""#, #""""#, #""１""#, #""١٢""#,
            #""1\u0000""#,
            "9007199254740992", "18446744073709551616", "true", "[1]", "{}", #""1_000""#, #""$1""#, #""NaN""#,
            #""115792089237316195423570985008687907853269984665640564039457584007913129639936""#,
            #""1000000000000000000000000000000000000000000000000000000000000000000000000000000""#,
        ])
    func badAmount(text: String) {
        #expect(throws: RequirementProblem.badAmount) { try read(entry(amount: text)) }
    }

    @Test("a null amount is an absent one")
    func nullAmount() throws {
        #expect(throws: RequirementProblem.missing("amount")) { try read(entry(amount: "null")) }
        let both = entry(amount: "null", more: #","maxAmountRequired":"7""#)
        #expect(try read(both).amount == UInt256(7))
    }

    @Test("the version 1 name of the amount is read where the version 2 name is absent")
    func version1Amount() throws {
        let text = entry().replacing(#""amount":"10000""#, with: #""maxAmountRequired":"5""#)
        #expect(try read(text).amount == UInt256(5))
        #expect(try read(entry(more: #","maxAmountRequired":"5""#)).amount == UInt256(10_000))
    }

    @Test(
        "reject- entries without a member they need",
        arguments: ["scheme", "network", "asset", "payTo"], [#""""#, "7", "null", "{}", nil])
    func missing(key: String, value: String?) throws {
        let members = ["scheme", "network", "asset", "payTo"].compactMap { name -> String? in
            guard name == key else { return #""\#(name)":"x""# }
            return value.map { #""\#(name)":\#($0)"# }
        }
        let text = "{" + (members + [#""amount":"1""#]).joined(separator: ",") + "}"
        #expect(throws: RequirementProblem.missing(key)) { try read(text) }
    }

    @Test(
        "a window that is no positive whole number is no window",
        arguments: [
            ("60", 60), ("9223372036854775807", .max), ("0", nil), ("-5", nil), ("60.5", nil), (#""60""#, nil),
            ("1e3", nil), ("9223372036854775808", nil), ("null", nil),
        ] as [(String, Int64?)])
    func window(text: String, seconds: Int64?) throws {
        #expect(try read(entry(more: #","maxTimeoutSeconds":\#(text)"#)).maxTimeoutSeconds == seconds)
    }

    @Test("extra is read as an object and, as old sellers send it, as a text")
    func extra() throws {
        let object = #"{"name":"USD Coin","version":"2","paymentFlow":"upfront","assetTransferMethod":"permit2"}"#
        let asText = "\"" + object.replacing("\"", with: "\\\"") + "\""
        let expected = try read(entry(more: #","extra":\#(object)"#))
        #expect(expected.extra.name == "USD Coin")
        #expect(expected.extra.version == "2")
        #expect(expected.extra.paymentFlow == "upfront")
        #expect(expected.extra.assetTransferMethod == "permit2")
        let read = try read(entry(more: #","extra":\#(asText)"#))
        #expect(read.extra == expected.extra)
        #expect(String(decoding: read.raw, as: UTF8.self).contains(asText))
    }

    @Test("an extra that says nothing is none", arguments: ["null", "{}", "[]", #""""#, #""{}""#, "7"])
    func emptyExtra(text: String) throws {
        #expect(try read(entry(more: #","extra":\#(text)"#)).extra == PaymentRequirement.Extra())
    }

    @Test(
        "reject- a text for extra that is no object",
        arguments: [#""{""#, #""upfront""#, #""[]""#, #""{\"name\":1,\"name\":2}""#])
    func badExtra(text: String) {
        #expect(throws: RequirementProblem.missing("extra")) { try read(entry(more: #","extra":\#(text)"#)) }
    }

    @Test(
        "a member of extra that is no text is not an absent one", arguments: ["7", "true", "{}", "[]", #"["upfront"]"#])
    func wrongTypeInExtra(text: String) throws {
        let extra = try read(entry(more: #","extra":{"paymentFlow":\#(text),"verifyingContract":\#(text)}"#)).extra
        #expect(extra.paymentFlow == "")
        #expect(extra.verifyingContract == "")
        #expect(extra.name == nil)
    }

    @Test("what has no null is kept byte for byte, spaces, escapes and number spellings included")
    func verbatim() throws {
        let text = """
            { "scheme" : "exact",  "network":"eip155:8453", "amount":"10000" ,"asset":"0x01", "payTo":"0x02",
            "unknown": [1.50, 1e2, "\\u20ae\\/", {"b":1,"a":2}], "extra":{"name":"USD\\u20AE0"} }
            """
        let requirement = try read(text)
        #expect(String(decoding: requirement.raw, as: UTF8.self) == text)
        #expect(requirement.extra.name == "USD₮0")
    }

    @Test("null members are left out at every depth and all other values stay byte for byte")
    func nulls() throws {
        let text = entry(
            more: #","a":null,"b":{"c":null,"d":1.50,"e":[null,{"f":null,"g":"\u20ae\/"}]},"h" : "x","extra":null"#)
        let raw = String(decoding: try read(text).raw, as: UTF8.self)
        let kept = #","b":{"d":1.50,"e":[null,{"g":"\u20ae\/"}]},"h" : "x""#
        #expect(raw == entry(more: kept))
    }

    @Test("a null that is not a member stays")
    func nullElement() throws {
        let text = entry(more: #","list":[null, 1]"#)
        #expect(String(decoding: try read(text).raw, as: UTF8.self) == text)
    }
}
