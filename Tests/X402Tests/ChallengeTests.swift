import Primitives
import TestSupport
import Testing
import X402

@Suite("Challenges")
struct ChallengeTests {
    private static let entry =
        #"{"scheme":"exact","network":"eip155:8453","asset":"0x01","amount":"10000","payTo":"0x02"}"#

    private func read(header: String? = nil, body: String? = nil) throws(ChallengeProblem) -> Challenge {
        try Challenge.read(ChallengeSource(header: header.map { Array($0.utf8) }, body: body.map { Array($0.utf8) }))
    }

    private func unreadable(_ header: String) -> Bool {
        do throws(ChallengeProblem) {
            _ = try read(header: header)
            return false
        } catch {
            if case .unreadable = error { return true }
            return false
        }
    }

    static func headerRows() throws -> [Vectors.Row] {
        try Vectors.entries(prefix: "exact-eip3009-").filter { $0.value["http"] != nil }
    }

    @Test("the SDK's header reads as what it says", arguments: try headerRows())
    func vectors(row: Vectors.Row) throws {
        let http = try #require(row.value["http"])
        let required = try #require(http["paymentRequired"])
        let challenge = try read(header: #require(http["PAYMENT-REQUIRED"]?.string))
        #expect(challenge.version == 2)
        #expect(challenge.error == required["error"]?.string)
        #expect(challenge.problems.isEmpty)
        #expect(try challenge.resource.map(JSONValue.canonical) == required["resource"]?.canonical)
        let accepts = try #require(required["accepts"]?.elements)
        #expect(try challenge.requirements.map { try JSONValue.canonical($0.raw) } == accepts.map(\.canonical))
        let first = try #require(challenge.requirements.first)
        #expect(first.amount.description == accepts.first?["amount"]?.string)
        #expect(first.extra.name == accepts.first?["extra"]?["name"]?.string)
        #expect(first.maxTimeoutSeconds == accepts.first?["maxTimeoutSeconds"]?.integer)
    }

    static func spellings() throws -> [Vectors.Row] {
        try (Vectors.entry("lenient-decoding")["accept"]?.elements ?? []).enumerated().map { index, value in
            Vectors.Row(description: "spelling \(index)", value: value)
        }
    }

    @Test("every spelling of one header reads as the same challenge", arguments: try spellings())
    func lenientDecoding(row: Vectors.Row) throws {
        let entry = try Vectors.entry("lenient-decoding")
        let standard = try read(header: #require(entry["standard"]?.string))
        let challenge = try read(header: row.value.string ?? "")
        #expect(challenge.error == standard.error)
        #expect(challenge.requirements.map(\.extra) == standard.requirements.map(\.extra))
        #expect(challenge.requirements.first?.extra.name == "USD\u{20AE}0")
        #expect(
            try challenge.requirements.map { try JSONValue.canonical($0.raw) }
                == standard.requirements.map { try JSONValue.canonical($0.raw) })
    }

    @Test("a version 1 body reads as what it says")
    func version1() throws {
        let http = try #require(Vectors.entry("v1-exact-base-sepolia")["http"])
        let challenge = try read(body: #require(http["body402"]).canonical)
        #expect(challenge.version == 1)
        let requirement = try #require(challenge.requirements.first)
        #expect(requirement.network == "base-sepolia")
        #expect(requirement.amount == UInt256(10_000))
        #expect(try JSONReader.read(requirement.raw)["outputSchema"] == nil)
    }

    @Test("the header wins over the body, and an empty header is none")
    func precedence() throws {
        let two = #"{"x402Version":2,"accepts":[]}"#
        let one = #"{"x402Version":1,"accepts":[]}"#
        #expect(try read(header: two, body: one).version == 2)
        #expect(try read(header: "", body: one).version == 1)
        #expect(try read(header: "@@@", body: one).version == 1)
        #expect(throws: ChallengeProblem.unreadable("PAYMENT-REQUIRED is empty")) { try read(header: "") }
    }

    @Test(
        "a header that is no challenge, or asks for nothing, says nothing about the body",
        arguments: ["true", "@@@", "e30", "1", #"{"x402Version":3,"accepts":[]}"#, #"{"x402Version":2,"accepts":[]}"#])
    func headerBesideBody(header: String) throws {
        let body = #"{"x402Version":1,"accepts":[\#(Self.entry)]}"#
        #expect(try read(header: header, body: body).version == 1)
        #expect(try read(header: header, body: body).requirements.count == 1)
        let two = #"{"x402Version":2,"accepts":[\#(Self.entry)]}"#
        #expect(try read(header: two, body: body).version == 2)
    }

    @Test("of several headers the readable ones count; where two of them differ nothing does, nor the body")
    func severalHeaders() throws {
        let two = #"{"x402Version":2,"accepts":[\#(Self.entry)]}"#
        let other = two.replacing("10000", with: "1")
        func read(_ header: [String], alias: [String] = [], body: String? = nil) throws(ChallengeProblem) -> Challenge {
            try Challenge.read(
                ChallengeSource(
                    fields: [
                        .init(name: "PAYMENT-REQUIRED", values: header.map { Array($0.utf8) }),
                        .init(name: "X-PAYMENT-REQUIRED", values: alias.map { Array($0.utf8) }),
                    ], body: body.map { .whole(Array($0.utf8)) } ?? .none))
        }
        #expect(try read(["@@@", two]).requirements.count == 1)
        #expect(try read([two, Base64.encode(Array(two.utf8))]).requirements.count == 1)
        #expect(try read([two], alias: [other]).requirements.first?.amount == UInt256(10_000))
        #expect(try read([""], alias: [other]).requirements.first?.amount == UInt256(1))
        let problem = ChallengeProblem.unreadable("PAYMENT-REQUIRED stands there twice, with two challenges")
        #expect(throws: problem) { try read([two, other]) }
        #expect(throws: problem) { try read([two, other], alias: [two], body: two) }
        #expect(throws: problem) { try read([other, "@@@", two], body: two) }
    }

    @Test("what no payment needs may be nested to any depth, repeat its keys and hold any text")
    func unneeded() throws {
        func odd(_ depth: Int) -> String {
            String(repeating: #"[{"a":"#, count: depth) + "0" + String(repeating: "}]", count: depth)
        }
        let entry = Self.entry.dropLast()
        let odds = [
            #""schema":\#(odd(1500))"#, #""x":1,"x":2"#, #""x":{"amount":"1","amount":"2","accepts":[],"accepts":7}"#,
            #""t":"\ud800","\udfff":"\ud800x""#, #""n":1e999999,"m":-0.000000000000000000000000000000001"#,
            #""\#(String(repeating: "k", count: 5000))":null"#, #""AMOUNT":"1","amount ":"2""#,
        ]
        for odd in odds {
            let texts = [
                #"{"x402Version":2,"accepts":[\#(entry),\#(odd)}]}"#,
                #"{"x402Version":2,"accepts":[\#(Self.entry)],\#(odd)}"#,
                #"{"x402Version":2,"accepts":[\#(Self.entry)],"extensions":{"z":{\#(odd)}},"resource":{"url":"u",\#(odd)}}"#,
                #"{"x402Version":2,"accepts":[\#(Self.entry)],"extensions":{\#(odd)},"error":{\#(odd)}}"#,
                #"{"x402Version":2,"accepts":[\#(entry),"extra":{"name":"n",\#(odd)}}]}"#,
            ]
            for text in texts {
                let challenge = try read(header: text)
                let requirement = try #require(challenge.requirements.first)
                #expect(requirement.amount == UInt256(10_000))
                #expect(try read(body: text) == challenge)
                // What is kept for the echo reads as what was vetted.
                let raw = requirement.raw
                #expect(PaymentRequirement(received: raw) == requirement)
                #expect(
                    PaymentHeader.rebuild(version: 1, payload: [], accepted: raw, resource: nil, extensions: nil) != nil
                )
            }
        }
    }

    @Test(
        "reject- an entry with two of a member that is read, or a text of two readings, and pay the others",
        arguments: [
            #""asset":"\ud800""#, #""extra":{"name":"\udfff"}"#, #""scheme":"\ud800\ud800""#,
            #""amount":"1""#, #""payTo":"0x03""#, #""pay\u0054o":"0x03""#, #""asset":"0x03""#, #""scheme":"upto""#,
            #""network":"eip155:1""#, #""maxAmountRequired":"1","maxAmountRequired":"1""#,
            #""maxTimeoutSeconds":1,"maxTimeoutSeconds":60"#, #""extra":{"name":"a","name":"b"}"#,
            #""extra":{"version":"1","ver\u0073ion":"2"}"#, #""extra":{},"extra":{}"#,
            #""extra":{"spender":"0x1","spender":"0x2"}"#,
        ])
    func duplicates(member: String) throws {
        let odd = Self.entry.dropLast() + ",\(member)}"
        let alone = try read(header: #"{"x402Version":2,"accepts":[\#(odd)]}"#)
        #expect(alone.requirements.isEmpty)
        guard case .ambiguous? = alone.problems[0] else {
            Issue.record("\(alone.problems)")
            return
        }
        for entries in ["\(Self.entry),\(odd)", "\(odd),\(Self.entry)", "\(odd),\(odd),\(Self.entry),7"] {
            let text = #"{"x402Version":2,"accepts":[\#(entries)]}"#
            let challenge = try read(header: text)
            #expect(challenge.requirements.map(\.raw) == [Array(Self.entry.utf8)], "\(entries)")
            #expect(try read(body: text) == challenge)
        }
    }

    @Test("why no entry can be read is said by the first that cannot")
    func problemOfEntries() throws {
        func problem(_ accepts: String) throws -> ChallengeProblem {
            try read(header: #"{"accepts":[\#(accepts)]}"#).problemOfEntries
        }
        #expect(try problem("") == .unreadable("accepts has no entry"))
        #expect(
            try problem(#"{"amount":"1","amount":"2"},7"#)
                == .unreadable(#"entry 1 of accepts cannot be read: "amount" occurs twice in it"#))
        #expect(try problem("7") == .unreadable("entry 1 of accepts cannot be read: it is not an object"))
        let key = String(repeating: "k", count: 30_000)
        guard case .unreadable(let reason) = try problem(#"{"extra":{"name":"\#(key)","name":""}}"#) else { return }
        #expect(reason.count <= 320)
    }

    @Test("reject- two of what decides how a challenge is answered, and a required extension twice")
    func duplicatesOutside() {
        let required = #"{"info":{"required":true}}"#
        for member in [
            #""accepts":[]"#, #""x402Version":2"#, #""x402Version":1"#, #""acc\u0065pts":[]"#,
            #""extensions":{"payment-identifier":{},"payment-identifier":\#(required)}"#,
            #""extensions":{"x":\#(required),"x":{}}"#, #""extensions":{"x":\#(required)},"extensions":{}"#,
        ] {
            #expect(unreadable(#"{"x402Version":2,"accepts":[\#(Self.entry)],\#(member)}"#), "\(member)")
        }
    }

    @Test("what no payment needs may occur twice: the first remark that can be read counts, the rest is left out")
    func repeated() throws {
        func challenge(_ more: String) throws -> Challenge {
            let text = #"{"x402Version":2,"accepts":[\#(Self.entry)],\#(more)}"#
            let challenge = try read(header: text)
            #expect(challenge.requirements.count == 1)
            #expect(try read(body: text) == challenge)
            return challenge
        }
        for (members, error) in [
            (#""error":"a","error":"b""#, "a"), (#""error":null,"error":"b""#, "b"),
            (#""error":"\ud800","\u0065rror":"b""#, "b"), (#""error":{"x":[1,1]},"error":2"#, #"{"x":[1,1]}"#),
            (#""error":"\ud800""#, nil),
        ] {
            #expect(try challenge(members).error == error, "\(members)")
        }
        #expect(try challenge(#""resource":{"url":"a"},"resource":{"url":"b"}"#).resource == nil)
        #expect(try challenge(#""resource":{"url":"a"}"#).resource == Array(#"{"url":"a"}"#.utf8))
        #expect(try challenge(#""extensions":{"a":{}},"extensions":{"b":{}}"#).extensions.isEmpty)
        let keys = ["payment-identifier", "sign-in-with-x", "x"]
        for key in keys {
            let extensions = #""extensions":{"\#(key)":{},"b":{"info":{}},"\#(key)":null,"\ud800":{}}"#
            #expect(try challenge(extensions).extensions.map(\.key) == ["b"], "\(key)")
        }
    }

    @Test("a byte order mark in front of a challenge is no part of it")
    func byteOrderMark() throws {
        let text = #"{"x402Version":1,"accepts":[\#(Self.entry)]}"#
        let marked = "\u{feff}" + text
        #expect(try read(body: marked) == read(body: text))
        #expect(try read(header: marked) == read(header: text))
        #expect(try read(header: Base64.encode(Array(marked.utf8))) == read(header: text))
    }

    @Test(
        "versions are read as numbers and as texts",
        arguments: [
            (#"{"x402Version":1,"accepts":[]}"#, 1), (#"{"x402Version":2,"accepts":[]}"#, 2),
            (#"{"x402Version":"1","accepts":[]}"#, 1), (#"{"x402Version":"2","accepts":[]}"#, 2),
            (#"{"accepts":[]}"#, 2),
        ])
    func versions(header: String, version: Int) throws {
        #expect(try read(header: header).version == version)
    }

    @Test(
        "reject- versions that are not ours",
        arguments: ["3", "0", "-1", "2.0", "1e0", "20", "true", "null", "[]", #""v2""#, #""""#, #""2 ""#])
    func unknownVersion(text: String) {
        let document = #"{"x402Version":\#(text),"accepts":[\#(Self.entry)]}"#
        #expect(throws: ChallengeProblem.unknownVersion) { try read(header: document) }
        #expect(throws: ChallengeProblem.unknownVersion) { try read(body: document) }
    }

    @Test(
        "reject- headers that claim to be a challenge",
        arguments: [
            "@@@", "e30", "{}", "[]", "W10", #"{"accepts":{}}"#, #"{"accepts":null}"#, #"{"x402Version":2}"#,
            #"{"accepts":[],"accepts":[]}"#, #"{"accepts":[{"amount":"1","amount":"2"]}"#,
            #"{"accepts":[{"amount":1,"\u0061mount":2,]}"#, #"{"accepts":[]} x"#, #"{"accepts":[]"#,
            #"{"accepts":[{"scheme":"\ud800}]}"#, #"{"accepts":[],"x":{"a":[}}"#, #"{"accepts":[],"x":tru}"#,
            #"{"accepts":[],"x":"\x"}"#, "{\"accepts\":[],\"x\":\"a\nb\"}", #"{"accepts":[],"x":01}"#,
            "=", "eyJ9=====",
        ])
    func unreadableHeader(header: String) {
        #expect(unreadable(header))
    }

    @Test("reject- invalid UTF-8 in a challenge")
    func invalidText() {
        let latin1 = Array(#"{"accepts":[],"error":"Pay"#.utf8) + [0xfe] + Array(#""}"#.utf8)
        #expect(unreadable(Base64.encode(latin1)))
    }

    @Test("nesting in the place of entries is none")
    func deep() throws {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(try read(header: #"{"accepts":\#(deep)}"#).problems == [0: .notAnObject])
        #expect(unreadable(#"{"accepts":{"x":\#(deep)}}"#))
    }

    @Test(
        "a body that does not speak x402 is no challenge",
        arguments: [
            "", "Payment required", "<html></html>", "[]", "{}", #"{"error":"pay"}"#, "{", #"{"error":"pay""#,
            #"[{"x402Version":2}]"#, #"{"error":{"accept":[]}}"#, #""x402Version""#,
        ])
    func absent(body: String) {
        #expect(throws: ChallengeProblem.absent) { try read(body: body) }
        #expect(throws: ChallengeProblem.absent) {
            try Challenge.read(ChallengeSource(fields: [], body: .beginning(Array(body.utf8), reason: "r")))
        }
        // Only the object itself has the members that count.
        #expect(throws: ChallengeProblem.absent) { try read(body: #"{"error":{"accepts":[]}}"#) }
    }

    @Test(
        "a body that claims to be a challenge and is none is told of",
        arguments: [
            #"{"x402Version":2}"#, #"{"accepts":[]}"#, #"{"x402Version":2,"accepts":[]"#, #"{"accepts":[{"amount""#,
            #"{"x402Version":2,"x402Version":2,"accepts":[]}"#, #"{"x402Version":3,"accepts":[]}"#,
            #"{"x402Version":2,"accepts":{}}"#, "\u{feff} {\"x402Version\":1",
        ])
    func claimed(body: String) {
        for source in [
            ChallengeSource(fields: [], body: .whole(Array(body.utf8))),
            ChallengeSource(fields: [], body: .beginning(Array(body.utf8), reason: "it is cut")),
        ] {
            do throws(ChallengeProblem) {
                _ = try Challenge.read(source)
                Issue.record("it was read")
            } catch {
                #expect(error != .absent)
            }
        }
    }

    @Test("a body of version 2 counts when there is no header, white space in front included")
    func bodyOnly() throws {
        let challenge = try read(body: " \r\n\t{\"x402Version\":2,\"accepts\":[\(Self.entry)]}")
        #expect(challenge.version == 2)
        #expect(challenge.requirements.count == 1)
    }

    @Test("entries are read one by one, and the bad ones are named")
    func entries() throws {
        let header = #"{"accepts":[7,\#(Self.entry),{"scheme":"exact"},{"amount":"1"},null,\#(Self.entry)]}"#
        let challenge = try read(header: header)
        #expect(challenge.requirements.count == 2)
        #expect(
            challenge.problems == [
                0: .notAnObject, 2: .missing("amount"), 3: .missing("scheme"), 4: .notAnObject,
            ])
    }

    @Test("64 entries are read; more are refused as a whole, however small", arguments: [64, 65, 10_000])
    func manyEntries(count: Int) throws {
        let header = #"{"accepts":["# + Array(repeating: "{}", count: count).joined(separator: ",") + "]}"
        guard count > Challenge.maximumEntries else {
            #expect(try read(header: header).problems.count == count)
            return
        }
        #expect(unreadable(header))
    }

    @Test("64 KiB are read and a byte more is not, in either form")
    func size() throws {
        func document(_ length: Int) -> [UInt8] {
            let frame = #"{"x402Version":2,"accepts":[],"error":""}"#
            return Array(frame.dropLast(2).utf8) + Array(repeating: 0x61, count: length - frame.utf8.count)
                + Array(#""}"#.utf8)
        }
        let limit = Challenge.maximumBytes
        for fits in [true, false] {
            let bytes = document(fits ? limit : limit + 1)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(((try? read(header: text)) != nil) == fits)
            #expect(((try? read(header: Base64.encode(bytes))) != nil) == fits)
            #expect(((try? read(body: text)) != nil) == fits)
        }
    }

    @Test("the seller's remark is made printable and short")
    func errorText() throws {
        let header = #"{"accepts":[],"error":"a\u0000b\nc\u202ed\u009b"}"#
        #expect(try read(header: header).error == "a b c d ")
        #expect(try read(header: #"{"accepts":[],"error":{"code":1}}"#).error == #"{"code":1}"#)
        #expect(try read(header: #"{"accepts":[],"error":null}"#).error == nil)
        let long = String(repeating: "x", count: 1000)
        #expect(try read(header: #"{"accepts":[],"error":"\#(long)"}"#).error?.count == 256)
    }

    @Test("the reason a header is unreadable stays short, whatever stands in it")
    func shortReason() throws {
        let key = String(repeating: "k", count: 20_000)
        do throws(ChallengeProblem) {
            _ = try read(header: #"{"\#(key)":1,"\#(key)":2}"#)
            Issue.record("it was read")
        } catch {
            guard case .unreadable(let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.count <= 256)
        }
    }

    @Test("a resource or extensions of another type are left out")
    func wrongTypes() throws {
        let challenge = try read(header: #"{"accepts":[],"resource":"http://x","extensions":[1]}"#)
        #expect(challenge.resource == nil)
        #expect(challenge.extensions.isEmpty)
    }

    @Test("extensions keep their order and their bytes, less nulls")
    func extensions() throws {
        let challenge = try read(
            header:
                #"{"accepts":[],"extensions":{"z":{"info": {"required":true}},"gone":null,"a":{"x":1.50,"y":null}}}"#)
        #expect(challenge.extensions.map(\.key) == ["z", "a"])
        #expect(challenge.extensions.map(\.isRequired) == [true, false])
        #expect(
            challenge.extensions.map { String(decoding: $0.raw, as: UTF8.self) }
                == [#"{"info": {"required":true}}"#, #"{"x":1.50}"#])
    }
}
