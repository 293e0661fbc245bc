import Ledger
import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("WebSocket to gateways that bill a prepaid balance", .mayBlock)
struct PrepaidMessageTests {
    private static let accepted =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    private static let offer = ["connection: upgrade", "upgrade: websocket"]

    private static func options(calls: UInt64, allowsUpgrades: Bool? = true) -> Lab.Options {
        var options = Lab.Options()
        options.billing = .prepaid
        options.allowsUpgrades = allowsUpgrades
        options.caps = [CapLimit(.hour, .payments, UInt256(calls))]
        return options
    }

    /// A client's frame whose payload is `text`, masked with zeros so that it can be read.
    private static func frame(_ text: String, first: UInt8 = 0x81) -> [UInt8] {
        let bytes = Array(text.utf8)
        let length: [UInt8] =
            bytes.count < 126
            ? [0x80 | UInt8(bytes.count)]
            : [0xff] + (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (56 - 8 * $0)) }
        return [first] + length + [0, 0, 0, 0] + bytes
    }

    private static func close(_ reason: String) -> [UInt8] {
        [0x88, UInt8(2 + reason.utf8.count), 0x03, 0xf0] + Array(reason.utf8)
    }

    private static func calls(_ lab: Lab) async throws -> Int {
        try await lab.ledger.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 1000).filter { $0.line.kind == .metered }.count
        }
    }

    /// A connection that has switched, with bytes sent right behind the handshake.
    private func open(_ lab: Lab, early: [UInt8] = []) throws -> Wire {
        let wire = try lab.connect()
        try wire.send(Array(lab.head("GET", "/lab/socket", Self.offer).utf8) + early)
        #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 101 ") == true)
        return wire
    }

    /// Switches, and reads until the connection ends.
    private static func reading(greeting: [UInt8] = []) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Array(accepted.utf8) + greeting)
            _ = try wire.readToEnd()
        }
    }

    @Test("without `upgrades: true` no switch is made, and no other one than to WebSocket with it")
    func refused() async throws {
        for (allows, offer) in [(nil, "websocket"), (false, "websocket"), (true, "mqtt"), (true, "websocket, mqtt")] {
            let options = Self.options(calls: 10, allowsUpgrades: allows)
            try await Lab.run(options, try Self.reading()) { lab async throws in
                let answer = try lab.exchange("GET", "/lab/socket", ["connection: upgrade", "upgrade: \(offer)"])
                #expect(answer.status == 403 && answer.text.contains("\"code\":\"upgrade-refused\""), "\(answer.text)")
                #expect(lab.upstream.connections.isEmpty)
                #expect(try await Self.calls(lab) == 0)
            }
        }
    }

    @Test("an entry may refuse switches at a gateway that is paid by challenge too, and all else is served")
    func refusedAnywhere() async throws {
        var options = Lab.Options()
        options.allowsUpgrades = false
        try await Lab.run(options, try ScriptedUpstream.serving { _ in Respond.with(200) }) { lab async throws in
            #expect(try lab.exchange("GET", "/lab/socket", Self.offer).text.contains("upgrade-refused"))
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
        }
    }

    @Test("each message of the agent is a call; at the cap it is told, and what it sent last never arrives")
    func counted() async throws {
        try await Lab.run(Self.options(calls: 4), try Self.reading(greeting: [0x81, 2, 0x68, 0x69])) {
            lab async throws in
            let wire = try open(lab, early: Self.frame("first"))
            #expect(try wire.read(4) == [0x81, 2, 0x68, 0x69])
            try wire.send(Self.frame("ping", first: 0x89) + Self.frame("sec", first: 0x01))
            try wire.send(Self.frame("ond", first: 0x80) + Self.frame("third", first: 0x82))
            #expect(eventually { lab.upstream.texts.first?.contains("third") == true })
            #expect(try await Self.calls(lab) == 4)
            try wire.send(Self.frame("fourth"))
            #expect(try wire.readToEnd() == Self.close("purser: cap-exceeded"))
            wire.close()
            #expect(eventually { lab.tunnels.count == 0 })
            #expect(lab.tunnels.ended == ["message-not-counted": 1])
            let received = lab.upstream.texts[0]
            #expect(!received.contains("fourth"))
            #expect(received.contains("first") && received.contains("sec") && received.contains("ond"))
            #expect(try await Self.calls(lab) == 4)
        }
    }

    @Test("a thousand messages are a thousand calls, in order")
    func thousand() async throws {
        try await Lab.run(Self.options(calls: 1001), try Self.reading()) { lab async throws in
            let wire = try open(lab)
            let frames = (1...1000).map { Self.frame("m\($0);") }
            Threads.spawn { for frame in frames { try? wire.send(frame) } }
            let whole = frames.reduce([], +)
            #expect(eventually { lab.upstream.received.first?.suffix(whole.count).elementsEqual(whole) == true })
            try wire.send(Self.frame("one more"))
            #expect(try wire.readToEnd() == Self.close("purser: cap-exceeded"))
        }
    }

    @Test("a message waits for the books whole, what stood before it does not, and more is not read meanwhile")
    func heldBack() async throws {
        let (asked, booked) = (Gate(), Gate())
        let asks = Progress()
        var options = Self.options(calls: 100)
        options.onMetering = {
            // The handshake is booked at once.
            guard asks.next() == 1 else { return }
            asked.open()
            _ = await booked.opened()
        }
        try await Lab.run(options, try Self.reading()) { lab async throws in
            let wire = try open(lab)
            let large = Self.frame(String(repeating: "x", count: 32 << 20))
            let sent = Progress()
            Threads.spawn {
                try? wire.send(Self.frame("", first: 0x89) + large)
                sent.add(1)
                try? wire.send(Self.frame("last"))
                wire.endSending()
            }
            #expect(await asked.opened())
            lab.upstream.connections[0].stopLogging()
            Threads.pause(milliseconds: 300)
            #expect(sent.value == 0)
            booked.open()
            #expect(eventually { sent.value == 1 })
            #expect(try wire.readToEnd().isEmpty)
            #expect(asks.value == 3)
        }
    }

    @Test("an agent that ends what it sends while a message waits has all of it passed on")
    func endsMeanwhile() async throws {
        let (asked, booked) = (Gate(), Gate())
        let asks = Progress()
        var options = Self.options(calls: 100)
        options.onMetering = {
            guard asks.next() == 1 else { return }
            asked.open()
            _ = await booked.opened()
        }
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send(Self.accepted)
            #expect(try wire.readToEnd() == Self.frame("one") + Self.frame("two"))
            try wire.send([0x81, 2, 0x6f, 0x6b])
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try open(lab)
            try wire.send(Self.frame("one") + Self.frame("two"))
            wire.endSending()
            #expect(await asked.opened())
            booked.open()
            #expect(try wire.readToEnd() == [0x81, 2, 0x6f, 0x6b])
        }
    }

    @Test(
        "a message that the books refuse since the right has ended ends the tunnel for that reason",
        arguments: [RightsEnd.agentFrozen, .agentRemoved])
    func rightEnded(end: RightsEnd) async throws {
        try await Lab.run(Self.options(calls: 100), try Self.reading()) { lab async throws in
            let wire = try open(lab)
            #expect(eventually { lab.tunnels.count == 1 })
            try await end.happen(in: lab)
            try wire.send(Self.frame("late"))
            let isFreeze = end == .agentFrozen
            #expect(try wire.readToEnd() == Self.close("purser: \(isFreeze ? "frozen" : "unknown-agent")"))
            wire.close()
            #expect(eventually { lab.tunnels.count == 0 })
            #expect(lab.tunnels.ended == [try #require(end.reasons[.switched]): 1])
            #expect(try await lab.review() == 0)
            #expect(lab.tunnels.endedUnder == (isFreeze ? ["agent:scout": 1] : [:]))
            #expect(!lab.upstream.texts[0].contains("late"))
        }
    }

    @Test("reject- what is no WebSocket frame of an agent")
    func otherBytes() async throws {
        try await Lab.run(Self.options(calls: 100), try Self.reading()) { lab async throws in
            let wire = try open(lab)
            try wire.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try wire.readToEnd().starts(with: [0x88]))
            #expect(lab.tunnels.ended == ["not-websocket": 1])
            #expect(lab.upstream.texts[0].hasSuffix("\r\n\r\n") && !lab.upstream.texts[0].contains("GET / "))
            #expect(try await Self.calls(lab) == 1)
        }
    }

    @Test("in the middle of a frame of the gateway no other one is put: the connection is reset")
    func midFrame() async throws {
        try await Lab.run(Self.options(calls: 1), try Self.reading(greeting: [0x81, 100, 0x68])) { lab async throws in
            let wire = try open(lab)
            #expect(try wire.read(3) == [0x81, 100, 0x68])
            try wire.send(Self.frame("more"))
            #expect(wire.isClosedByPeer())
            #expect(wire.received.suffix(3).elementsEqual([0x81, 100, 0x68]))
            #expect(lab.tunnels.ended == ["message-not-counted": 1])
        }
    }
}
