import Ledger
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing
import Transport

/// A right that ends while tunnels are open.
enum RightsEnd: String, CaseIterable, Sendable {
    case everythingFrozen
    case agentFrozen
    case gatewayFrozen
    case tokenReplaced
    case agentRemoved
    case gatewayRemoved
    case gatewayMoved
    case gatewayKeyReplaced
    case gatewayPrepaid
    case upgradesRefused
    case hostNotListed
    case addressNotListed
    case hostNotTerminated
    case hostTerminated

    /// The reason for which each kind of tunnel ends; nil for one that stays open.
    var reasons: [TunnelUnderTest.Kind: String] {
        func all(_ reason: String) -> [TunnelUnderTest.Kind: String] {
            Dictionary(uniqueKeysWithValues: TunnelUnderTest.Kind.allCases.map { ($0, reason) })
        }
        func switched(_ reason: String) -> [TunnelUnderTest.Kind: String] {
            [.switched: reason, .switchedInside: reason]
        }
        return switch self {
        case .everythingFrozen, .agentFrozen: all("frozen")
        case .gatewayFrozen: switched("frozen").merging([.terminated: "frozen"]) { $1 }
        case .tokenReplaced: all("token-replaced")
        case .agentRemoved: all("agent-removed")
        case .gatewayRemoved: switched("gateway-removed").merging([.terminated: "host-not-listed"]) { $1 }
        case .gatewayMoved: switched("gateway-changed").merging([.terminated: "host-not-listed"]) { $1 }
        case .gatewayKeyReplaced, .gatewayPrepaid: switched("gateway-changed")
        case .upgradesRefused: switched("upgrades-refused")
        case .hostNotListed: [.raw: "host-not-listed"]
        case .addressNotListed: [.raw: "address-refused"]
        case .hostNotTerminated: [.terminated: "termination-changed", .switchedInside: "termination-changed"]
        case .hostTerminated: [.raw: "termination-changed"]
        }
    }

    /// Has the right end.
    func happen(in lab: Lab) async throws {
        let now = lab.clock.now()
        func freeze(_ scope: FreezeScope) async throws {
            #expect(try await lab.ledger.freeze(Freeze(scope: scope, since: now, actor: "op", reason: nil)))
        }
        switch self {
        case .everythingFrozen: try await freeze(.everything)
        case .agentFrozen: try await freeze(.agent("scout"))
        case .gatewayFrozen: try await freeze(.gateway("lab"))
        case .tokenReplaced:
            try await lab.ledger.replaceToken(of: "scout", hash: .numbered(99), by: "op", at: now)
        case .agentRemoved: try await lab.ledger.removeAgent("scout", by: "op", at: now)
        case .gatewayRemoved: try await lab.replace(hasGateway: false)
        case .gatewayMoved: try await lab.replace { $0.upstreamPort = 1 }
        case .gatewayKeyReplaced: try await lab.replace { $0.key = (.xAPIKey, "another-key") }
        case .gatewayPrepaid: try await lab.replace { $0.billing = .prepaid }
        case .upgradesRefused: try await lab.replace { $0.allowsUpgrades = false }
        case .hostNotListed: try await lab.replace { $0.forward = .none }
        case .addressNotListed: try await lab.replace { $0.forward = loopbackRules(addresses: []) }
        case .hostNotTerminated: try await lab.replace { $0.termination = nil }
        case .hostTerminated:
            let place = try TerminationPlace(hosts: ["127.0.0.1", "localhost"])
            let termination = try place.termination(["127.0.0.1:*", "localhost:*"])
            try await lab.replace { $0.termination = termination }
        }
    }
}

/// A tunnel or a switched connection of an agent, which a test uses.
struct TunnelUnderTest {
    enum Kind: String, CaseIterable, Sendable {
        /// CONNECT to a host, unread.
        case raw
        /// CONNECT to a gateway's own address whose TLS ends here, with no request under way.
        case terminated
        /// WebSocket through a gateway's path.
        case switched
        /// WebSocket inside terminated TLS.
        case switchedInside
    }

    /// Whether bytes come back.
    let passes: () throws -> Bool
    /// Whether the agent's side is closed.
    let isEnded: () throws -> Bool

    static let handshake =
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "sec-websocket-version: 13\r\n"

    init(_ kind: Kind, of lab: Lab, _ place: TerminationPlace, port: Int) throws {
        switch kind {
        case .raw:
            let wire = try lab.connect()
            let target = "127.0.0.1:\(lab.upstream.port)"
            try wire.send(
                "CONNECT \(target) HTTP/1.1\r\nhost: \(target)\r\n\(ForwardTests.basic("scout", Lab.token))\r\n\r\n")
            #expect(try wire.readHead() == "HTTP/1.1 200 Connection Established\r\n\r\n")
            self.init(
                passes: {
                    try wire.send("GET /raw HTTP/1.1\r\n\r\n")
                    return try wire.readResponse().status == 200
                }, isEnded: { wire.isClosedByPeer() })
        case .switched:
            let wire = try lab.connect()
            try wire.send(
                "GET /lab/socket HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nauthorization: Bearer \(Lab.token)\r\n"
                    + "\(Self.handshake)\r\n")
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 101 ") == true)
            self.init(
                passes: {
                    try wire.send("ping")
                    return try wire.read(4) == Array("ping".utf8)
                }, isEnded: { wire.isClosedByPeer() })
        case .terminated, .switchedInside:
            let fields = kind == .terminated ? "" : Self.handshake
            let text = "GET /inside HTTP/1.1\r\nhost: localhost:\(port)\r\n\(fields)\r\n"
            let program = try place.open(text, of: "localhost", port: port, through: lab)
            #expect(try program.tell("").hasPrefix("HTTP/1.1 \(kind == .terminated ? 200 : 101) "))
            self.init(
                passes: { try kind == .terminated || program.tell("ping") == "ping" },
                isEnded: {
                    // A connection that is open answers, or keeps its peer waiting for the rest of a request.
                    do {
                        let answer = try program.tell("x")
                        return answer.isEmpty || answer.hasPrefix("tls ")
                    } catch {
                        return error as? WireError != .timeout
                    }
                })
        }
    }

    private init(passes: @escaping () throws -> Bool, isEnded: @escaping () throws -> Bool) {
        self.passes = passes
        self.isEnded = isEnded
    }
}

@Suite("Tunnels end when their right ends", .mayBlock)
struct TunnelEndingTests {
    /// Answers requests, echoes behind a switch, and counts connections that ended.
    private static func upstream(ended: Progress = Progress()) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            defer { ended.add(1) }
            while let request = try wire.readRequest() {
                guard request["upgrade"] == ["websocket"] else {
                    try wire.send(Respond.with(200))
                    continue
                }
                try wire.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
                while case let bytes = try wire.receive(64), !bytes.isEmpty { try wire.send(bytes) }
                return
            }
        }
    }

    /// A lab in which every kind of tunnel can be opened.
    private func run(
        _ upstream: ScriptedUpstream, _ change: (inout Lab.Options) -> Void = { _ in },
        _ body: (Lab, TerminationPlace, _ port: Int) async throws -> Void
    ) async throws {
        let place = try TerminationPlace(hosts: ["localhost"])
        let front = try await SecureUpstream(folder: place.folder, target: upstream.port)
        var options = Lab.Options()
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = front.port
        options.trustFile = place.folder.path("ca.pem")
        options.forward = loopbackRules()
        options.termination = try place.termination(["localhost:*"])
        options.key = (.xAPIKey, "gateway-key")
        options.loops = 2
        change(&options)
        try await Lab.run(options, upstream) { lab async throws in try await body(lab, place, front.port) }
        try await front.stop()
    }

    @Test("each kind of tunnel ends with its own rights, both sides, and with no other", arguments: RightsEnd.allCases)
    func ends(end: RightsEnd) async throws {
        let closed = Progress()
        try await run(try Self.upstream(ended: closed)) { lab, place, port async throws in
            let kinds = TunnelUnderTest.Kind.allCases
            let tunnels = try kinds.map { try TunnelUnderTest($0, of: lab, place, port: port) }
            for tunnel in tunnels { #expect(try tunnel.passes()) }
            #expect(eventually { lab.tunnels.count == 4 })
            #expect(try await lab.review() == 0)
            try await end.happen(in: lab)
            let reasons = end.reasons
            #expect(try await lab.review() == reasons.count)
            for (kind, tunnel) in zip(kinds, tunnels) {
                let isRight = try reasons[kind] == nil ? tunnel.passes() : tunnel.isEnded()
                #expect(isRight, "\(kind)")
            }
            // The terminated connection is the agent's alone: the pool keeps its gateway's.
            let gone = reasons.keys.count { $0 != .terminated }
            #expect(eventually { closed.value >= gone })
            #expect(lab.tunnels.ended == Dictionary(reasons.values.map { ($0, 1) }, uniquingKeysWith: +))
            let isFreeze = reasons.values.contains("frozen")
            #expect(lab.tunnels.endedUnder.values.reduce(0, +) == (isFreeze ? reasons.count : 0))
            #expect(eventually { lab.tunnels.count == 4 - reasons.count })
            #expect(try await lab.review() == 0)
        }
    }

    @Test("open tunnels are listed by agent, kind, gateway and host")
    func listed() async throws {
        try await run(try Self.upstream()) { lab, place, port async throws in
            let kinds = TunnelUnderTest.Kind.allCases + [.switched]
            let tunnels = try kinds.map { try TunnelUnderTest($0, of: lab, place, port: port) }
            func row(_ kind: String, _ gateway: String?, _ host: String?, _ count: Int = 1) -> TunnelSnapshot.Row {
                TunnelSnapshot.Row(agent: "scout", kind: kind, gateway: gateway, host: host, count: count)
            }
            #expect(eventually { lab.tunnels.count == 5 })
            #expect(
                lab.tunnels.open == [
                    row("tunnel", nil, "127.0.0.1:\(lab.upstream.port)"), row("switched", "lab", nil, 3),
                    row("terminated", "lab", "localhost:\(port)"),
                ])
            withExtendedLifetime(tunnels) {}
        }
    }

    @Test("reject- a new tunnel or switch under a freeze, and nothing is dialled", arguments: [true, false])
    func frozen(everything: Bool) async throws {
        try await run(try Self.upstream()) { lab, place, port async throws in
            let scope = everything ? FreezeScope.everything : .gateway("lab")
            #expect(
                try await lab.ledger.freeze(Freeze(scope: scope, since: .vectors, actor: "op", reason: nil)))
            let password = ForwardTests.basic("scout", Lab.token)
            func ask(_ target: String) -> String { "CONNECT \(target) HTTP/1.1\r\nhost: x\r\n\(password)\r\n\r\n" }
            let refused = [
                ask("localhost:\(port)"),
                lab.head("GET", "/lab/socket", ["connection: upgrade", "upgrade: websocket"]),
            ]
            for text in everything ? refused + [ask("127.0.0.1:\(lab.upstream.port)")] : refused {
                let answer = try lab.raw(text).response
                #expect(answer.status == 403 && answer.text.contains("\"code\":\"frozen\""), "\(answer.text)")
            }
            #expect(lab.upstream.connections.isEmpty && lab.tunnels.count == 0)
        }
    }

    @Test(
        "a right that ends while a handshake is under way ends what comes of it before a byte passes",
        arguments: RightsEnd.allCases.filter { $0.reasons[.switched] != nil }, [true, false])
    func endsMeanwhile(end: RightsEnd, anotherRequest: Bool) async throws {
        let (asked, answer) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { wire, _ in
            let request = try wire.readRequest()
            guard request?["upgrade"] == ["websocket"] else { return try wire.send(Respond.with(200)) }
            asked.open()
            answer.waitBlocking()
            try wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nsecret")
            _ = try? wire.readToEnd()
        }
        var options = Lab.Options()
        options.limits.connections = 1
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/socket", ["connection: upgrade", "upgrade: websocket"]) + "early")
            #expect(await asked.opened())
            try await end.happen(in: lab)
            // A request has the books read again, where it comes before the answer does.
            if anotherRequest {
                let elsewhere = "GET http://elsewhere.example/ HTTP/1.1\r\nhost: x\r\n"
                _ = try lab.raw("\(elsewhere)\(ForwardTests.basic("scout", Lab.token))\r\n\r\n")
            }
            // The daemon's look, while nothing is open.
            #expect(try await lab.review() == 0)
            answer.open()
            _ = try? wire.readToEnd()
            #expect(!String(decoding: wire.received, as: UTF8.self).contains("secret"))
            #expect(!upstream.texts[0].contains("early"))
            #expect(lab.tunnels.ended == [try #require(end.reasons[.switched]): 1])
            #expect(eventually { lab.tunnels.count == 0 })
            // The gateway's only place is free again, for those who may still use it.
            guard ![.tokenReplaced, .agentRemoved].contains(end) else { return }
            try await lab.replace()
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
        }
    }

    @Test("what was sent early passes when a change in the books leaves the right as it is")
    func changeMeanwhile() async throws {
        let (asked, answer) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            asked.open()
            answer.waitBlocking()
            try wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello")
            #expect(try wire.read(5) == Array("early".utf8))
            try wire.send("done")
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/socket", ["connection: upgrade", "upgrade: websocket"]) + "early")
            #expect(await asked.opened())
            #expect(
                try await lab.ledger.freeze(Freeze(scope: .agent("other"), since: .vectors, actor: "op", reason: nil)))
            answer.open()
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 101 ") == true)
            #expect(try wire.readToEnd() == Array("hellodone".utf8))
            #expect(lab.tunnels.ended.isEmpty)
        }
    }

    @Test("a freeze is told only what ended under itself, not under an earlier one of the same scope")
    func frozenAgain() async throws {
        try await Lab.run(try Self.upstream()) { lab async throws in
            func freeze(_ reason: String) async throws {
                let freeze = Freeze(scope: .everything, since: .vectors, actor: "op", reason: reason)
                #expect(try await lab.ledger.freeze(freeze))
            }
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/socket", ["connection: upgrade", "upgrade: websocket"]))
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 101 ") == true)
            #expect(eventually { lab.tunnels.count == 1 })
            try await freeze("first")
            #expect(try await lab.review() == 1)
            #expect(lab.tunnels.endedUnder == ["everything": 1])
            #expect(eventually { lab.tunnels.count == 0 })
            #expect(try await lab.ledger.unfreeze(.everything, by: "op", at: .vectors))
            try await freeze("second")
            #expect(try await lab.review() == 0)
            #expect(lab.tunnels.endedUnder.isEmpty && lab.tunnels.ended == ["frozen": 1])
            #expect(lab.tunnels.generation == lab.ledger.currentGeneration)
        }
    }

    @Test("a request that is under way inside terminated TLS gets its answer, and no other is served")
    func underWay() async throws {
        let (asked, rest) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            asked.open()
            rest.waitBlocking()
            try wire.send(Respond.with(200))
            _ = try? wire.readToEnd()
        }
        try await run(upstream) { lab, place, port async throws in
            let text = "GET /x HTTP/1.1\r\nhost: localhost:\(port)\r\n\r\n"
            let program = try place.open(text + text, of: "localhost", port: port, through: lab)
            try program.say("")
            #expect(await asked.opened())
            #expect(
                try await lab.ledger.freeze(Freeze(scope: .everything, since: .vectors, actor: "op", reason: nil)))
            #expect(try await lab.review() == 1)
            rest.open()
            #expect(try program.hear().hasPrefix("HTTP/1.1 200"))
            #expect(try program.tell("").isEmpty)
            #expect(try upstream.received.flatMap { try Requests($0).all }.count == 1)
        }
    }

    @Test("an answer that streams is no tunnel: a freeze lets it come to its end")
    func stream() async throws {
        let rest = Gate()
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readRequest()
            try wire.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf")
            rest.waitBlocking()
            try wire.send("rest")
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("GET", "/lab/x"))
            _ = try wire.readHead()
            #expect(
                try await lab.ledger.freeze(Freeze(scope: .everything, since: .vectors, actor: "op", reason: nil)))
            #expect(try await lab.review() == 0)
            rest.open()
            #expect(try wire.read(8) == Array("halfrest".utf8))
        }
    }
}
