import Primitives
import Testing

@Suite("JSON outlines")
struct JSONOutlineTests {
    private static let outline = JSONOutline.members([
        ("a", .scalar), ("t", .text), ("list", .elements(.members([("b", .scalar)]))), ("all", .allMembers(.text)),
        ("w", .whole),
    ])

    private func read(_ text: String) throws -> JSONValue {
        try JSONReader.read(Array(text.utf8), outline: Self.outline)
    }

    private func text(_ value: JSONValue?, in document: String) -> String? {
        value.map { String(decoding: Array(document.utf8)[$0.range], as: UTF8.self) }
    }

    @Test("the parts that are named are read, and nothing else")
    func parts() throws {
        let document = #" {"x":[1],"a":"é","t":{"q":[1,{}]},"list":[{"b":1,"c":2},7,[8]],"w":{"k":[true]}} "#
        let value = try read(document)
        #expect(value.members?.map(\.key) == ["a", "t", "list", "w"])
        #expect(value["a"]?.string == "é")
        #expect(value["t"]?.kind == .opaque && text(value["t"], in: document) == #"{"q":[1,{}]}"#)
        let list = try #require(value["list"]?.elements)
        #expect(list[0].members?.map(\.key) == ["b"] && list[1].integer == 7 && list[2].kind == .opaque)
        #expect(value["w"]?["k"]?.elements?.first?.bool == true)
    }

    @Test("keys are known by their text, however they are escaped, and by nothing that only looks like it")
    func keys() throws {
        #expect(try read(#"{"\u0061":1}"#)["a"]?.integer == 1)
        // Letters outside ASCII that Unicode takes for the same as some inside it.
        #expect(try JSONReader.read(Array("{\"\u{212a}\":1}".utf8), outline: .members([("K", .scalar)])).members == [])
        #expect(try read(#"{"\ud800":1,"\ud800":2}"#).members?.isEmpty == true)
    }

    @Test("reject- a part twice, and not what nobody asked for")
    func duplicates() throws {
        for text in [
            #"{"a":1,"a":1}"#, #"{"a":1,"x":0,"\u0061":1}"#, #"{"w":{"k":1,"k":2}}"#,
        ] {
            #expect(throws: JSONReader.Failure.self, "\(text)") { try read(text) }
        }
        #expect(try read(#"{"x":1,"x":2,"t":{"k":1,"k":2},"list":[{"c":1,"c":2}]}"#).members?.count == 2)
        #expect(try read(#"{"all":{"k":1,"k":2}}"#)["all"]?.members?.map(\.key) == ["k", "k"])
    }

    @Test("an element that cannot be read stays JSON, and the others are read")
    func elements() throws {
        let texts = [
            #"{"b":1,"b":2}"#, #"{"b":"\ud800"}"#, #"{"x":[[1]],"b":"\udc00","y":{}}"#,
        ]
        for text in texts {
            let document = #"{"list":[{"b":1}, \#(text) ,{"b":2},\#(text)],"a":1}"#
            let value = try read(document)
            let list = try #require(value["list"]?.elements)
            #expect(list.count == 4 && list[0]["b"]?.integer == 1 && list[2]["b"]?.integer == 2)
            for index in [1, 3] {
                guard case .unreadable = list[index].kind else {
                    Issue.record("\(list[index])")
                    continue
                }
                #expect(self.text(list[index], in: document) == text)
            }
            #expect(value["a"]?.integer == 1)
        }
        let deep = String(repeating: #"{"b":1,"b":2},"#, count: 1000)
        #expect(try read(#"{"list":[\#(deep)7],"a":1}"#)["a"]?.integer == 1)
        for text in [#"{"list":[{"b":1,"b":2]}"#, #"{"list":[{"b":1,"b":2}"#, #"{"list":[{"b":1,"b":02}]}"#] {
            #expect(throws: JSONReader.Failure.self, "\(text)") { try read(text) }
        }
    }

    @Test("a member that may repeat is kept each time, in order")
    func repeatable() throws {
        let outline = JSONOutline.members([("a", .scalar), ("r", .repeatable(.scalar)), ("t", .repeatable(.text))])
        let document = Array(#"{"r":1,"a":0,"r":2,"t":[1,1],"t":{"k":1,"k":2},"r":3}"#.utf8)
        let value = try JSONReader.read(document, outline: outline)
        #expect(value.members?.map(\.key) == ["r", "a", "r", "t", "t", "r"])
        #expect(value.members?.compactMap(\.value.integer) == [1, 0, 2, 3])
        #expect(throws: JSONReader.Failure.duplicateKey("a")) {
            try JSONReader.read(Array(#"{"a":1,"r":1,"a":1}"#.utf8), outline: outline)
        }
    }

    @Test("depth costs no stack and no more than its length", arguments: [33, 100_000, 1_000_000])
    func depth(levels: Int) throws {
        let begins = String(repeating: #"[{"k":"#, count: levels / 2)
        let ends = String(repeating: "}]", count: levels / 2)
        #expect(try read(#"{"t":\#(begins)0\#(ends),"a":1}"#)["a"]?.integer == 1)
        #expect(throws: JSONReader.Failure.self) { try read(#"{"t":\#(begins)0\#(ends)],"a":1}"#) }
        #expect(throws: JSONReader.Failure.truncated) { try read(#"{"t":\#(begins)"#) }
    }

    @Test(
        "reject- what is no JSON, wherever it stands",
        arguments: [
            "[", "[1", "[1,]", "[,1]", "[1 2]", "[}", "{]", "{1:2}", #"{"k"}"#, #"{"k":}"#, #"{"k":1,}"#, #"{"k" 1}"#,
            "tru", "nulL", "01", "1.", "-", "+1", "1e", ".5", "NaN", #""x"#, #""\x""#, #""\u12g4""#, "\"a\tb\"", "'k'",
            "[1]]", "{}}", "",
        ])
    func noJSON(part: String) {
        for document in [#"{"t":\#(part)}"#, #"{"x":\#(part)}"#, #"{"a":1,"t":[{"k":\#(part)}]}"#] {
            #expect(throws: JSONReader.Failure.self, "\(document)") { try read(document) }
        }
    }

    @Test("reject- invalid UTF-8 in a part that is not read")
    func invalidText() {
        let bytes = Array(#"{"x":""#.utf8) + [0xc3] + Array(#"","a":1}"#.utf8)
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(bytes, outline: Self.outline) }
    }

    @Test("what a strict reader reads an outline's reader reads alike")
    func alike() throws {
        let document = #"{"a":-1.5e3,"w":[{"k":"\u20ac\n"},null],"all":{"p":"q"}}"#
        let strict = try JSONReader.read(Array(document.utf8))
        let loose = try read(document)
        #expect(loose["a"] == strict["a"] && loose["w"] == strict["w"])
        #expect(loose["all"]?.range == strict["all"]?.range)
    }

    @Test(
        "members that are null are cut out, at any depth, and nothing else is touched",
        arguments: [
            (#"{"a":null}"#, "{}"), (#"{"a":null,"b":1}"#, #"{"b":1}"#), (#"{"a":1,"b":null}"#, #"{"a":1}"#),
            (#"{"a":1 , "b" : null , "c":2}"#, #"{"a":1 , "c":2}"#), (#"{"a":null,"b":null}"#, "{}"),
            (#"{"a":null, "b":null, "c":1,"d":null}"#, #"{ "c":1}"#), (#"{ "a" : null }"#, "{ }"),
            (#"{"a":[null,{"b":null},null]}"#, #"{"a":[null,{},null]}"#), (#"[null]"#, "[null]"), ("null", "null"),
            (#"{"a":{"b":{"c":null,"d":[]},"e":null},"f":"null"}"#, #"{"a":{"b":{"d":[]}},"f":"null"}"#),
            (#"{"a":{"x":null},"b":{}}"#, #"{"a":{},"b":{}}"#),
            (#"{"a":"nn\"ull","b":{"n":null}}"#, #"{"a":"nn\"ull","b":{}}"#),
            (#"{"k":{},"n":null,"k":[{}]}"#, #"{"k":{},"k":[{}]}"#), (#"{"n":null,"k":{"m":1}}"#, #"{"k":{"m":1}}"#),
        ])
    func nulls(text: String, kept: String) throws {
        let bytes = Array(text.utf8)
        let value = try JSONReader.read(bytes, outline: .text)
        #expect(String(decoding: value.textWithoutNulls(in: bytes), as: UTF8.self) == kept)
    }

    @Test("nulls are cut out of any depth")
    func deepNulls() throws {
        let (begins, ends) = (String(repeating: #"{"k":["#, count: 100_000), String(repeating: "]}", count: 100_000))
        let bytes = Array("\(begins){\"n\":null}\(ends)".utf8)
        let kept = try JSONReader.read(bytes, outline: .text).textWithoutNulls(in: bytes)
        #expect(kept == Array("\(begins){}\(ends)".utf8))
    }
}
