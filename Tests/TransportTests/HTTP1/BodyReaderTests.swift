import NIOCore
import Testing

@testable import Transport

@Suite("HTTP/1.1 bodies")
struct BodyReaderTests {
    /// What a reader takes out of bytes that arrive in pieces, and what it leaves.
    private func take(
        _ framing: BodyFraming, _ text: String, pieces: Int, trailers: TrailerRule = .strict
    ) throws(HTTP1Error) -> (taken: String, left: String, isFinished: Bool) {
        var reader = BodyReader(framing, trailers: trailers)
        var input = ByteBuffer()
        var taken = ByteBuffer()
        let bytes = latin1(text)
        var start = 0
        while start < bytes.count {
            let end = min(start + pieces, bytes.count)
            input.writeBytes(bytes[start..<end])
            start = end
            while var part = try reader.take(from: &input) { taken.writeBuffer(&part) }
        }
        return (String(buffer: taken), String(buffer: input), reader.isFinished)
    }

    @Test(
        "a body ends where it ends, and what follows stays",
        arguments: [
            (.none, "GET /", "", true), (.length(0), "GET /", "", true), (.length(5), "helloGET /", "hello", true),
            (.length(6), "hello", "hello", false), (.untilClose, "anything\r\n\r\n", "anything\r\n\r\n", false),
            (.chunked, "0\r\n\r\nGET /", "0\r\n\r\n", true),
            (.chunked, "5\r\nhello\r\n0\r\n\r\nGET /", "5\r\nhello\r\n0\r\n\r\n", true),
            (.chunked, "5\r\nhello\r\n", "5\r\nhello\r\n", false),
        ] as [(BodyFraming, String, String, Bool)], [1, 2, 3, 7, 1000])
    func ends(row: (BodyFraming, String, String, Bool), pieces: Int) throws {
        let result = try take(row.0, row.1, pieces: pieces)
        #expect(result.taken == row.2)
        #expect(result.taken + result.left == row.1)
        #expect(result.isFinished == row.3)
    }

    static let goodChunks = [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("1\r\na\r\n1\r\nb\r\n000\r\n\r\n", "ab"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("5;x=y\r\nhello\r\n0;z\r\n\r\n", "hello"), ("5;x=\"\u{e9} \t\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n"), ("0\r\nA: b\r\nB:\r\n\r\n", ""),
        ("00000000000000000005\r\nhello\r\n0\r\n\r\n", "hello"), ("5 ;a\r\nhello\r\n0\t ;\r\n\r\n", "hello"),
        ("5;\r\nhello\r\n0;\"\r\n\r\n", "hello"),
    ]

    static let rewritten = [
        // Extensions go, be they grammar or not, and the blanks before them.
        ("5;x=y\r\nhello\r\n0;z\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("5;\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("5;a=\"\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("2 ;a\r\nok\r\n0 \t;b\r\n\r\n", "2\r\nok\r\n0\r\n\r\n"),
        // So do zeros in front of a size.
        ("0005\r\nhello\r\n000\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("010;x\r\n0123456789abcdef\r\n0 ;\r\n\r\n", "10\r\n0123456789abcdef\r\n0\r\n\r\n"),
        // Trailers have one form.
        ("0\r\nX:POST / HTTP/1.1\r\n\r\n", "0\r\nX: POST / HTTP/1.1\r\n\r\n"),
        ("0\r\nA:\t b c \t\r\nB:\r\n\r\n", "0\r\nA: b c\r\nB: \r\n\r\n"),
        ("1;a\r\nx\r\n00\r\nuser_id:1\r\n\r\n", "1\r\nx\r\n0\r\nuser_id: 1\r\n\r\n"),
    ]

    @Test(
        "what readers of chunks disagree about is left out or written in one form", arguments: rewritten,
        [1, 2, 3, 1000])
    func rewriting(row: (String, String), pieces: Int) throws {
        let result = try take(.chunked, row.0 + "GET /", pieces: pieces)
        #expect(result.taken == row.1)
        #expect(result.left == "GET /" && result.isFinished)
    }

    @Test("chunks in the usual form are passed on as they came, so that nothing is copied")
    func noEdits() throws {
        var scanner = ChunkScanner()
        var edits = 0
        let bytes = latin1(
            "5\r\nhello\r\nA\r\n0123456789\r\n100\r\n" + String(repeating: "x", count: 256) + "\r\n0\r\n\r\n")
        _ = try scanner.scan(bytes.span, edit: { _ in edits += 1 })
        #expect(scanner.isFinished && edits == 0)
    }

    static let aliases = [
        "content_length", "Transfer_Encoding", "content.length", "x_api_key", "purser_token", "payment!signature",
        "X_Forwarded_For", "purser_x", "proxy_x",
    ]

    @Test("reject- a trailer of a request whose name some servers read as a framing one", arguments: aliases)
    func aliasTrailer(name: String) {
        #expect(throws: HTTP1Error.badTrailer) {
            try take(.chunked, "0\r\n\(name): 5\r\n\r\n", pieces: 1000)
        }
    }

    @Test("an answer loses such a trailer and stays whole", arguments: aliases, [1, 1000])
    func aliasTrailerOfAnswer(name: String, pieces: Int) throws {
        let text = "2\r\nok\r\n0\r\na:b\r\n\(name): 5\r\nc:d\r\n\r\n"
        let result = try take(.chunked, text, pieces: pieces, trailers: .answers)
        #expect(result.taken == "2\r\nok\r\n0\r\na: b\r\nc: d\r\n\r\n")
        #expect(result.isFinished)
    }

    @Test("reject- a trailer that says what a rule refuses", arguments: [1, 1000])
    func refusedTrailer(pieces: Int) {
        let rule = TrailerRule(refuses: { String(decoding: $0, as: UTF8.self).contains("secret") })
        #expect(throws: HTTP1Error.badTrailer) {
            try take(.chunked, "0\r\nx-a: a secret\r\n\r\n", pieces: pieces, trailers: rule)
        }
    }

    @Test("chunks are followed to their end and give their content", arguments: goodChunks, Arrival.allCases)
    func chunks(row: (String, String), arrival: Arrival) throws {
        let bytes = latin1(row.0)
        #expect(try String(decoding: ChunkScanner.content(of: bytes), as: UTF8.self) == row.1)
        var scanner = ChunkScanner()
        var content: [UInt8] = []
        for piece in arrival.pieces(of: bytes) {
            #expect(!scanner.isFinished)
            let count = try scanner.scan(piece.span) { content += piece[$0] }
            #expect(count == piece.count)
        }
        #expect(scanner.isFinished)
        #expect(String(decoding: content, as: UTF8.self) == row.1)
        #expect(try scanner.scan(bytes.span) == 0)
    }

    @Test("a chunked body that is cut anywhere is not finished", arguments: goodChunks)
    func truncated(row: (String, String)) throws {
        let bytes = latin1(row.0)
        for length in 0..<bytes.count {
            var scanner = ChunkScanner()
            #expect(try scanner.scan(Array(bytes[..<length]).span) == length)
            #expect(!scanner.isFinished)
        }
    }

    @Test(
        "reject- chunked coding that two readers could take differently",
        arguments: [
            "\r\n", "g\r\n", " 5\r\nhello", "5 \r\nhello", "+5\r\nhello", "-1\r\n", "0x5\r\nhello", ";x\r\n",
            "5\nhello",
            "5\rhello", "5\r\nhelloX", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello0\r\n\r\n",
            "0\r\n\n", "0\r\n\rx", "0\n\r\n", "0\r\n: b\r\n\r\n", "0\r\n A: b\r\n\r\n", "0\r\nA: b\n\r\n",
            "0\r\nA: b\rc\r\n\r\n", "0\r\nA: \u{0}\r\n\r\n", "0\r\nA\r\n\r\n", "0\r\nA : b\r\n\r\n",
            "0\r\nGET / HTTP/1.1\r\n\r\n", "5;x\u{0}\r\nhello", "5;x\n\r\nhello", "10000000000000000\r\n",
            "fffffffffffffffff\r\n", "1000000000000F\r\n", String(repeating: "0", count: 300) + "\r\n\r\n",
            "5;" + String(repeating: "x", count: 300) + "\r\nhello", "\u{b2}\r\n",
            "0\r\nA: " + String(repeating: "x", count: 17_000) + "\r\n\r\n",
            "0\r\n" + String(repeating: "A: bcdefghijklmnopqrstuvwxyz\r\n", count: 600) + "\r\n",
        ], Arrival.allCases)
    func malformed(text: String, arrival: Arrival) {
        var scanner = ChunkScanner()
        #expect(throws: HTTP1Error.badChunk) {
            for piece in arrival.pieces(of: latin1(text)) { _ = try scanner.scan(piece.span) }
        }
        #expect(throws: HTTP1Error.badChunk) { try take(.chunked, text, pieces: arrival == .whole ? .max / 2 : 1) }
    }

    @Test(
        "reject- a trailer that frames, routes, identifies or pays",
        arguments: [
            "content-length", "Transfer-Encoding", "HOST", "connection", "te", "upgrade", "expect",
            "content-encoding", "content-type", "authorization", "proxy-authorization", "x-api-key", "purser-token",
            "purser-" + String(repeating: "x", count: 200), "payment-signature", "x-payment", "payment-required",
            "x-payment-required", "sign-in-with-x", "idempotency-key", "location", "keep-alive",
        ], Arrival.allCases)
    func badTrailer(name: String, arrival: Arrival) {
        var scanner = ChunkScanner()
        #expect(throws: HTTP1Error.badTrailer) {
            for piece in arrival.pieces(of: latin1("0\r\nx-a: b\r\n\(name): 1\r\n\r\n")) {
                _ = try scanner.scan(piece.span)
            }
        }
    }

    @Test(
        "a trailer about the body alone passes, also when its name only begins like another",
        arguments: [
            "x-sum", "date", "Trailer", "payment-response", "content-lengthy", "hos", "digest-purser-", "purser",
        ],
        Arrival.allCases)
    func goodTrailer(name: String, arrival: Arrival) throws {
        var scanner = ChunkScanner()
        for piece in arrival.pieces(of: latin1("0\r\n\(name): 1\r\n\r\n")) { _ = try scanner.scan(piece.span) }
        #expect(scanner.isFinished)
    }

    @Test("a large chunk is stepped over without being looked at")
    func largeChunk() throws {
        let size = 1 << 20
        let body = Array("100000\r\n".utf8) + [UInt8](repeating: 0x0a, count: size) + Array("\r\n0\r\n\r\n".utf8)
        #expect(try ChunkScanner.content(of: body).count == size)
    }
}
