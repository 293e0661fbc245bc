import Primitives
import TestSupport
import Testing
import X402

@Suite("Extension echoes")
struct ExtensionEchoTests {
    private func echo(_ extensions: [(String, String)], identifier: String = "pay_id") -> String? {
        let offered = extensions.map { Challenge.Extension(key: $0.0, raw: Array($0.1.utf8), isRequired: false) }
        return ExtensionEcho.object(for: offered, identifier: identifier).map { String(decoding: $0, as: UTF8.self) }
    }

    static func identifiers() throws -> [String] {
        try (Vectors.entry("payment-identifier")["valid"]?.elements ?? []).compactMap(\.string)
    }

    @Test("the SDK's payment-identifier gains our identifier", arguments: try identifiers())
    func vector(identifier: String) throws {
        let entry = try Vectors.entry("payment-identifier")
        let declared = try #require(entry["serverDeclares"]?["payment-identifier"])
        let sent = try #require(echo([("payment-identifier", declared.canonical)], identifier: identifier))
        let ours = try #require(JSONReader.read(Array(sent.utf8))["payment-identifier"])
        #expect(ours["info"]?["id"]?.string == identifier)
        #expect(ours["info"]?["required"]?.bool == true)
        #expect(ours["schema"]?.canonical == declared["schema"]?.canonical)
        if identifier == "pay_7d5d747be160e280504c099d984bcfe0" {
            #expect(try JSONValue.canonical(sent.utf8) == entry["clientSends"]?.canonical)
        }
    }

    @Test("a member the seller set stays as it is")
    func serverWins() {
        let theirs = #"{"info":{"id":"theirs_0123456789","required" : true},"schema":{ }}"#
        let sent = #"{"payment-identifier":{"info":{"id":"theirs_0123456789","required":true},"schema":{ }}}"#
        #expect(echo([("payment-identifier", theirs)]) == sent)
    }

    @Test(
        "an identifier entry without an info object is echoed as it came", arguments: ["{}", #"{"info":7}"#, "7", "[]"])
    func withoutInfo(text: String) {
        #expect(echo([("payment-identifier", text)]) == #"{"payment-identifier":\#(text)}"#)
    }

    @Test("nothing offered, nothing echoed")
    func nothing() {
        #expect(echo([]) == nil)
    }

    @Test("order and bytes are kept")
    func verbatim() {
        #expect(echo([("b", #"{"x": 1.50}"#), ("a", #""\u20ae""#)]) == #"{"b":{"x": 1.50},"a":"\u20ae"}"#)
    }

    @Test("what is too long goes, the dispensable first and the identifier last")
    func limit() throws {
        let half = "\"" + String(repeating: "x", count: ExtensionEcho.maximumBytes / 2) + "\""
        let most = "\"" + String(repeating: "x", count: ExtensionEcho.maximumBytes) + "\""
        let identifier = ("payment-identifier", #"{"info":{}}"#)
        let own = #""payment-identifier":{"info":{"id":"pay_id"}}"#
        #expect(
            echo([("bazaar", half), ("offer-receipt", half), ("other", "1"), identifier])
                == #"{"offer-receipt":\#(half),"other":1,\#(own)}"#)
        #expect(
            echo([("bazaar", half), ("offer-receipt", most), ("other", "1"), identifier]) == #"{"other":1,\#(own)}"#)
        #expect(echo([("other", most), identifier]) == "{\(own)}")
        #expect(echo([("other", most)]) == nil)
        #expect(echo([("payment-identifier", most)]) == nil)
    }
}
