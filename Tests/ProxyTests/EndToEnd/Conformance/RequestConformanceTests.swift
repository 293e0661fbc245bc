import NIOCore
import Primitives
import Proxy
import Synchronization
import TestSupport
import Testing

@Suite("HTTP/1.1 conformance: what agents send", .mayBlock)
struct RequestConformanceTests {
    /// The requests that a gateway has seen whole, with their bytes.
    private final class Seen: Sendable {
        private let requests = Mutex<[Message]>([])

        func add(_ request: Message) { requests.withLock { $0.append(request) } }

        /// What came since the last time it was asked.
        func take() -> [Message] {
            requests.withLock { requests in
                defer { requests = [] }
                return requests
            }
        }
    }

    @Test("every case of Specs/http1-cases.json is refused or forwarded as it says, and nothing is smuggled")
    func cases() async throws {
        let seen = Seen()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                seen.add(request)
                try wire.send(Respond.with(200, body: request.startLine))
            }
        }
        let cases = try ConformanceCase.all("requests")
        #expect(cases.count > 240)
        try await Lab.run(upstream) { lab async throws in
            for conformance in cases {
                do {
                    try check(conformance, lab, seen)
                } catch {
                    Issue.record(error, "\(conformance.name)")
                }
            }
        }
    }

    private func check(_ conformance: ConformanceCase, _ lab: Lab, _ seen: Seen) throws {
        let name = Comment(rawValue: conformance.name)
        let wire = try lab.connect()
        wire.setTimeout(seconds: 5)
        let before = lab.upstream.received.map(\.count)
        try wire.send(conformance.bytes("send", host: "127.0.0.1:\(lab.port)", token: Lab.token))
        let response = try wire.readResponse()
        let status = try #require(conformance.number("status"), name)
        #expect(response.status == status, name)
        if conformance.flag("closes") ?? (status >= 400) {
            #expect(response["connection"] == ["close"], name)
            #expect(try wire.readToEnd().isEmpty, name)
        } else if try #require(conformance.number("requests"), name) == 1 {
            // The proxy and the agent agree where the request ended.
            try wire.send(lab.head("GET", "/lab/sentinel"))
            #expect(try wire.readResponse().text == "GET /sentinel HTTP/1.1", name)
        }
        let requests = seen.take().filter { $0.startLine != "GET /sentinel HTTP/1.1" }
        #expect(requests.count == conformance.number("requests"), name)
        guard let request = requests.first else { return }
        if let line = conformance.text("line") { #expect(request.startLine == line, name) }
        if let body = conformance.expectedBytes("body") { #expect(request.content == body, name) }
        if let raw = conformance.expectedBytes("raw") { #expect(request.raw == raw, name) }
        // What came for this case alone, on each connection.
        let received = lab.upstream.received.enumerated().flatMap { index, bytes in
            bytes.dropFirst(index < before.count ? before[index] : 0)
        }
        for text in conformance.texts("has") {
            #expect(contains(received, ConformanceCase.latin1(text)), name)
        }
        for text in conformance.texts("lacks") {
            #expect(!request.head.lowercased().contains(text), name)
        }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        for start in 0...bytes.count - part.count
        where bytes[start] == part[0] && bytes[start..<start + part.count].elementsEqual(part) {
            return true
        }
        return false
    }

    @Test("an agent that closes after any byte of a request has sent none, or the whole one")
    func earlyClose() async throws {
        let seen = Seen()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                seen.add(request)
                try wire.send(Respond.with(200))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let request = Array(
                (lab.head("POST", "/lab/x", ["transfer-encoding: chunked"]) + "5\r\nhello\r\n0\r\nx-a: b\r\n\r\n").utf8)
            for length in 0..<request.count {
                let wire = try lab.connect()
                try wire.send(Array(request[..<length]))
                wire.endSending()
                // The proxy has read the end once it closes.
                _ = try? wire.readToEnd()
            }
            #expect(seen.take().isEmpty)
            let wire = try lab.connect()
            try wire.send(request)
            #expect(try wire.readResponse().status == 200)
            #expect(seen.take().count == 1)
            #expect(try await lab.payments().isEmpty)
        }
    }
}
