import NIOCore
import Testing

@testable import Transport

@Suite("HTTP/1.1 bodies")
struct BodyReaderTests {
    /// What a reader takes out of bytes that arrive in pieces, and what it leaves.
    private func take(
        _ framing: BodyFraming, _ text: String, pieces: Int
    ) throws(HTTP1Error) -> (taken: String, left: String, isFinished: Bool) {
        var reader = BodyReader(framing)
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
        ("00000000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
    ]

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
