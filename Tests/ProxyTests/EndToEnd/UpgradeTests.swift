import Ledger
import NIOCore
import Proxy
import TestSupport
import Testing

@Suite("Other protocols on the same connection", .mayBlock)
struct UpgradeTests {
    private static let handshake = [
        "connection: Upgrade", "upgrade: WebSocket", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
    ]

    private static func accepted(_ fields: [String] = []) -> String {
        (["HTTP/1.1 101 Switching Protocols", "connection: Upgrade", "upgrade: websocket"] + fields)
            .joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// A connection whose handshake has been answered, and the answer.
    private func open(
        _ lab: Lab, early: String = "", receiveBuffer: Int32? = nil
    ) throws -> (wire: Wire, answer: Message) {
        let wire = try lab.connect(receiveBuffer: receiveBuffer)
        try wire.send(lab.head("GET", "/lab/socket", Self.handshake) + early)
        return (wire, Message(head: try #require(try wire.readHead())))
    }

    @Test("a handshake passes, and then every byte both ways, early ones included")
    func bytes() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted(["sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]) + "\u{1}greeting")
            #expect(try wire.read(5) == Array("early".utf8))
            try wire.send("HTTP/1.1 200 OK\r\n\r\n")
            #expect(try wire.read(4) == Array("late".utf8))
            try wire.send("done")
        }
        try await Lab.run(upstream) { lab async throws in
            let (wire, answer) = try open(lab, early: "early")
            #expect(answer.status == 101 && answer["upgrade"] == ["websocket"] && answer["connection"] == ["upgrade"])
            #expect(answer["sec-websocket-accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
            #expect(answer["content-length"].isEmpty)
            #expect(try wire.read(9) == Array("\u{1}greeting".utf8))
            #expect(try wire.read(19) == Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
            try wire.send("late")
            #expect(try wire.readToEnd() == Array("done".utf8))
            let request = try #require(try Requests(upstream.received[0]).all.first)
            #expect(request["connection"] == ["upgrade"] && request["upgrade"] == ["websocket"])
            #expect(request["sec-websocket-key"] == ["dGhlIHNhbXBsZSBub25jZQ=="])
            #expect(request["authorization"].isEmpty)
        }
    }

    @Test("a 402 to the handshake is paid and the handshake repeated with the payment", arguments: [true, false])
    func paid(isProven: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                try wire.send(Self.accepted(isProven ? [Seller.report()] : []) + "hello")
                #expect(try wire.read(2) == Array("hi".utf8))
                return try wire.send("bye")
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let (wire, answer) = try open(lab)
            let payment = try await lab.payment()
            #expect(payment.state == (isProven ? .settled : .presumed))
            #expect(answer.status == 101 && answer["purser-payment"] == [payment.id.description])
            #expect(try wire.read(5) == Array("hello".utf8))
            try wire.send("hi")
            #expect(try wire.readToEnd() == Array("bye".utf8))
            #expect(try Seller.payments(at: upstream).count == 1)
            // Some servers refuse another offer on a connection that has carried one.
            #expect(upstream.connections.count == 2)
            let requests = try Requests(Array(upstream.received.joined().dropLast(2))).all
            #expect(requests.map(Seller.isPaid) == [false, true])
            for request in requests { #expect(request["upgrade"] == ["websocket"]) }
        }
    }

    @Test("an agent that leaves while its paid handshake is under way finds the outcome in the books")
    func leftWhilePaying() async throws {
        let gone = Gate()
        let ended = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(Seller.unpaid)
                    continue
                }
                gone.open()
                Threads.pause(milliseconds: 200)
                try wire.send(Self.accepted([Seller.report()]))
                _ = try? wire.readToEnd()
                return ended.open()
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/socket", Self.handshake))
            #expect(await gone.opened())
            wire.close()
            #expect(try await lab.wait(for: .settled))
            #expect(await ended.opened())
        }
    }

    @Test("a handshake that is turned down is an answer like any other, and holds no place", arguments: [403, 200])
    func turnedDown(status: Int) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                if request.startLine.contains("socket-yes") { return try wire.send(Self.accepted() + "in") }
                try wire.send(Respond.with(status, body: "no"))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            for _ in 0..<300 {
                try wire.send(lab.head("GET", "/lab/socket", Self.handshake))
                let response = try wire.readResponse()
                #expect(response.status == status && response.text == "no")
            }
            #expect(upstream.connections.count == 1)
            try wire.send(lab.head("GET", "/lab/socket-yes", Self.handshake))
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 101 ") == true)
            #expect(try wire.readToEnd() == Array("in".utf8))
        }
    }

    @Test(
        "reject- a switch to what was not asked for",
        arguments: [
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket, mqtt\r\n\r\n",
            "HTTP/1.0 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ])
    func otherProtocol(answer: String) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(answer + "poison")
            _ = try? wire.readToEnd()
        }
        try await Lab.run(upstream) { lab async throws in
            let response = try lab.exchange("GET", "/lab/socket", Self.handshake)
            #expect(response.status == 502 && response.text.contains("gateway-malformed"))
        }
    }

    @Test("either side may end what it sends and go on reading", arguments: [true, false])
    func halfClose(agentFirst: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted())
            if agentFirst {
                #expect(try wire.readToEnd() == Array("question".utf8))
                try wire.send("answer")
            } else {
                try wire.send("greeting")
                wire.endSending()
                #expect(try wire.readToEnd() == Array("reply".utf8))
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let (wire, _) = try open(lab)
            if agentFirst {
                try wire.send("question")
                wire.endSending()
                #expect(try wire.readToEnd() == Array("answer".utf8))
            } else {
                #expect(try wire.readToEnd() == Array("greeting".utf8))
                try wire.send("reply")
                wire.endSending()
                #expect(eventually { upstream.received[0].suffix(5).elementsEqual("reply".utf8) })
            }
        }
    }

    @Test("a slow reader holds the sender back, and gets everything")
    func backPressure() async throws {
        let total = 32 << 20
        let sent = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted())
            let piece = [UInt8](repeating: 0x78, count: 64 << 10)
            while sent.value < total {
                try wire.send(piece)
                sent.add(piece.count)
            }
        }
        try await Lab.run(upstream) { lab async throws in
            let (wire, _) = try open(lab, receiveBuffer: 64 << 10)
            wire.stopLogging()
            Threads.pause(milliseconds: 300)
            #expect(sent.value < total / 2)
            var read = 0
            while read < total { read += try wire.read(min(1 << 20, total - read)).count }
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a peer that resets ends the other side, and a server that stops ends both", arguments: [true, false])
    func ends(byReset: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted())
            _ = try wire.read(1)
            if byReset { wire.reset() } else { _ = try wire.readToEnd() }
        }
        try await Lab.run(upstream) { lab async throws in
            let (wire, _) = try open(lab)
            try wire.send("x")
            if !byReset { await lab.stop(patience: .milliseconds(100)) }
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a gateway behind TLS may switch protocols, and the bytes right behind its answer are not lost")
    func secure() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted() + "greeting")
            while true { try wire.send(wire.read(4)) }
        }
        try await SecureUpstreamTests.run(upstream) { lab async throws in
            let (wire, answer) = try open(lab)
            #expect(answer.status == 101)
            #expect(try wire.read(8) == Array("greeting".utf8))
            for _ in 0..<3 {
                try wire.send("ping")
                #expect(try wire.read(4) == Array("ping".utf8))
            }
            wire.close()
        }
    }
}
