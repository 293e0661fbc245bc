import Primitives
import TestSupport
import Testing
import X402

@Suite("Payment identifiers")
struct PaymentIdentifierTests {
    static func texts(_ key: String) throws -> [String] {
        try (Vectors.entry("payment-identifier")[key]?.elements ?? []).compactMap(\.string)
    }

    private func echo(_ object: String, as identifier: String) throws -> String? {
        ExtensionEcho.object(
            for: try extensions(object), identifier: PaymentIdentifier(identifier), room: 3900
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a valid identifier lands beside the seller's members", arguments: try texts("valid"))
    func valid(identifier: String) throws {
        let entry = try Vectors.entry("payment-identifier")
        let declared = try #require(entry["serverDeclares"])
        let sent: String = try #require(try echo(declared.canonical, as: identifier))
        let ours = try #require(JSONReader.read(Array(sent.utf8))["payment-identifier"])
        #expect(ours["info"]?["id"]?.string == identifier)
        #expect(ours["info"]?["required"]?.bool == true)
        #expect(ours["schema"]?.canonical == declared["payment-identifier"]?["schema"]?.canonical)
        if identifier == "pay_7d5d747be160e280504c099d984bcfe0" {
            #expect(try JSONValue.canonical(sent.utf8) == entry["clientSends"]?.canonical)
        }
    }

    @Test("reject- what is no identifier", arguments: try texts("invalid") + ["", "pay_7d5d747be160e280\n"])
    func invalid(identifier: String) {
        #expect(PaymentIdentifier(identifier) == nil)
    }

    @Test("the length is 16 to 128 characters")
    func length() {
        for (count, isValid) in [(15, false), (16, true), (128, true), (129, false)] {
            #expect((PaymentIdentifier(String(repeating: "a", count: count)) != nil) == isValid)
        }
    }

    @Test("nothing is added where nothing is advertised")
    func notAdvertised() throws {
        #expect(try echo(#"{"bazaar":{"info":{}}}"#, as: "pay_0123456789abcdef") == #"{"bazaar":{"info":{}}}"#)
        #expect(try echo("{}", as: "pay_0123456789abcdef") == nil)
    }

    @Test("an identifier that the seller set stays as it is, byte for byte")
    func serverWins() throws {
        let theirs = #"{"payment-identifier":{"info":{"id":"theirs_0123456789","required" : true},"schema":{ }}}"#
        #expect(try echo(theirs, as: "pay_0123456789abcdef") == theirs)
        #expect(!PaymentIdentifier.cannotBeGiven(to: try extensions(theirs)))
    }

    @Test(
        "an entry that cannot take an identifier is echoed as it came",
        arguments: ["{}", #"{"info":7}"#, "7", "[]", #"{"info":{"id":7}}"#, #"{"info":{"id":"short"}}"#])
    func withoutInfo(text: String) throws {
        let object = #"{"payment-identifier":\#(text)}"#
        #expect(try echo(object, as: "pay_0123456789abcdef") == object)
        #expect(!PaymentIdentifier.cannotBeGiven(to: try extensions(object)))
    }

    @Test(
        "reject- a required identifier that cannot be given",
        arguments: [
            #"{"info":{"required":true,"id":7}}"#, #"{"info":{"required":true,"id":"short"}}"#,
            #"{"info":{"required":true,"id":{}}}"#,
            #"{"info":{"required":true},"x":"\#(String(repeating: "x", count: ExtensionEntry.maximumBytes))"}"#,
        ])
    func impossible(text: String) throws {
        let offered = try extensions(#"{"a":1,"payment-identifier":\#(text)}"#)
        #expect(PaymentIdentifier.cannotBeGiven(to: offered))
    }

    @Test("a required identifier that can be given, and another extension's requirement, are no obstacle")
    func possible() throws {
        for text in [
            #"{"payment-identifier":{"info":{"required":true}}}"#, #"{"other":{"info":{"required":true,"id":7}}}"#,
            "{}",
            #"{"payment-identifier":{"info":{"required":true,"id":null}}}"#,
        ] {
            #expect(!PaymentIdentifier.cannotBeGiven(to: try extensions(text)), "\(text)")
        }
    }
}
