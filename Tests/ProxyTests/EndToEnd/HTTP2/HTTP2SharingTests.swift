import Ledger
import NIOCore
import NIOHPACK
import NIOHTTP2
import Proxy
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Many agents on few connections: HTTP/2 to gateways", .mayBlock)
struct HTTP2SharingTests {
    @Test("64 requests at once share one connection, those that come while it is being opened too")
    func oneConnection() async throws {
        let all = Gate()
        try await HTTP2Lab.run(script: { [.hold(all)] + .answer(200, body: $0[":path"].joined()) }) {
            lab, upstream async throws in
            let wires = try HTTP2Lab.send(64, in: lab)
            #expect(eventually { upstream.requests.count == 64 })
            all.open()
            for (number, wire) in wires.enumerated() { #expect(try wire.readResponse().text == "/\(number)") }
            #expect(upstream.connectionCount == 1 && upstream.mostStreams == 64)
        }
    }

    @Test("a gateway that allows few streams gets more connections, and never more streams", arguments: [1, 2])
    func fewStreams(limit: Int) async throws {
        let all = Gate()
        try await HTTP2Lab.run(streams: limit, script: { _ in [.hold(all)] + .answer(200, body: "x") }) {
            lab, upstream async throws in
            let wires = try HTTP2Lab.send(6, in: lab)
            #expect(eventually { upstream.requests.count == 6 })
            all.open()
            for wire in wires { #expect(try wire.readResponse().text == "x") }
            #expect(upstream.mostStreams == limit && upstream.connectionCount >= 6 / limit)
            #expect(upstream.resets.isEmpty)
            let before = upstream.connectionCount
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
            #expect(upstream.connectionCount == before)
        }
    }

    @Test("answers that are not read, of more than a connection's window together, keep nobody else waiting")
    func stalledReaders() async throws {
        let sent = Progress()
        let script: HTTP2Upstream.Script = { request in
            request[":path"] == ["/free"] ? .answer(200, body: "x") : [.head(200), .flow(pieces: 256, sent: sent)]
        }
        try await HTTP2Lab.run(script: script) { lab, upstream async throws in
            try await lab.addOther()
            let wires = try (0..<80).map { number in
                let wire = try lab.connect(receiveBuffer: 4096)
                try wire.send(lab.head("GET", "/lab/\(number)"))
                return wire
            }
            // The connection's window is 16 MiB, and a stream's 256 KiB.
            #expect(eventually { sent.value > 20 << 20 })
            #expect(try lab.ask("/lab/free", as: Lab.otherToken).text == "x")
            #expect(upstream.connectionCount == 1)
            for wire in wires { wire.close() }
        }
    }

    @Test(
        "where TLS offers HTTP/1.1 alone, or `http2: false` is set, or the request may become a tunnel, that is spoken")
    func otherwiseHTTP1() async throws {
        let folder = try TemporaryFolder()
        try SecureUpstream.makeCertificates(in: folder)
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200, body: "old") }
        let front = try await SecureUpstream(folder: folder, target: upstream.port)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = front.port
        options.trustFile = folder.path("ca.pem")
        try await Lab.run(options, upstream) { lab async throws in
            for wire in try HTTP2Lab.send(8, in: lab) { #expect(try wire.readResponse().text == "old") }
            #expect(try lab.exchange("GET", "/lab/x").text == "old")
        }
        try await front.stop()
    }

    @Test(
        "`http2: false` offers no HTTP/2, and neither does a request that may become a tunnel",
        arguments: [false, true])
    func notOffered(isUpgrade: Bool) async throws {
        var options = Lab.Options()
        options.allowsHTTP2 = isUpgrade
        try await HTTP2Lab.run(options, script: { _ in .answer(200) }) { lab, upstream async throws in
            // This gateway speaks nothing else, and closes what begins differently.
            let fields = isUpgrade ? ["connection: upgrade", "upgrade: websocket"] : []
            #expect(try lab.exchange("GET", "/lab/x", fields).status == 502)
            #expect(upstream.requests.isEmpty)
            if isUpgrade { #expect(try lab.exchange("GET", "/lab/x").status == 200) }
        }
    }

    @Test("an agent that leaves ends its own stream and no other")
    func leaving() async throws {
        let rest = Gate()
        try await HTTP2Lab.run(script: { _ in [.head(200), .data("one"), .hold(rest), .data("two", end: true)] }) {
            lab, upstream async throws in
            let wires = try HTTP2Lab.send(2, in: lab)
            for wire in wires { _ = try wire.readHead() }
            wires[0].reset()
            #expect(eventually { upstream.resets == [.cancel] })
            rest.open()
            #expect(try wires[1].readToChunkedEnd() == "onetwo")
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("answers of every shape leave no stream behind and reset none")
    func tidy() async throws {
        let end = Gate()
        let script: HTTP2Upstream.Script = { request in
            switch request[":path"].first {
            case "/late-end": [.head(200, [("content-length", "1")]), .data("x"), .hold(end), .data("", end: true)]
            case "/empty": [.head(200, end: true)]
            case "/open-204": [.head(204), .data("", end: true)]
            default: .answer(200, body: "x")
            }
        }
        var options = Lab.Options()
        options.gateway.idle = .seconds(5)
        try await HTTP2Lab.run(options, streams: 8, script: script) { lab, upstream async throws in
            // Whole by its length, while the stream has yet to end.
            #expect(try lab.exchange("GET", "/lab/late-end").text == "x")
            end.open()
            for _ in 0..<6 {
                for path in ["/late-end", "/empty", "/open-204", "/x"] {
                    #expect(try lab.exchange("GET", "/lab\(path)").status == (path == "/open-204" ? 204 : 200))
                }
            }
            #expect(try lab.exchange("HEAD", "/lab/x").status == 200)
            #expect(upstream.connectionCount == 1 && upstream.resets.isEmpty)
        }
    }

    @Test(
        "who waits for a full connection while no other can be opened costs nothing, and is served when there is room")
    func refusedDials() async throws {
        let rest = Gate()
        let script: HTTP2Upstream.Script = { request in
            request[":path"] == ["/0"]
                ? [.head(200), .hold(rest), .data("end", end: true)] : .answer(200, body: "served")
        }
        try await HTTP2Lab.run(streams: 1, script: script) { lab, upstream async throws in
            let held = try HTTP2Lab.send(1, in: lab)[0]
            _ = try held.readHead()
            try await upstream.stopListening()
            let waiting = try lab.connect()
            try waiting.send(lab.head("GET", "/lab/1"))
            let start = clock()
            Threads.pause(milliseconds: 1000)
            #expect(Double(clock() - start) / Double(CLOCKS_PER_SEC) < 0.5)
            rest.open()
            #expect(try held.readToChunkedEnd() == "end")
            #expect(try waiting.readResponse(to: "GET").text == "served")
        }
    }

    @Test("rules that are replaced end shared connections behind their last answers")
    func replaced() async throws {
        let rest = Gate()
        try await HTTP2Lab.run(script: { _ in [.head(200), .hold(rest), .data("end", end: true)] }) {
            lab, upstream async throws in
            let wire = try HTTP2Lab.send(1, in: lab)[0]
            _ = try wire.readHead()
            try await lab.replace(gatewayAt: nil)
            rest.open()
            #expect(try wire.readToChunkedEnd() == "end")
            #expect(upstream.connectionCount == 1 && upstream.resets.isEmpty)
        }
    }
}

extension Wire {
    /// The content of a chunked body whose head has been read.
    func readToChunkedEnd() throws -> String {
        var raw: [UInt8] = []
        while !raw.suffix(5).elementsEqual(Array("0\r\n\r\n".utf8)) { raw += try read(1) }
        var message = Message(head: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        message.raw = raw
        return message.text
    }
}
