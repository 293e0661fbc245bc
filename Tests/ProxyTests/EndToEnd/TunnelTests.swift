import NIOCore
import Proxy
import TestSupport
import Testing
import Transport

@Suite("The forward proxy: tunnels", .mayBlock)
struct TunnelTests {
    private func options(_ rules: ForwardRules = loopbackRules()) -> Lab.Options {
        var options = Lab.Options()
        options.forward = rules
        return options
    }

    private static func ask(_ port: Int, _ fields: [String] = [ForwardTests.basic("scout", Lab.token)]) -> String {
        "CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n" + fields.map { $0 + "\r\n" }.joined()
            + "\r\n"
    }

    /// An open tunnel.
    private func tunnel(_ lab: Lab, receiveBuffer: Int32? = nil) throws -> Wire {
        let wire = try lab.connect(receiveBuffer: receiveBuffer)
        try wire.send(Self.ask(lab.upstream.port))
        #expect(try wire.readHead() == "HTTP/1.1 200 Connection Established\r\n\r\n")
        return wire
    }

    @Test("bytes go through unread in both directions, those behind the request included")
    func bytes() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            #expect(try wire.read(5) == Array("early".utf8))
            try wire.send("\u{0}not HTTP\r\n")
            #expect(try wire.read(4) == Array("late".utf8))
            try wire.send("done")
        }
        try await Lab.run(options(), upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(Self.ask(upstream.port) + "early")
            #expect(try wire.readHead() == "HTTP/1.1 200 Connection Established\r\n\r\n")
            #expect(try wire.read(11) == Array("\u{0}not HTTP\r\n".utf8))
            try wire.send("late")
            #expect(try wire.readToEnd() == Array("done".utf8))
        }
    }

    @Test("either side may end what it sends and go on reading", arguments: [true, false])
    func halfClose(agentFirst: Bool) async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            if agentFirst {
                #expect(try wire.readToEnd() == Array("question".utf8))
                try wire.send("answer")
            } else {
                try wire.send("greeting")
                wire.endSending()
                #expect(try wire.readToEnd() == Array("reply".utf8))
            }
        }
        try await Lab.run(options(), upstream) { lab async throws in
            let wire = try tunnel(lab)
            if agentFirst {
                try wire.send("question")
                wire.endSending()
                #expect(try wire.readToEnd() == Array("answer".utf8))
            } else {
                #expect(try wire.readToEnd() == Array("greeting".utf8))
                try wire.send("reply")
                wire.endSending()
            }
            #expect(eventually { upstream.connections[0].received.count == (agentFirst ? 8 : 5) })
        }
    }

    @Test("a slow reader holds the sender back, and gets everything")
    func backPressure() async throws {
        let total = 64 << 20
        let sent = Progress()
        let upstream = try ScriptedUpstream { wire, _ in
            let piece = [UInt8](repeating: 0x78, count: 64 << 10)
            while sent.value < total {
                try wire.send(piece)
                sent.add(piece.count)
            }
        }
        try await Lab.run(options(), upstream) { lab async throws in
            let wire = try tunnel(lab, receiveBuffer: 64 << 10)
            wire.stopLogging()
            Threads.pause(milliseconds: 500)
            #expect(sent.value < total / 2)
            var read = 0
            while read < total { read += try wire.read(min(1 << 20, total - read)).count }
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a peer that is cut off ends the tunnel on the other side")
    func reset() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.read(1)
            wire.reset()
        }
        try await Lab.run(options(), upstream) { lab async throws in
            let wire = try tunnel(lab)
            try wire.send("x")
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a tunnel through which nothing passes is closed, and one that is used is not")
    func idle() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while true { try wire.send(wire.read(1)) }
        }
        var options = options()
        options.proxy.tunnel = .milliseconds(600)
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try tunnel(lab)
            for _ in 0..<6 {
                try wire.send("x")
                #expect(try wire.read(1) == [0x78])
                Threads.pause(milliseconds: 200)
            }
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("a server that stops ends its tunnels")
    func stopping() async throws {
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options(), upstream) { lab async throws in
            let wire = try tunnel(lab)
            await lab.stop(patience: .milliseconds(100))
            #expect(wire.isClosedByPeer())
        }
    }

    static let refusals: [(String, Int, String)] = [
        ("CONNECT 127.0.0.1:PORT HTTP/1.1\r\nhost: a\r\n\r\n", 407, "no-token"),
        ("CONNECT 127.0.0.1 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 400, "target-not-an-authority"),
        ("CONNECT /lab/x HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 400, "target-not-an-authority"),
        ("CONNECT http://127.0.0.1:PORT HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 400, "target-not-an-authority"),
        ("CONNECT 127.0.0.1:0 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 400, "target-not-an-authority"),
        (
            "CONNECT 127.0.0.1:PORT HTTP/1.1\r\nhost: a\r\nTOKEN\r\ncontent-length: 3\r\n\r\nabc", 400,
            "connect-with-body"
        ),
        ("CONNECT other.example:443 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 403, "forward-not-allowed"),
        ("CONNECT listed.invalid:443 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 502, "host-unreachable"),
        ("CONNECT 10.255.255.1:443 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 403, "address-refused"),
        ("CONNECT localhost:PORT HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 403, "address-refused"),
        ("CONNECT [::ffff:10.0.0.1]:443 HTTP/1.1\r\nhost: a\r\nTOKEN\r\n\r\n", 403, "address-refused"),
    ]

    @Test("reject- what may not have a tunnel, and nothing is dialled", arguments: refusals)
    func refused(text: String, status: Int, code: String) async throws {
        let hosts = ["127.0.0.1:*", "listed.invalid", "10.255.255.1", "localhost:*", "[::ffff:10.0.0.1]"]
        let rules = loopbackRules(hosts: hosts, addresses: [])
        try await Lab.run(options(rules), try ScriptedUpstream { _, _ in }) { lab async throws in
            let request = text.replacing("PORT", with: "\(lab.upstream.port)")
                .replacing("TOKEN", with: ForwardTests.basic("scout", Lab.token))
            let response = try lab.raw(request).response
            #expect(response.status == status && response.text.contains("\"\(code)\""), "\(response.text)")
            #expect(lab.upstream.connections.isEmpty)
        }
    }

    @Test("an agent has at most 256 tunnels, and a closed one makes room")
    func limit() async throws {
        let upstream = try ScriptedUpstream { wire, _ in _ = try wire.readToEnd() }
        try await Lab.run(options(), upstream) { lab async throws in
            var wires: [Wire] = []
            for _ in 0..<256 { wires.append(try tunnel(lab)) }
            let refused = try lab.raw(Self.ask(upstream.port)).response
            #expect(refused.status == 429 && refused.text.contains("too-many-tunnels"))
            wires.removeLast().close()
            #expect(
                try eventually {
                    let wire = try lab.connect()
                    try wire.send(Self.ask(upstream.port))
                    return try wire.readHead()?.hasPrefix("HTTP/1.1 200") == true
                })
        }
    }
}
