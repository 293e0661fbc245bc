import NIOCore
import Testing

@testable import Transport

@Suite("HTTP/1.1 request heads")
struct RequestHeadTests {
    @Test("a request reads as what it says", arguments: Arrival.allCases)
    func reads(arrival: Arrival) throws {
        let text =
            "POST /a/b?c=%20 HTTP/1.1\r\nHost: x:1\r\nX-A:\t b c \t\r\nEmpty:\r\ncontent-LENGTH: 005\r\n\r\nhello"
        let head = try request(text, arrival).get()
        #expect(head.method == "POST")
        #expect(head.target == "/a/b?c=%20")
        #expect(!head.isHTTP10)
        #expect(head.framing == .length(5))
        #expect(head.fields.lines.map { head.fields.name(of: $0) } == ["host", "x-a", "empty", "content-length"])
        #expect(head.fields.lines.map { head.fields.text($0) } == ["x:1", "b c", "", "005"])
        #expect(head.fields.lines.map(\.name) == [.host, .other, .other, .contentLength])
        #expect(head.keepsAlive)
        var copy = ByteBuffer()
        for line in head.fields.lines { head.fields.copy(line, to: &copy) }
        #expect(String(buffer: copy) == "Host: x:1\r\nX-A:\t b c \t\r\nEmpty:\r\ncontent-LENGTH: 005\r\n")
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let error: HTTP1Error

        init(_ name: String, _ text: String, _ error: HTTP1Error) {
            testDescription = "reject- " + name
            self.text = text
            self.error = error
        }
    }

    private static func fields(_ name: String, _ fields: String, _ error: HTTP1Error) -> Bad {
        Bad(name, "POST / HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\r\n", error)
    }

    static let startLines: [Bad] = [
        Bad("no version", "GET /\r\n\r\n", .badStartLine),
        Bad("a method alone", "GET\r\n\r\n", .badStartLine),
        Bad("an empty target", "GET  HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("two spaces before the version", "GET /  HTTP/1.1\r\n\r\n", .badVersion),
        Bad("a tab for a space", "GET\t/ HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("a space in front", " GET / HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("a space in the target", "GET /a b HTTP/1.1\r\n\r\n", .badVersion),
        Bad("a space behind the version", "GET / HTTP/1.1 \r\n\r\n", .badStartLine),
        Bad("an illegal method", "G@T / HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("a method of 33 letters", String(repeating: "A", count: 33) + " / HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("a byte above ASCII in the target", "GET /\u{e9} HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("NUL in the target", "GET /\u{0} HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("DEL in the target", "GET /\u{7f} HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("a bare return in the target", "GET /\rx HTTP/1.1\r\n\r\n", .badStartLine),
        Bad("HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", .badVersion),
        Bad("HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", .badVersion),
        Bad("HTTP/1.10", "GET / HTTP/1.10\r\n\r\n", .badStartLine),
        Bad("HTTP/1", "GET / HTTP/1\r\n\r\n", .badVersion),
        Bad("a lower-case version", "GET / http/1.1\r\n\r\n", .badVersion),
        Bad("a short version", "GET / H\r\n\r\n", .badStartLine),
        Bad("nothing but an empty line", "\r\n", .badStartLine),
    ]

    static let lines: [Bad] = [
        Bad("a bare line feed behind the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", .badLineEnding),
        Bad("a bare line feed behind a field", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", .badLineEnding),
        Bad("a bare line feed for the empty line", "GET / HTTP/1.1\r\nHost: x\r\n\n", .badLineEnding),
        Bad("a line feed alone", "\n", .badLineEnding),
        fields("a bare return in a value", "A: b\rc", .badLineEnding),
        fields("a bare return in front of the end", "A: b\r", .badLineEnding),
        Bad("a return too many at the end", "GET / HTTP/1.1\r\nHost: x\r\n\r\r\n", .badLineEnding),
        fields("NUL in a value", "A: b\u{0}c", .badLineEnding),
        fields("DEL in a value", "A: b\u{7f}c", .badLineEnding),
        fields("an escape in a value", "A: b\u{1b}c", .badLineEnding),
        fields("NUL in a name", "A\u{0}: b", .badField),
        fields("a folded line", "A: b\r\n c", .badField),
        fields("a line folded by a tab", "A: b\r\n\tc", .badField),
        Bad("a folded first line", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", .badField),
        fields("a space before the colon", "Content-Length : 5", .badField),
        fields("a tab before the colon", "Transfer-Encoding\t: chunked", .badField),
        fields("no colon", "Host", .badField),
        fields("no name", ": b", .badField),
        fields("a name in parentheses", "(A): b", .badField),
        fields("a letter above ASCII in a name", "\u{e9}: b", .badField),
    ]

    static let framings: [Bad] = [
        fields("length beside chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked", .badTransferEncoding),
        fields("chunked beside length", "Transfer-Encoding: chunked\r\nContent-Length: 5", .badTransferEncoding),
        fields("two lengths", "Content-Length: 5\r\nContent-Length: 6", .badContentLength),
        fields("two equal lengths", "Content-Length: 5\r\ncontent-length: 5", .badContentLength),
        fields("a list of lengths", "Content-Length: 5, 5", .badContentLength),
        fields("a signed length", "Content-Length: +5", .badContentLength),
        fields("a negative length", "Content-Length: -5", .badContentLength),
        fields("a hexadecimal length", "Content-Length: 0x5", .badContentLength),
        fields("an empty length", "Content-Length:", .badContentLength),
        fields("a length with a space", "Content-Length: 1 0", .badContentLength),
        fields("a length of 19 digits", "Content-Length: 1000000000000000000", .badContentLength),
        fields("a length in other digits", "Content-Length: \u{b2}", .badContentLength),
        fields("a coding that only looks like chunked", "Transfer-Encoding: xchunked", .badTransferEncoding),
        fields("chunked with something behind it", "Transfer-Encoding: chunked;q=1", .badTransferEncoding),
        fields("a list of codings", "Transfer-Encoding: gzip, chunked", .badTransferEncoding),
        fields("chunked twice", "Transfer-Encoding: chunked, chunked", .badTransferEncoding),
        fields("two coding fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", .badTransferEncoding),
        fields("identity", "Transfer-Encoding: identity", .badTransferEncoding),
        fields("an empty coding", "Transfer-Encoding:", .badTransferEncoding),
        fields("a quoted coding", "Transfer-Encoding: \"chunked\"", .badTransferEncoding),
        fields("a control character before the coding", "Transfer-Encoding: \u{b}chunked", .badLineEnding),
        // The Kelvin sign in UTF-8, whose lower case is the letter k.
        fields("the Kelvin sign in chunked", "Transfer-Encoding: chun\u{e2}\u{84}\u{aa}ed", .badTransferEncoding),
        Bad(
            "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badTransferEncoding),
    ]

    @Test("a malformed head is refused", arguments: startLines + lines + framings, Arrival.allCases)
    func refused(bad: Bad, arrival: Arrival) {
        #expect(request(bad.text, arrival).problem == bad.error)
    }

    @Test("every head that is cut short is incomplete, and none is read beyond its end")
    func truncated() throws {
        let text = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
        for length in 0..<text.utf8.count {
            #expect(try head(of: Array(text.utf8.prefix(length)), .byteByByte) == nil)
        }
        let whole = try head(of: Array((text + text).utf8), .whole)
        #expect(whole.map { String(buffer: $0) } == text)
    }

    @Test("a head may be as long as the limit and no longer", arguments: Arrival.allCases)
    func size(arrival: Arrival) throws {
        let frame = "GET / HTTP/1.1\r\nA: \r\n\r\n"
        let limit = 4096
        for excess in [0, 1, 100] {
            let padding = String(repeating: "x", count: limit + excess - frame.utf8.count)
            let bytes = Array("GET / HTTP/1.1\r\nA: \(padding)\r\n\r\n".utf8)
            if excess == 0 {
                #expect(try head(of: bytes, arrival, limit: limit)?.readableBytes == limit)
            } else {
                #expect(throws: HTTP1Error.headTooLarge) { try head(of: bytes, arrival, limit: limit) }
            }
        }
        let endless = [UInt8](repeating: 0x41, count: limit + 1)
        #expect(throws: HTTP1Error.targetTooLong) { try head(of: endless, arrival, limit: limit) }
    }

    @Test("256 fields are read and one more is not")
    func fieldCount() throws {
        func text(_ count: Int) -> String {
            "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: count) + "\r\n"
        }
        #expect(try request(text(256)).get().fields.lines.count == 256)
        #expect(request(text(257)).problem == .tooManyFields)
    }

    @Test("codings are compared without case", arguments: ["chunked", "CHUNKED", "Chunked", " chunked\t"])
    func chunked(text: String) throws {
        let head = try request("POST / HTTP/1.1\r\nTransfer-Encoding: \(text)\r\n\r\n").get()
        #expect(head.framing == .chunked)
    }

    @Test(
        "a connection is kept as version and field say",
        arguments: [
            ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.1", "Connection: x, CLOSE\r\n", false),
            ("1.1", "Connection: keep-alive\r\n", true), ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", true), ("1.0", "Connection: close\r\n", false),
            ("1.1", "Connection: closed\r\n", true),
            ("1.1", "Connection: close,\r\n", false), ("1.1", "Connection: , Close\r\n", false),
            ("1.1", "Connection: x\r\nConnection: close\r\n", false),
        ])
    func keepsAlive(version: String, fields: String, isKept: Bool) throws {
        #expect(try request("GET / HTTP/\(version)\r\n\(fields)\r\n").get().keepsAlive == isKept)
    }

    @Test("a Connection field names what is for one hop, but never what frames or addresses the message")
    func connectionOptions() throws {
        let fields = "Connection: close, X-One ,,Keep-Alive\r\nConnection: Content-Length,HOST, transfer-encoding\r\n"
        #expect(try request("GET / HTTP/1.1\r\n\(fields)\r\n").get().fields.connectionOptions == ["x-one"])
        #expect(try request("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").get().fields.connectionOptions == nil)
        #expect(try request("GET / HTTP/1.1\r\n\r\n").get().fields.connectionOptions == nil)
    }

    @Test("random bytes never crash the reader")
    func noise() {
        var state = UInt64(42)
        let alphabet = latin1("GET / HTTP/1.1\r\n\r\nHost: x,\t\u{0}\u{ff}chunked5Content-Length:Transfer-Encoding:")
        for _ in 0..<4000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(state >> 58) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for start in ["", "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\nA:"] {
                let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
                _ = request(start + text + "\r\n\r\n")
                _ = response(start + text + "\r\n\r\n")
            }
        }
    }
}

@Suite("Header field names")
struct FieldNameTests {
    @Test(
        "names are recognised in any case",
        arguments: [
            ("Content-Length", .contentLength), ("CONTENT-LENGTH", .contentLength), ("te", .te), ("TE", .te),
            ("Payment-Required", .paymentRequired), ("X-PAYMENT-REQUIRED", .xPaymentRequired),
            ("payment-signature", .paymentSignature), ("X-Payment", .xPayment), ("PAYMENT-RESPONSE", .paymentResponse),
            ("x-payment-response", .xPaymentResponse), ("Purser-Token", .purserToken), ("purser-anything", .purser),
            ("PURSER-X", .purser), ("Host", .host), ("X-Api-Key", .xAPIKey), ("Authorization", .authorization),
            ("Proxy-Authorization", .proxyAuthorization), ("purserx", .other), ("api-key", .apiKey),
            ("X-Goog-Api-Key", .xGoogAPIKey),
            ("Content-Lengthy", .other), ("Conten-Length", .other), ("h\u{60}st", .other), ("X", .other),
            ("a-name-that-is-longer-than-any-of-ours-is", .other),
            ("purser-a-name-longer-than-thirty-two-letters", .purser),
        ] as [(String, FieldName)])
    func recognised(name: String, field: FieldName) throws {
        let head = try request("GET / HTTP/1.1\r\n\(name): 1\r\n\r\n").get()
        #expect(head.fields.lines.map(\.name) == [field])
    }

    @Test(
        "reject- names that are one of ours to servers that read symbols as hyphens",
        arguments: [
            "Content_Length", "content_length", "CONTENT.LENGTH", "Content^Length", "Content~Length",
            "Transfer_Encoding",
            "Content_Type", "Content_Encoding", "Accept_Encoding", "Keep_Alive", "X_Api_Key", "X_API-Key", "X-Api_Key",
            "api_key", "x_goog_api_key", "Payment_Required", "X_Payment", "Payment_Signature", "X_Payment_Response",
            "Sign_In_With_X", "Idempotency_Key", "Purser_Token", "purser_anything",
            "Purser_A_Name_Longer_Than_All_Of_Ours",
            "Proxy_Authorization", "proxy_anything", "Proxy_Connection", "X_Forwarded_For", "x_forwarded_host",
            "X-Forwarded_Proto", "X_HTTP_Method_Override", "X_Original_URL", "Max_Forwards", "Sec_WebSocket_Protocol",
        ])
    func aliases(name: String) {
        let error = HTTP1Error.ambiguousName(name.lowercased())
        #expect(request("GET / HTTP/1.1\r\nA: b\r\n\(name): 1\r\n\r\n").problem == error)
        // In an answer it is known, and whoever passes the answer on leaves it out.
        let answer = try? response("HTTP/1.1 200 OK\r\n\(name): 1\r\n\r\n").get()
        #expect(answer?.fields.lines.map(\.name) == [.alias])
    }

    @Test(
        "other names with symbols are the sender's own",
        arguments: [
            "user_id", "x_request_id", "OpenAI_Organization", "content_lengthy", "x.y", "purser_", "proxy_", "a~b",
        ])
    func ownSymbols(name: String) throws {
        #expect(try request("GET / HTTP/1.1\r\n\(name): 1\r\n\r\n").get().fields.lines.map(\.name) == [.other])
    }

    @Test("a minor version above 1 is read as 1", arguments: 2...9)
    func minorVersions(minor: Int) throws {
        #expect(try !request("GET / HTTP/1.\(minor)\r\n\r\n").get().isHTTP10)
        #expect(try !response("HTTP/1.\(minor) 200 OK\r\n\r\n").get().isHTTP10)
    }

    @Test("a request line longer than a head may be is told from other long heads")
    func longTarget() {
        let long = String(repeating: "a", count: HTTP1Limits.requestHeadBytes)
        #expect(request("GET /\(long) HTTP/1.1\r\n\r\n").problem == .targetTooLong)
        #expect(request("GET / HTTP/1.1\r\nA: \(long)\r\n\r\n").problem == .headTooLarge)
    }

    @Test("words of a head are counted, and found in its target alone")
    func search() throws {
        let head = try request("GET /psr_?psr_psr HTTP/1.1\r\nA: psr_\r\nB: xpsr_y\r\n\r\n").get()
        #expect(head.fields.count(of: Array("psr_".utf8), limit: 10) == 4)
        #expect(head.fields.count(of: Array("psr_".utf8), limit: 2) == 2)
        #expect(head.fields.count(of: Array("psx_".utf8), limit: 2) == 0)
        #expect(head.targetContains(Array("psr_".utf8)) && !head.targetContains(Array("A".utf8)))
    }

    @Test("fields of one hop are known")
    func hopByHop() {
        let hops: [FieldName] = [
            .connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .proxyConnection, .proxyAuthenticate,
            .proxyAuthorization,
        ]
        let known = (0...UInt8.max).compactMap(FieldName.init).filter(\.isHopByHop)
        #expect(Set(known) == Set(hops))
    }
}
