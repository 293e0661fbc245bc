import Primitives
import Testing

@Suite("JSON")
struct JSONTests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONReader.read(Array(text.utf8))
    }

    @Test("every kind of value is read, numbers as text")
    func kinds() throws {
        let value = try read(#" {"a":[1,-0.5e+3,true,false,null],"b":{"c":"d"}} "#)
        let elements = try #require(value["a"]?.elements)
        #expect(elements.map(\.numberText) == ["1", "-0.5e+3", nil, nil, nil])
        #expect(elements[0].integer == 1)
        #expect(elements[1].integer == nil)
        #expect(elements[2].bool == true)
        #expect(elements[4].isNull)
        #expect(value["b"]?["c"]?.string == "d")
        #expect(value["missing"] == nil)
        #expect(value.members?.map(\.key) == ["a", "b"])
    }

    @Test("the place of a value is exactly its text")
    func ranges() throws {
        let text = #"{ "accepts" : [ {"amount" : "1"} , 2 ] }"#
        let bytes = Array(text.utf8)
        let entries = try #require(JSONReader.read(bytes)["accepts"]?.elements)
        #expect(String(decoding: bytes[entries[0].range], as: UTF8.self) == #"{"amount" : "1"}"#)
        #expect(String(decoding: bytes[entries[1].range], as: UTF8.self) == "2")
    }

    @Test(
        "escapes are undone",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""USD\u20ae0""#, "USD₮0"), (#""\uD83D\uDE00""#, "😀"),
            (#""₮\u0041""#, "₮A"), (#""""#, ""), (#""\u0000""#, "\0"),
        ])
    func escapes(text: String, value: String) throws {
        #expect(try read(text).string == value)
    }

    @Test(
        "reject-malformed",
        arguments: [
            "", " ", "{", "[", "\"", "{]", "[}", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{'a':1}", "[1 2]", "1 2",
            "{} {}",
            "tru", "nulll", "True", "NaN", "Infinity", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "--1",
            "\"\\x\"",
            "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"a\u{0}b\"", "\u{feff}{}", "/**/1", "[1,,2]", "{,}", "\u{b}1",
        ])
    func rejectMalformed(text: String) {
        #expect(throws: JSONReader.Failure.self) { try read(text) }
    }

    @Test("reject-two-readings: duplicate keys, however they are spelled")
    func rejectDuplicates() throws {
        #expect(throws: JSONReader.Failure.duplicateKey("a")) { try read(#"{"a":1,"a":2}"#) }
        #expect(throws: JSONReader.Failure.duplicateKey("a")) { try read(#"{"a":1,"\u0061":2}"#) }
        let members = (0..<40).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(throws: JSONReader.Failure.duplicateKey("k3")) { try read("{\(members),\"k3\":1}") }
        #expect(try read("{\(members)}").members?.count == 40)
        #expect(try read(#"[{"a":1},{"a":2}]"#).elements?.count == 2)
    }

    @Test("reject-invalid-text: broken UTF-8 and lone surrogates")
    func rejectText() {
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
        ] {
            #expect(throws: JSONReader.Failure.self) { try JSONReader.read(bytes) }
            #expect(throws: JSONReader.Failure.self) { try JSONReader.read([0x22, 0x5c, 0x6e] + bytes.dropFirst()) }
        }
        for text in [#""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#, #""\udc00\ud800""#] {
            #expect(throws: JSONReader.Failure.self) { try read(text) }
        }
    }

    @Test("reject-too-much: depth and number of values are bounded")
    func rejectTooMuch() throws {
        let depth = JSONReader.maximumDepth
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try read(nested(depth))
        #expect(throws: JSONReader.Failure.tooDeep(offset: depth)) { try read(nested(depth + 1)) }
        #expect(throws: JSONReader.Failure.self) { try read(String(repeating: "[", count: 1_000_000)) }
        let many = "[" + String(repeating: "0,", count: JSONReader.maximumValues) + "0]"
        #expect(throws: JSONReader.Failure.self) { try read(many) }
    }

    @Test("a cut-off document is truncated, not something else")
    func truncated() {
        let text = Array(#"{"a":["b",1.5,{"c":null}],"d":"\u20ae"}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONReader.Failure.truncated) { try JSONReader.read(Array(text[..<length])) }
        }
    }

    @Test("written text reads back as what was written")
    func writing() throws {
        var text = JSONText()
        text.object {
            $0.field("text", "a\"\\\n\u{1}\u{7f}₮")
            $0.field("none", optional: nil)
            $0.field("number", -3)
            $0.field("flag", true)
            $0.array("list") { list in
                list.element("x")
                list.object { $0.field("raw", raw: "[1, 2]".utf8) }
            }
            $0.object("empty") { _ in }
        }
        #expect(
            text.string
                == #"{"text":"a\"\\\n\u0001\u007f₮","number":-3,"flag":true,"list":["x",{"raw":[1, 2]}],"empty":{}}"#)
        #expect(try JSONReader.read(text.bytes)["text"]?.string == "a\"\\\n\u{1}\u{7f}₮")
    }
}
