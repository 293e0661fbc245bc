import NIOCore
import NIOHPACK
import Testing

@testable import Transport

@Suite("Responses from HTTP/2")
struct HTTP2ResponseDecoderTests {
    /// What comes of header blocks and data, given as `name=value …` and `"data`; a dot at the end ends the stream.
    private func decode(_ parts: String..., method: String = "GET") throws(HTTP1Error) -> String {
        try decode(parts, method: method)
    }

    private func decode(_ parts: [String], method: String) throws(HTTP1Error) -> String {
        var decoder = HTTP2ResponseDecoder()
        var text = ""
        for part in parts {
            let isLast = part.hasSuffix(".")
            let content = isLast ? part.dropLast() : part[...]
            if content.hasPrefix("\"") {
                try decoder.take(ByteBuffer(string: String(content.dropFirst())), isLast: isLast) {
                    text += String(buffer: $0)
                }
            } else {
                let fields = content.split(separator: " ").map { field in
                    let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(pair[0]), String(pair[1]))
                }
                try decoder.take(HPACKHeaders(fields), isLast: isLast, answering: method) { text += String(buffer: $0) }
            }
        }
        return text
    }

    @Test("a length stays, and without one the body goes on in chunks")
    func framing() throws {
        #expect(
            try decode(":status=200 a=b content-length=4", "\"fo", "\"ur.")
                == "HTTP/1.1 200 \r\na: b\r\ncontent-length: 4\r\n\r\nfour")
        #expect(
            try decode(":status=200 a=b", "\"four", "\".")
                == "HTTP/1.1 200 \r\na: b\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n")
        #expect(
            try decode(":status=200.") == "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
    }

    @Test("a large piece is one chunk with its own size")
    func largeChunk() throws {
        let piece = String(repeating: "x", count: 20_000)
        #expect(try decode(":status=200", "\"\(piece).").hasSuffix("\r\n\r\n4e20\r\n\(piece)\r\n0\r\n\r\n"))
    }

    @Test("trailers stay where there is a place for them, which their announcement makes")
    func trailers() throws {
        #expect(try decode(":status=200", "\"x", "sum=7.").hasSuffix("1\r\nx\r\n0\r\nsum: 7\r\n\r\n"))
        #expect(
            try decode(":status=200 trailer=sum content-length=1", "\"x", "sum=7.")
                == "HTTP/1.1 200 \r\ntrailer: sum\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nsum: 7\r\n\r\n")
        #expect(try decode(":status=200 content-length=1", "\"x", "sum=7.").hasSuffix("\r\n\r\nx"))
    }

    @Test(
        "interim responses and answers without a body stay what they are",
        arguments: [("HEAD", 200), ("GET", 304), ("GET", 204)])
    func noBody(method: String, status: Int) throws {
        #expect(
            try decode([":status=103 a=b", ":status=\(status) content-length=5."], method: method)
                == "HTTP/1.1 103 \r\na: b\r\n\r\nHTTP/1.1 \(status) \r\ncontent-length: 5\r\n\r\n")
        #expect(throws: HTTP1Error.badContentLength) {
            try decode([":status=\(status)", "\"x."], method: method)
        }
        #expect(throws: HTTP1Error.badContentLength) { try decode([":status=\(status)", "\"x"], method: method) }
    }

    @Test("lengths are held to the byte, in chunks too")
    func lengths() {
        for more in ["", " trailer=x"] {
            for parts in [["\"four."], ["\"abcdef"], ["\"abc", "\"def"], ["\"abc", "x=y."], ["\"abcd."]] {
                #expect(throws: HTTP1Error.badContentLength) {
                    try decode([":status=200 content-length=5\(more)"] + parts, method: "GET")
                }
            }
        }
        #expect(throws: HTTP1Error.badContentLength) { try decode(":status=200 content-length=5.") }
    }

    @Test(
        "what is malformed is refused, whatever it hides",
        arguments: [
            ("a=b.", .badStartLine), ("a=b :status=200.", .badStartLine), (":status=20.", .badStartLine),
            (":status=+20.", .badStartLine), (":status=２00.", .badStartLine), (":status=600.", .badStartLine),
            (":status=099.", .badStartLine), (":status=101.", .badStartLine), (":status=101", .badStartLine),
            (":status=100.", .badStartLine), (":status=200 :status=200.", .badField),
            (":status=200 :path=/.", .badField),
            (":status=200 A=b.", .badField), (":status=200 =b.", .badField), (":status=200 a:=b.", .badField),
            (":status=200 é=b.", .badField), (":status=200 a=b\r\n.", .badField), (":status=200 a=b\n.", .badField),
            (":status=200 a=\r.", .badField), (":status=200 a=\u{0}.", .badField), (":status=200 a=\u{7f}.", .badField),
            (":status=200 a=\tb.", .badField), (":status=200 a=b\t.", .badField), (":status=200 a=\t.", .badField),
            (":status=200 a\r=b.", .badField), (":status=200 connection=close.", .badField),
            (":status=200 keep-alive=x.", .badField), (":status=200 proxy-connection=x.", .badField),
            (":status=200 upgrade=x.", .badField), (":status=200 transfer-encoding=chunked.", .badTransferEncoding),
            (":status=200 content-length=1 content-length=1", .badContentLength),
            (":status=200 content-length=", .badContentLength), (":status=200 content-length=-1", .badContentLength),
            (":status=200 content-length=0x1", .badContentLength),
            (":status=200 content-length=1,1", .badContentLength),
            (":status=200 content-length=9999999999999999999", .badContentLength),
            (":status=103 a=b\r\n", .badField),
        ] as [(String, HTTP1Error)])
    func malformed(part: String, error: HTTP1Error) {
        #expect(throws: error) { try decode([part], method: "GET") }
    }

    @Test("nothing but one end follows an answer")
    func order() {
        #expect(throws: HTTP1Error.badStartLine) { try decode("\"x") }
        #expect(throws: HTTP1Error.badTrailer) { try decode(":status=200", "a=b") }
        #expect(throws: HTTP1Error.badTrailer) { try decode(":status=200", ":status=200") }
        #expect(throws: HTTP1Error.badField) { try decode(":status=200", ":status=200.") }
        #expect(throws: HTTP1Error.badField) { try decode(":status=200", "a=b\r\n.") }
        #expect(throws: HTTP1Error.badField) { try decode(":status=200", "a=\tb.") }
        #expect(throws: HTTP1Error.badStartLine) { try decode(":status=200.", "a=b.") }
        #expect(throws: HTTP1Error.badStartLine) { try decode(":status=200.", "\"x.") }
    }
}
