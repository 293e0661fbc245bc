import NIOCore
import Proxy
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Answers that are not read, and requests that wait for their turn", .mayBlock)
struct UnreadAnswerTests {
    /// Waits until a count has stood still for a third of a second.
    private func settled(_ count: () -> Int) -> Int {
        var (last, since) = (count(), 0)
        for _ in 0..<1000 where since < 15 {
            Threads.pause(milliseconds: 20)
            let now = count()
            (last, since) = (now, now == last ? since + 1 : 0)
        }
        return last
    }

    @Test("no request begins while the answers to those before it are not read, and all are served once they are")
    func unread() async throws {
        let (served, body) = (Progress(), String(repeating: "x", count: 64 << 10))
        let upstream = try ScriptedUpstream.serving { _ in
            served.add(1)
            return Respond.with(200, body: body)
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect(receiveBuffer: 4096)
            wire.stopLogging()
            let count = 500
            Threads.spawn { try? wire.send(String(repeating: lab.head("GET", "/lab/x"), count: count)) }
            let begun = settled { served.value }
            // What the sockets of the system hold, which is a few MiB, and not 500 x 64 KiB.
            #expect(begun > 0 && begun < 200, "\(begun)")
            for _ in 0..<count { #expect(try wire.readResponse().raw.count == body.utf8.count) }
            #expect(served.value == count)
        }
    }

    @Test("a connection whose answers are not read for long is closed")
    func deadline() async throws {
        var options = Lab.Options()
        options.proxy.unread = .milliseconds(300)
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let wire = try lab.connect(receiveBuffer: 4096)
            wire.stopLogging()
            // The last bytes are of requests that the proxy does not read any more.
            let failure = #expect(throws: WireError.self) {
                for _ in 0..<100_000 { try wire.send(String(repeating: lab.head("GET", "/nowhere"), count: 100)) }
            }
            if case .closed? = failure {} else { Issue.record("\(failure.debugDescription)") }
        }
    }

    @Test("a request without a token is answered once, and nothing behind it on that connection")
    func strangers() async throws {
        try await Lab.run(try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let request = "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\n\r\n"
            let wire = try lab.connect()
            try wire.send(String(repeating: request, count: 3) + lab.head("GET", "/lab/x"))
            let answer = try wire.readResponse()
            #expect(answer.status == 401 && answer["connection"] == ["close"])
            #expect(wire.isClosedByPeer())
            #expect(lab.upstream.texts.joined().isEmpty)
        }
    }

    @Test("an agent's requests that are refused leave its connection open, and a pipeline of them is answered in order")
    func refusedAgent() async throws {
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            var requests = ""
            for number in 0..<100 {
                requests += lab.head("GET", "/nowhere/x") + lab.head("GET", "/lab/\(number)")
            }
            try wire.send(requests)
            for number in 0..<100 {
                #expect(try wire.readResponse().status == 404)
                #expect(try wire.readResponse().text == "GET /\(number) HTTP/1.1")
            }
        }
    }

    @Test(
        "of a pipeline only as much is read as is served",
        arguments: ["", "content-length: 1", "content-length: 1\r\nexpect: 100-continue", "transfer-encoding: chunked"])
    func pipelineIsReadAsServed(framing: String) async throws {
        try await Lab.run(try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            let wire = try lab.connect()
            wire.stopLogging()
            let sent = Progress()
            let fields = framing.isEmpty ? [] : [framing]
            let body = framing.isEmpty ? "" : framing.hasPrefix("content") ? "x" : "1\r\nx\r\n0\r\n\r\n"
            let request = lab.head("POST", "/lab/" + String(repeating: "x", count: 1000), fields) + body
            Threads.spawn {
                while (try? wire.send(request)) != nil { sent.add(1) }
            }
            let count = 1_500
            for _ in 0..<count {
                var answer = try wire.readResponse()
                if framing.contains("expect"), answer.status == 100 { answer = try wire.readResponse() }
                #expect(answer.status == 200)
            }
            // What the sockets of the system hold is some MiB at most; a piece read for each request would be 22 MiB.
            #expect((sent.value - count) * request.utf8.count < 12 << 20)
        }
    }

    @Test("beside pipelines of refused requests, of agents and of strangers, another connection is served")
    func besides() async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200, body: "served") }
        try await Lab.run(upstream) { lab async throws in
            let stranger = "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\n\r\n"
            let isOver = Gate()
            defer { isOver.open() }
            for index in 0..<8 {
                let request = String(repeating: index % 2 == 0 ? stranger : lab.head("GET", "/nowhere"), count: 100)
                Threads.spawn {
                    while !isOver.isOpenNow {
                        guard let wire = try? lab.connect() else { return }
                        wire.stopLogging()
                        Threads.spawn { _ = try? wire.readToEnd() }
                        while !isOver.isOpenNow { do { try wire.send(request) } catch { break } }
                        wire.shutDown()
                    }
                }
            }
            let wire = try lab.connect()
            for _ in 0..<50 {
                try wire.send(lab.head("GET", "/lab/x"))
                #expect(try wire.readResponse().text == "served")
            }
        }
    }

    @Test("interim responses that are not read are not fetched without end")
    func interims() async throws {
        let (sent, hint) = (
            Progress(), "HTTP/1.1 103 Early Hints\r\nlink: <\(String(repeating: "x", count: 60_000))>\r\n\r\n"
        )
        let upstream = try ScriptedUpstream { wire, _ in
            while try wire.readRequest() != nil {
                for _ in 0..<60 {
                    try wire.send(hint)
                    sent.add(1)
                }
                try wire.send(Respond.with(200, body: "served"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect(receiveBuffer: 4096)
            wire.stopLogging()
            Threads.spawn { try? wire.send(String(repeating: lab.head("GET", "/lab/x"), count: 10)) }
            // 10 x 60 x 60 KB are 36 MB, and the system's buffers hold a third of that.
            let passed = settled { sent.value }
            #expect(passed < 400, "\(passed)")
            var received = 0
            while received < 600 * hint.utf8.count, case let piece = try wire.receive(1 << 20), !piece.isEmpty {
                received += piece.count
            }
            #expect(received >= 600 * hint.utf8.count && sent.value == 600)
        }
    }
}
