import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Signing in")
struct SignInTests {
    private static let now = Timestamp(seconds: 1_795_305_600)
    private static let url = "https://api.example.com/v1/report?id=7"
    private static let members: [(String, String)] = [
        ("domain", #""api.example.com""#), ("uri", "\"\(url)\""), ("version", #""1""#),
        ("nonce", #""a1b2c3d4e5f60718293a4b5c6d7e8f90""#), ("issuedAt", #""2026-11-22T00:00:00.000Z""#),
    ]
    private static let chains = #"[{"chainId":"eip155:8453","type":"eip191"}]"#

    /// An entry with some members of `info` changed; nil takes one out.
    private func entry(
        _ changes: [String: String?] = [:], chains: String = chains
    ) throws -> Challenge.Extension {
        var info = Self.members.filter { changes[$0.0] == nil }.map { "\"\($0.0)\":\($0.1)" }
        for case (let key, let value?) in changes { info.append("\"\(key)\":\(value)") }
        let object = #"{"sign-in-with-x":{"info":{\#(info.joined(separator: ","))},"supportedChains":\#(chains)}}"#
        return try #require(extensions(object).first)
    }

    private func statement(
        _ entry: Challenge.Extension, from url: String = url, networks: Set<String> = ["eip155:8453", "eip155:1"],
        at now: Timestamp = now
    ) throws -> SignInStatement {
        try SignInChallenge.read(entry).statement(
            for: VectorKey.payer.address, answeredBy: #require(WebOrigin(url: url)), networks: networks, at: now)
    }

    @Test(
        "the SDK's message, signature and header come out bit for bit",
        arguments: try Vectors.rows("sign-in-with-x-evm"))
    func vector(row: Vectors.Row) throws {
        let challenge = try #require(row.value["challenge"])
        let chain = Vectors.Row(description: "", value: challenge)
        let object =
            try #"{"sign-in-with-x":{"info":\#(challenge.canonical),"supportedChains":[{"chainId":"solana:x","#
            + #""type":"ed25519"},{"chainId":"\#(chain.string("chainId"))","type":"\#(chain.string("type"))"}]}}"#
        let statement = try statement(#require(extensions(object).first))
        #expect(try statement.message.text == row.string("message"))
        #expect(try statement.message.digest.description == row.string("digest"))
        let signature = try VectorKey.payer.sign(statement.message.digest)
        #expect(try signature.hex == row.string("signature"))
        let header = statement.header(signature: signature)
        #expect(header.name == "sign-in-with-x")
        #expect(header.value.utf8.count.isMultiple(of: 4))
        let sent = try JSONValue.canonical(#require(Base64.decodeLenient(header.value.utf8)))
        #expect(sent == row.value["payload"]?.canonical)
        #expect(try sent == JSONValue.canonical(#require(Base64.decodeLenient(row.string("SIGN-IN-WITH-X").utf8))))
    }

    @Test("every optional member stands in its place, in the message and in the header")
    func optionalMembers() throws {
        let statement = try statement(
            entry([
                "statement": #""Read \"7\"""#, "expirationTime": #""2026-11-22T01:00:00+00:30""#,
                "notBefore": #""2026-11-21T23:59:59Z""#, "requestId": #""r-1""#, "resources": #"["ipfs://a","urn:b"]"#,
            ]))
        #expect(
            statement.message.text.hasSuffix(
                """
                Issued At: 2026-11-22T00:00:00.000Z
                Expiration Time: 2026-11-22T01:00:00+00:30
                Not Before: 2026-11-21T23:59:59Z
                Request ID: r-1
                Resources:
                - ipfs://a
                - urn:b
                """))
        #expect(statement.message.text.contains("\n\nRead \"7\"\n\nURI: "))
        let header = try statement.header(signature: VectorKey.payer.sign(statement.message.digest))
        let sent = try JSONReader.read(#require(Base64.decodeLenient(header.value.utf8)))
        #expect(sent["requestId"]?.string == "r-1")
        #expect(sent["notBefore"]?.string == "2026-11-21T23:59:59Z")
        #expect(sent["expirationTime"]?.string == "2026-11-22T01:00:00+00:30")
        #expect(sent["resources"]?.elements?.map(\.string) == ["ipfs://a", "urn:b"])
    }

    @Test("an empty statement, an empty list and a null are as good as none")
    func emptyMembers() throws {
        let plain = try statement(entry()).message.text
        for changes in [["statement": #""""#], ["resources": "[]"], ["statement": "null"], ["notBefore": "null"]] {
            #expect(try statement(entry(changes)).message.text == plain)
        }
    }

    static let breaks = [
        #"\n"#, #"\r"#, #"\u0000"#, #"\t"#, #"\u001f"#, #"\u007f"#, #"\u0085"#, #"\u2028"#, #"\u2029"#, #"\u000b"#,
        #"\u202e"#, #"\u00e9"#, #"\ud83d\ude00"#,
    ]

    @Test(
        "reject- a line break or any other character that is not printable ASCII, in every member",
        arguments: [
            "domain", "uri", "nonce", "issuedAt", "expirationTime", "notBefore", "statement", "requestId", "version",
        ])
    func injection(key: String) throws {
        let good = [
            "expirationTime": "2026-11-22T01:00:00Z", "notBefore": "2026-11-22T00:00:00Z", "statement": "Sign in",
            "requestId": "r", "domain": "api.example.com", "uri": Self.url, "nonce": "a1b2c3d4e5f6",
            "issuedAt": "2026-11-22T00:00:00Z", "version": "1",
        ]
        let value = try #require(good[key])
        _ = try statement(entry([key: "\"\(value)\""]))
        for character in Self.breaks {
            for spoilt in [character + value, value + character, value + character + "URI: https://evil.example"] {
                #expect(throws: SignInProblem.unreadable(key), "\(spoilt)") {
                    try statement(entry([key: "\"\(spoilt)\""]))
                }
            }
        }
    }

    @Test("reject- a resource that is no line", arguments: breaks + ["", " ", "a b"])
    func resourceInjection(text: String) throws {
        #expect(throws: SignInProblem.unreadable("resources")) {
            try statement(entry(["resources": #"["https://a","\#(text)"]"#]))
        }
    }

    @Test("reject- members of the wrong type, and required ones that are missing")
    func types() throws {
        for key in ["domain", "uri", "version", "nonce", "issuedAt"] {
            for value in [nil, "null", "7", "true", "[]", "{}", #""""#] as [String?] {
                #expect(throws: SignInProblem.unreadable(key), "\(key) \(value ?? "")") {
                    try statement(entry([key: value]))
                }
            }
        }
        for key in ["expirationTime", "notBefore", "statement", "requestId", "resources"] {
            for value in ["7", "true", "{}", "[7]"] {
                #expect(throws: SignInProblem.unreadable(key), "\(key) \(value)") { try statement(entry([key: value])) }
            }
        }
        for value in [#""2""#, #""1.0""#, #""01""#] {
            #expect(throws: SignInProblem.unreadable("version")) { try statement(entry(["version": value])) }
        }
        for value in [#""short12""#, #""with space in it""#, #""dash-dash-dash""#] {
            #expect(throws: SignInProblem.unreadable("nonce")) { try statement(entry(["nonce": value])) }
        }
        #expect(throws: SignInProblem.unreadable("supportedChains")) { try statement(entry(chains: "{}")) }
    }

    @Test("reject- what is too long")
    func lengths() throws {
        func text(_ count: Int) -> String { "\"" + String(repeating: "a", count: count) + "\"" }
        let limits = [("domain", 255), ("uri", 2048), ("nonce", 128), ("statement", 512), ("requestId", 256)]
        for (key, limit) in limits {
            #expect(throws: SignInProblem.unreadable(key)) { try statement(entry([key: text(limit + 1)])) }
        }
        _ = try statement(entry(["statement": text(512), "requestId": text(256), "nonce": text(128)]))
        let many = "[" + Array(repeating: text(1), count: 17).joined(separator: ",") + "]"
        #expect(throws: SignInProblem.unreadable("resources")) { try statement(entry(["resources": many])) }
        let long = "[\(text(2048)),\(text(2048))]"
        #expect(throws: SignInProblem.tooLong) { try statement(entry(["resources": long])) }
        #expect(throws: SignInProblem.unreadable("info")) {
            try statement(entry(["unknown": text(SignInChallenge.maximumBytes)]))
        }
    }

    @Test("reject- a challenge that says a member twice, or is no text at all")
    func duplicates() throws {
        for second in ["domain", #"\u0064omain"#] {
            #expect(throws: SignInProblem.unreadable("info")) {
                let offered = try extensions(#"{"sign-in-with-x":{"info":{"domain":"a","\#(second)":"b"}}}"#)
                _ = try SignInChallenge.read(#require(offered.first))
            }
        }
        // Twice in one challenge it is left out, as nothing that is paid needs it.
        #expect(try extensions(#"{"sign-in-with-x":{"info":{}},"sign-in-with-x":{"info":{}}}"#).isEmpty)
        let bytes =
            Array(#"{"x402Version":2,"accepts":[],"extensions":{"sign-in-with-x":{"info":{"domain":""#.utf8)
            + [0xff, 0xfe] + Array(#""}}}}"#.utf8)
        #expect(throws: ChallengeProblem.self) { try Challenge.read(ChallengeSource(header: bytes, body: nil)) }
    }

    @Test(
        "reject- a domain that is not the host that answered",
        arguments: [
            "evil.example", "example.com", "api.example.com:8443", "api.example.com.", "api.example.com@evil.example",
            "https://api.example.com", "api.example.com/", "api.example.com:80", "API.EXAMPLE.COM.evil.example",
        ])
    func foreignDomain(domain: String) throws {
        #expect(throws: SignInProblem.foreignDomain) { try statement(entry(["domain": "\"\(domain)\""])) }
    }

    @Test(
        "reject- an address of another origin",
        arguments: [
            "http://api.example.com/", "https://api.example.com:8443/", "https://evil.example/",
            "https://api.example.com@evil.example/", "https://user@api.example.com/", "//api.example.com/", "/v1",
            "https://api.example.com.evil.example/", "urn:x", "https://api.example.com\\\\@evil.example/",
        ])
    func foreignURI(uri: String) throws {
        #expect(throws: SignInProblem.foreignURI) { try statement(entry(["uri": "\"\(uri)\""])) }
    }

    @Test("the origin is that of the final address, ports included")
    func finalAddress() throws {
        let changes = ["domain": #""127.0.0.1:8402""#, "uri": #""http://127.0.0.1:8402/x""#]
        _ = try statement(entry(changes), from: "http://127.0.0.1:8402/y?z")
        #expect(throws: SignInProblem.foreignDomain) { try statement(entry(changes), from: "http://127.0.0.1:8403/") }
        #expect(throws: SignInProblem.foreignDomain) { try statement(entry(), from: "https://evil.example/") }
        #expect(throws: SignInProblem.foreignURI) { try statement(entry(), from: "http://api.example.com/") }
        _ = try statement(entry(["domain": #""api.example.com:443""#]))
    }

    @Test("the first supported chain of a known network that takes EIP-191 is taken")
    func chain() throws {
        let chains = #"""
            [7,{},{"chainId":"eip155:1","type":"ed25519"},{"chainId":"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp","type":"ed25519"},
            {"chainId":"eip155:137","type":"eip191"},{"chainId":"eip155:1","type":"eip191"},
            {"chainId":"eip155:8453","type":"eip191"}]
            """#
        let statement = try statement(entry(chains: chains))
        #expect(statement.network == "eip155:1")
        #expect(statement.message.text.contains("\nChain ID: 1\n"))
    }

    @Test(
        "reject- no chain of a known network",
        arguments: [
            "[]", #"[{"chainId":"eip155:137","type":"eip191"}]"#, #"[{"chainId":"eip155:08453","type":"eip191"}]"#,
            #"[{"chainId":"eip155:8453"}]"#, #"[{"chainId":"eip155:8453","type":"eip712"}]"#,
            #"[{"chainId":8453,"type":"eip191"}]"#, #"[{"chainId":"EIP155:8453","type":"eip191"}]"#,
            "[" + String(repeating: "{},", count: 64) + #"{"chainId":"eip155:8453","type":"eip191"}]"#,
        ])
    func unknownChain(chains: String) throws {
        #expect(throws: SignInProblem.noKnownChain) { try statement(entry(chains: chains)) }
    }

    @Test("a chain is no line of its own, whatever networks are configured")
    func chainInjection() throws {
        let chain = "eip155:1\\nNonce: 7"
        #expect(throws: SignInProblem.noKnownChain) {
            try statement(
                entry(chains: #"[{"chainId":"\#(chain)","type":"eip191"}]"#), networks: ["eip155:1\nNonce: 7"])
        }
    }

    @Test(
        "a request is current from a minute before it was issued to five minutes after",
        arguments: [(-61, false), (-60, true), (0, true), (300, true), (301, false)] as [(Int64, Bool)])
    func current(age: Int64, isCurrent: Bool) throws {
        let time = Self.now.adding(seconds: age)
        if isCurrent {
            _ = try statement(entry(), at: time)
        } else {
            #expect(throws: SignInProblem.notCurrent) { try statement(entry(), at: time) }
        }
    }

    @Test("what has expired or does not hold yet is not signed, to the millisecond")
    func validity() throws {
        let end = try entry(["expirationTime": #""2026-11-22T00:00:00.001Z""#])
        _ = try statement(end)
        #expect(throws: SignInProblem.expired) {
            try statement(end, at: Timestamp(milliseconds: Self.now.milliseconds + 1))
        }
        let begin = try entry(["notBefore": #""2026-11-22T00:00:00.001Z""#])
        #expect(throws: SignInProblem.notYetValid) { try statement(begin) }
        _ = try statement(begin, at: Timestamp(milliseconds: Self.now.milliseconds + 1))
    }

    @Test("another extension is no request to sign in")
    func otherKey() throws {
        let entry = try entry()
        let other = Challenge.Extension(key: "bazaar", raw: entry.raw, isRequired: false)
        #expect(throws: SignInProblem.unreadable("info")) { try SignInChallenge.read(other) }
    }
}
