import Ledger
import Proxy
import TestSupport
import Testing
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Listeners: several at once, files, and sockets from systemd", .mayBlock)
struct ListenerTests {
    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream.serving { Respond.with(200, body: $0.startLine) }
    }

    /// Programs of this very user are the agent scout.
    static let mine = PeerAgents([.user(geteuid()): "scout"])

    private func options(_ places: [ListeningPlace], peers: PeerAgents = mine) -> Lab.Options {
        var options = Lab.Options()
        options.places = places
        options.peers = peers
        return options
    }

    private static func get(_ path: String, _ fields: [String] = []) -> String {
        (["GET \(path) HTTP/1.1", "host: whatever.example"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test("the kernel's word about a user stands for a token, and every request of a connection is the agent's")
    func peer() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        try await Lab.run(options([.socket(path: path, mode: 0o600)]), try Self.upstream()) { lab async throws in
            #expect(try folder.mode(of: "agents.sock") == 0o600)
            let wire = try Wire.connect(path: path)
            for number in 1...3 {
                try wire.send(Self.get("/lab/\(number)", ["authorization: Bearer the-origin's"]))
                let answer = try wire.readResponse()
                #expect(answer.status == 200 && answer.text == "GET /\(number) HTTP/1.1")
            }
            // What is no agent token belongs to the gateway.
            #expect(lab.upstream.texts[0].contains("authorization: Bearer the-origin's"))
        }
        #expect(try folder.entries().isEmpty)
    }

    @Test("what a peer pays is its agent's")
    func payment() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        let seller = try Seller.serving(Respond.with(200, [Seller.report()], body: "sold"))
        try await Lab.run(options([.socket(path: path, mode: 0o600)]), seller) { lab async throws in
            let wire = try Wire.connect(path: path)
            try wire.send(Self.get("/lab/x"))
            #expect(try wire.readResponse().text == "sold")
            #expect(try await lab.payment().purpose.agent == "scout")
        }
    }

    @Test("a peer that is nobody's, or whose agent is not in the books, is told so")
    func strangers() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        let place = ListeningPlace.socket(path: path, mode: 0o600)
        for (peers, code) in [
            (PeerAgents.none, "peer-not-mapped"), (PeerAgents([.user(geteuid() + 1): "scout"]), "peer-not-mapped"),
            (PeerAgents([.user(geteuid()): "nobody"]), "peer-agent-unknown"),
        ] {
            try await Lab.run(options([place], peers: peers), try Self.upstream()) { lab async throws in
                let wire = try Wire.connect(path: path)
                try wire.send(Self.get("/lab/x"))
                let answer = try wire.readResponse()
                #expect(answer.status == 401 && answer.text.contains("\"code\":\"\(code)\""))
                #expect(wire.isClosedByPeer())
                let other = try Wire.connect(path: path)
                try other.send(Self.get("http://other.example/"))
                #expect(try other.readResponse().status == 407)
                #expect(lab.upstream.connections.isEmpty)
            }
        }
    }

    @Test("a token counts for more than the user, and a wrong one is not made good by it")
    func tokens() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        let place = ListeningPlace.socket(path: path, mode: 0o600)
        try await Lab.run(options([place], peers: .none), try Self.upstream()) { _ async throws in
            let wire = try Wire.connect(path: path)
            try wire.send(Self.get("/lab/x", ["x-api-key: \(Lab.token)"]))
            #expect(try wire.readResponse().status == 200)
        }
        try await Lab.run(options([place]), try Self.upstream()) { _ async throws in
            let wire = try Wire.connect(path: path)
            try wire.send(Self.get("/lab/x", ["x-api-key: \(Lab.token)x"]))
            #expect(try wire.readResponse().text.contains("mistyped-token"))
        }
    }

    @Test("a group stands for a token where the user does not")
    func group() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        let peers = PeerAgents([.group(getegid()): "scout"])
        try await Lab.run(
            options([.socket(path: path, mode: 0o660)], peers: peers), try Self.upstream()
        ) { _ async throws in
            #expect(try folder.mode(of: "agents.sock") == 0o660)
            let wire = try Wire.connect(path: path)
            try wire.send(Self.get("/lab/x"))
            #expect(try wire.readResponse().status == 200)
        }
    }

    @Test("on loopback nobody is known by a user, and Host is checked as ever")
    func loopback() async throws {
        try await Lab.run(options([]), try Self.upstream()) { lab async throws in
            #expect(try lab.raw(Self.get("/lab/x")).response.status == 421)
            let text = "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\n\r\n"
            #expect(try lab.raw(text).response.status == 401)
        }
    }

    @Test("all places are served at once, and each port may stand in Host")
    func several() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        var options = options([.address(host: "127.0.0.1", port: 0), .socket(path: path, mode: 0o600)])
        options.loops = 2
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            guard case .address(_, let second) = lab.places[1] else { throw WireError.malformed("place") }
            #expect(second != lab.port && second > 0)
            for port in [lab.port, second] {
                let wire = try Wire.connect(port: second)
                try wire.send("GET /lab/x HTTP/1.1\r\nhost: localhost:\(port)\r\nx-api-key: \(Lab.token)\r\n\r\n")
                #expect(try wire.readResponse().status == 200)
            }
            let wire = try Wire.connect(path: path)
            try wire.send(Self.get("/lab/x"))
            #expect(try wire.readResponse().status == 200)
        }
    }

    @Test("where the connections of one loop have ended, the next ones go")
    func unevenly() async throws {
        var options = options([])
        options.loops = 3
        // Each loop has upstream connections of its own and keeps them: their number tells the loop.
        let upstream = try ScriptedUpstream { wire, number in
            while try wire.readRequest() != nil { try wire.send(Respond.with(200, body: "\(number)")) }
        }
        try await Lab.run(options, upstream) { lab async throws in
            func open() throws -> (wire: Wire, loop: String) {
                let wire = try lab.connect()
                try wire.send(lab.head("GET", "/lab/x"))
                return (wire, try wire.readResponse().text)
            }
            var wires = try (0..<12).map { _ in try open() }
            let all = Dictionary(grouping: wires, by: \.loop).mapValues(\.count)
            #expect(all.values.sorted() == [4, 4, 4])
            // One loop loses all of its connections, another one half of them.
            let (first, second) = (wires[0].loop, wires[1].loop)
            let leaving = wires.filter { $0.loop == first } + wires.filter { $0.loop == second }.prefix(2)
            for (wire, _) in leaving {
                wire.endSending()
                #expect(wire.isClosedByPeer())
            }
            wires.removeAll { wire in leaving.contains { $0.wire === wire.wire } }
            let new = try (0..<6).map { _ in try open() }
            #expect(new.count { $0.loop == first } == 4 && new.count { $0.loop == second } == 2)
            withExtendedLifetime(wires) {}
        }
    }

    @Test("the connections of all places go to the loops in turn")
    func spread() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("agents.sock")
        var options = options([.socket(path: path, mode: 0o600)])
        options.loops = 3
        try await Lab.run(options, try Self.upstream()) { lab async throws in
            var wires: [Wire] = []
            // Each loop has upstream connections of its own and keeps them: one after the other they need one each.
            for number in 1...12 {
                let wire = number.isMultiple(of: 2) ? try Wire.connect(path: path) : try lab.connect()
                try wire.send(
                    "GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(lab.port)\r\nx-api-key: \(Lab.token)\r\n\r\n")
                #expect(try wire.readResponse().status == 200)
                wires.append(wire)
            }
            #expect(lab.upstream.connections.count == 3)
            withExtendedLifetime(wires) {}
        }
    }

    @Test("a socket that was opened before is served as what it is, and its file stays")
    func inherited() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("systemd.sock")
        let file = try UnixSocketFile(path: path, mode: 0o600)
        #expect(listen(file.descriptor, 16) == 0)
        let address = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(listen(address, 16) == 0)
        let places = [file.descriptor, address].map { ListeningPlace.inherited(descriptor: $0) }
        try await Lab.run(options(places), try Self.upstream()) { lab async throws in
            #expect(lab.places[1].description == "unix:\(path)")
            let local = try Wire.connect(path: path)
            try local.send(Self.get("/lab/x"))
            #expect(try local.readResponse().status == 200)
            guard case .address(_, let port) = lab.places[2] else { throw WireError.malformed("place") }
            let wire = try Wire.connect(port: port)
            try wire.send("GET /lab/x HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n\r\n")
            // An address names nobody.
            #expect(try wire.readResponse().status == 401)
        }
        #expect(try folder.entries() == ["systemd.sock"])
    }

    @Test("what is no listening socket is not served")
    func notListening() async throws {
        let mute = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { for descriptor in [mute, datagrams] { close(descriptor) } }
        for descriptor in [mute, datagrams, 4_000] {
            let place = ListeningPlace.inherited(descriptor: descriptor)
            await #expect(throws: ListenFailure(place, .notListening)) {
                try await Lab.run(options([place]), try Self.upstream()) { _ in }
            }
        }
    }
}
