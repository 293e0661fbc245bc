import NIOCore
import Testing

@testable import Transport

@Suite("HTTP/1.1 response heads")
struct ResponseHeadTests {
    @Test(
        "a status line reads as what it says",
        arguments: [
            ("HTTP/1.1 200 OK", 200, "OK"), ("HTTP/1.1 402 Payment Required", 402, "Payment Required"),
            ("HTTP/1.1 200 ", 200, ""), ("HTTP/1.1 204", 204, ""), ("HTTP/1.0 599 x  y", 599, "x  y"),
            ("HTTP/1.1 100 Continue", 100, "Continue"),
        ], Arrival.allCases)
    func statusLine(line: (String, Int, String), arrival: Arrival) throws {
        let head = try response("\(line.0)\r\nA: b\r\n\r\n", arrival).get()
        #expect(head.status == line.1)
        #expect(head.reason == line.2)
        #expect(head.isHTTP10 == line.0.hasPrefix("HTTP/1.0"))
        #expect(head.fields.lines.map { head.fields.text($0) } == ["b"])
    }

    @Test(
        "reject- malformed status lines",
        arguments: [
            "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 20x", "HTTP/1.1  200", "HTTP/1.1 099 x",
            "HTTP/1.1 600 x", "HTTP/1.1 200OK", "HTTP/1.1\t200 OK", "HTTP/1.1 -20 x", "HTTP/1.x 200 OK",
            "HTTP/2 200 OK",
            "ICY 200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 200 a\rb", "HTTP/1.1 200 a\u{0}b", "200 OK", "",
        ], Arrival.allCases)
    func malformed(line: String, arrival: Arrival) {
        #expect(response("\(line)\r\nA: b\r\n\r\n", arrival).problem != nil)
        #expect(response("\(line)\r\n\r\n", arrival).problem != nil)
    }

    @Test(
        "a body is framed as status, method and fields say",
        arguments: [
            (200, "GET", "Content-Length: 5", .length(5)), (200, "GET", "Transfer-Encoding: chunked", .chunked),
            (200, "GET", "A: b", .untilClose), (200, "HEAD", "Content-Length: 5", .none),
            (200, "HEAD", "Transfer-Encoding: chunked", .none), (204, "GET", "Content-Length: 5", .none),
            (304, "GET", "Content-Length: 5", .none), (103, "GET", "Content-Length: 5", .none),
            (402, "POST", "Content-Length: 0", .length(0)), (500, "POST", "A: b", .untilClose),
        ] as [(Int, String, String, BodyFraming)])
    func framing(status: Int, method: String, field: String, framing: BodyFraming) throws {
        #expect(try response("HTTP/1.1 \(status) x\r\n\(field)\r\n\r\n").get().framing(answering: method) == framing)
    }

    @Test(
        "reject- framings that two readers could take differently",
        arguments: [
            "Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5,5", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: x", "Content-Length: ",
            "Content-Length : 5", "Content-Length: 5\r\n 6",
        ], Arrival.allCases)
    func ambiguous(fields: String, arrival: Arrival) {
        #expect(response("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n", arrival).problem != nil)
    }

    @Test("a response keeps its connection as version and field say")
    func keepsAlive() throws {
        #expect(try response("HTTP/1.1 200 OK\r\nA: b\r\n\r\n").get().keepsAlive)
        #expect(try !response("HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n").get().keepsAlive)
        #expect(try !response("HTTP/1.0 200 OK\r\nA: b\r\n\r\n").get().keepsAlive)
        #expect(try response("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n").get().keepsAlive)
    }
}
