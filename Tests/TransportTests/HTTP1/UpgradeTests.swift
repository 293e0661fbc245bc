import NIOCore
import Testing

@testable import Transport

@Suite("Switching protocols")
struct UpgradeTests {
    private func request(_ line: String, _ fields: String...) throws -> RequestHead {
        try RequestHead(ByteBuffer(string: ([line] + fields).joined(separator: "\r\n") + "\r\n\r\n"))
    }

    private func response(_ line: String, _ fields: String...) throws -> ResponseHead {
        try ResponseHead(ByteBuffer(string: ([line] + fields).joined(separator: "\r\n") + "\r\n\r\n"))
    }

    @Test("a request asks for the protocols that it lists, in any case and over several lines")
    func asked() throws {
        let head = try request(
            "GET / HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket , mqtt,", "upgrade: x/2")
        #expect(head.upgradeProtocols == ["websocket", "mqtt", "x/2"])
    }

    @Test(
        "another version of HTTP and TLS are not asked for",
        arguments: ["h2c", "H2C", "h2", "HTTP/2.0", "http/3", "TLS/1.0", "tls", "HTTP", "", ","])
    func notPassedOn(name: String) throws {
        #expect(try request("GET / HTTP/1.1", "connection: upgrade", "upgrade: \(name)").upgradeProtocols.isEmpty)
        let both = try request("GET / HTTP/1.1", "connection: upgrade", "upgrade: \(name), websocket")
        #expect(both.upgradeProtocols == ["websocket"])
    }

    @Test("without the connection option, with a body, for HEAD and in HTTP/1.0 nothing is asked for")
    func notAsked() throws {
        let upgrade = "upgrade: websocket"
        #expect(try request("GET / HTTP/1.1", upgrade).upgradeProtocols.isEmpty)
        #expect(try request("GET / HTTP/1.1", upgrade, "connection: x").upgradeProtocols.isEmpty)
        #expect(try request("GET / HTTP/1.1", "connection: upgrade").upgradeProtocols.isEmpty)
        #expect(try request("GET / HTTP/1.0", upgrade, "connection: upgrade").upgradeProtocols.isEmpty)
        #expect(try request("HEAD / HTTP/1.1", upgrade, "connection: upgrade").upgradeProtocols.isEmpty)
        let body = ["content-length: 1", "transfer-encoding: chunked"]
        for field in body {
            #expect(try request("POST / HTTP/1.1", upgrade, "connection: upgrade", field).upgradeProtocols.isEmpty)
        }
    }

    @Test("an answer switches to what was asked for, and to nothing else")
    func switches() throws {
        let protocols = ["websocket", "mqtt"]
        #expect(try response("HTTP/1.1 101 Ok", "upgrade: WebSocket").switches(to: protocols))
        #expect(try !response("HTTP/1.1 101 Ok", "upgrade: websocket").switches(to: []))
        #expect(try !response("HTTP/1.1 101 Ok", "upgrade: h2c").switches(to: protocols))
        #expect(try !response("HTTP/1.1 101 Ok", "upgrade: websocket, h2c").switches(to: protocols))
        #expect(try !response("HTTP/1.1 101 Ok").switches(to: protocols))
        #expect(try !response("HTTP/1.0 101 Ok", "upgrade: websocket").switches(to: protocols))
        #expect(try !response("HTTP/1.1 200 Ok", "upgrade: websocket").switches(to: protocols))
    }
}
