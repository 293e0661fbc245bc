import COpenSSL
import NIOCore
import Testing

@testable import Transport

@Suite("TLS sessions")
struct TLSSessionTests {
    private func origin(_ number: Int) throws -> TLSOrigin {
        TLSOrigin(name: try TLSServerName("host\(number).test"), port: 443)
    }

    @Test("a second connection to the same origin resumes, and each ticket is used once")
    func resumption() throws {
        let context = try TLSClientContext.fresh()
        let server = try TLSServerContext.presenting(.localhost)
        var resumed: [Bool] = []
        for _ in 0..<3 {
            let pair = try TLSPair(context: context, server: server)
            try pair.connect()
            let isResumed = try #require(pair.client.recorder.handshake).isResumed
            #expect(pair.server.recorder.handshake?.isResumed == isResumed)
            resumed.append(isResumed)
            // A connection that just drops must not spoil the sessions it brought.
            pair.client.endInput()
        }
        #expect(resumed == [false, true, true])
    }

    @Test("tickets of one connection serve as many parallel ones, and then no more")
    func parallelResumption() throws {
        let context = try TLSClientContext.fresh()
        let server = try TLSServerContext.presenting(.localhost)
        try TLSPair(context: context, server: server).connect()
        // libssl's servers hand out two tickets.
        let parallel = try (0..<3).map { _ in try TLSPair(context: context, server: server) }
        try parallel.forEach { try $0.connect() }
        #expect(parallel.map { $0.client.recorder.handshake?.isResumed } == [true, true, false])
    }

    @Test("another port or another name is another origin")
    func originsAreApart() throws {
        let context = try TLSClientContext.fresh()
        let server = try TLSServerContext.presenting(.wildcard)
        try TLSPair(name: "a.wild.test", port: 1, context: context, server: server).connect()
        for (name, port) in [("a.wild.test", 2), ("b.wild.test", 1)] {
            let pair = try TLSPair(name: name, port: port, context: context, server: server)
            try pair.connect()
            #expect(pair.client.recorder.handshake?.isResumed == false)
        }
    }

    @Test("a TLS 1.2 session resumes more than once")
    func tls12() throws {
        let context = try TLSClientContext.fresh()
        let server = try TLSScriptedPeer.Context(side: .server, newest: TLS1_2_VERSION)
        var resumed: [Bool] = []
        for _ in 0..<3 {
            let peer = try TLSScriptedPeer(server)
            let client = try TLSEnd(context.makeClientHandler(serverName: "localhost", port: 1))
            try client.activate()
            try peer.pump(with: client)
            let summary = try #require(client.recorder.handshake)
            #expect(summary.protocolVersion == "TLSv1.2")
            resumed.append(summary.isResumed)
            client.endInput()
        }
        #expect(resumed == [false, true, true])
    }

    @Test("a failed handshake forgets the origin's sessions")
    func failureForgets() throws {
        let context = try TLSClientContext.fresh()
        let server = try TLSServerContext.presenting(.localhost)
        try TLSPair(context: context, server: server).connect()
        let failing = try TLSPair(context: context, server: server)
        try failing.activate()
        failing.client.endInput()
        let next = try TLSPair(context: context, server: server)
        try next.connect()
        #expect(next.client.recorder.handshake?.isResumed == false)
    }

    @Test("a server that lost its ticket keys gets a full handshake")
    func forgottenKeys() throws {
        let context = try TLSClientContext.fresh()
        try TLSPair(context: context).connect()
        let pair = try TLSPair(context: context)
        try pair.connect()
        #expect(pair.client.recorder.handshake?.isResumed == false)
    }

    @Test("the table gives the newest first, single-use sessions once, and others again")
    func order() throws {
        var table = TLSSessionTable<Int>()
        let (origin, now) = (try origin(1), NIODeadline.now())
        table.store(1, isSingleUse: false, for: origin, now: now)
        table.store(2, isSingleUse: true, for: origin, now: now)
        #expect((0..<3).map { _ in table.take(for: origin, now: now) } == [2, 1, 1])
        table.removeAll(for: origin)
        #expect(table.take(for: origin, now: now) == nil)
    }

    @Test("the table keeps its bounds: sessions per origin, origins by last use, age")
    func bounds() throws {
        var table = TLSSessionTable<Int>(originLimit: 2, sessionsPerOrigin: 2, lifetime: .seconds(10))
        let now = NIODeadline.now()
        for session in 1...3 { table.store(session, isSingleUse: true, for: try origin(1), now: now) }
        table.store(4, isSingleUse: false, for: try origin(2), now: now + .seconds(5))
        #expect(table.take(for: try origin(1), now: now) == 3)
        table.store(5, isSingleUse: true, for: try origin(3), now: now)
        #expect(table.take(for: try origin(2), now: now) == nil)
        #expect(table.take(for: try origin(1), now: now + .seconds(9)) == 2)
        #expect(table.take(for: try origin(1), now: now) == nil)
        #expect(table.take(for: try origin(3), now: now + .seconds(10)) == nil)
    }

    @Test("the table forgets first what those chose who chose most, and gives nobody another's session")
    func choices() throws {
        var table = TLSSessionTable<Int>(originLimit: 4, sessionsPerOrigin: 1, lifetime: .seconds(10))
        let now = NIODeadline.now()
        func origin(_ number: Int, _ choice: Destination.Choice) throws -> TLSOrigin {
            TLSOrigin(name: try TLSServerName("host\(number).test"), port: 443, choice: choice)
        }
        let agent = Destination.Choice.agent(ConnectionOwner(high: 1, low: 2), rules: 0)
        table.store(1, isSingleUse: false, for: try origin(1, .gateway("lab")), now: now)
        for number in 1...50 { table.store(number, isSingleUse: false, for: try origin(number, agent), now: now) }
        #expect(table.take(for: try origin(1, .gateway("lab")), now: now) == 1)
        #expect(table.take(for: try origin(1, .gateway("other")), now: now) == nil)
        #expect(table.take(for: try origin(50, agent), now: now) == 50)
        #expect(table.take(for: try origin(1, agent), now: now) == nil)
    }
}
