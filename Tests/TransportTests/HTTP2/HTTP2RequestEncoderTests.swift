import NIOCore
import NIOHPACK
import Testing

@testable import Transport

@Suite("Requests for HTTP/2")
struct HTTP2RequestEncoderTests {
    /// What goes out for a request, in words.
    private func encode(_ text: String, _ arrival: Arrival = .whole) throws -> [String] {
        var encoder = HTTP2RequestEncoder()
        var parts: [String] = []
        for piece in arrival.pieces(of: Array(text.utf8)) {
            try encoder.take(ByteBuffer(bytes: piece)) { part in
                switch part {
                case .head(let headers, let isLast):
                    parts.append(Self.words(headers) + (isLast ? "." : ""))
                case .data(let bytes, let isLast): parts.append(String(buffer: bytes) + (isLast ? "." : ""))
                case .trailers(let headers): parts.append("trailers " + Self.words(headers) + ".")
                }
            }
        }
        #expect(encoder.isFinished)
        return parts
    }

    private static func words(_ headers: HPACKHeaders) -> String {
        headers.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    private static let pseudo = ":scheme=https :authority=a.example:8443 :path=/p?q=1"

    @Test(
        "fields of the connection stay behind, names become lower case, a length stays",
        arguments: [
            ("GET /p?q=1 HTTP/1.1\r\nHost: a.example:8443\r\n\r\n", [":method=GET \(pseudo)."]),
            (
                "GET /p?q=1 HTTP/1.1\r\nX-A: B \r\nhost: a.example:8443\r\nconnection: close, X-Hop\r\nx-hop: 1\r\n"
                    + "keep-alive: 1\r\nproxy-connection: a\r\nupgrade: x\r\nTE: gzip\r\n\r\n",
                [":method=GET \(pseudo) x-a=B."]
            ),
            (
                "GET /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\nte: gzip, trailers\r\n\r\n",
                [":method=GET \(pseudo) te=trailers."]
            ),
            (
                "PUT /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\ncontent-length: 4\r\n\r\nbody",
                [":method=PUT \(pseudo) content-length=4", "body."]
            ),
            (
                "PUT /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\ncontent-length: 0\r\n\r\n",
                [":method=PUT \(pseudo) content-length=0."]
            ),
            (
                "PUT /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\ntransfer-encoding: chunked\r\n\r\n"
                    + "3;x\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", [":method=PUT \(pseudo)", "abc", "d."]
            ),
            (
                "PUT /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                [":method=PUT \(pseudo)", "."]
            ),
            (
                "PUT /p?q=1 HTTP/1.1\r\nhost: a.example:8443\r\ntransfer-encoding: chunked\r\n\r\n"
                    + "1\r\na\r\n0\r\nX-Sum: 7\r\nx-b: c\r\n\r\n",
                [":method=PUT \(pseudo)", "a", "trailers x-sum=7 x-b=c."]
            ),
        ])
    func whole(text: String, parts: [String]) throws {
        #expect(try encode(text) == parts)
        // Byte by byte it is the same, in smaller pieces.
        #expect(try encode(text, .byteByByte).joined() == parts.joined())
    }

    @Test("what would not fit the announced body is our own mistake, and is not sent")
    func tooMuch() {
        #expect(throws: HTTP1Error.self) {
            try encode("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nab")
        }
        #expect(throws: HTTP1Error.self) { try encode("GET / HTTP/1.1\r\nhost: a\r\n\r\nx") }
        #expect(throws: HTTP1Error.self) {
            try encode("PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nx")
        }
    }

    @Test("secrets never enter the memory of the compression")
    func secrets() throws {
        var encoder = HTTP2RequestEncoder()
        let names = ["authorization", "x-api-key", "payment-signature", "x-payment", "sign-in-with-x"]
        let fields = names.map { "\($0): secret\r\n" }.joined()
        var indexing: [HPACKIndexing] = []
        try encoder.take(ByteBuffer(string: "GET / HTTP/1.1\r\nhost: a\r\n\(fields)\r\n")) { part in
            if case .head(let headers, _) = part { indexing = headers.dropFirst(4).map(\.indexable) }
        }
        #expect(indexing.map(\.description) == names.map { _ in HPACKIndexing.neverIndexed.description })
    }
}
