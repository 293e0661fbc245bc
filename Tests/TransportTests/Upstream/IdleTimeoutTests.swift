import NIOCore
import Testing

@testable import Transport

@Suite("How long idle connections are trusted")
struct IdleTimeoutTests {
    private let now = NIODeadline.now()

    @Test("two minutes, or a second less than the server says, but never less than a second")
    func hints() {
        let timeout = IdleTimeout()
        #expect(timeout.trust(hint: nil, at: now) == .seconds(119))
        #expect(timeout.trust(hint: .seconds(5), at: now) == .seconds(4))
        #expect(timeout.trust(hint: .seconds(3600), at: now) == .seconds(119))
        #expect(timeout.trust(hint: .seconds(0), at: now) == .seconds(1))
    }

    @Test("a server that closes an idle connection shows its time-out, which is remembered for ten minutes")
    func shown() {
        var timeout = IdleTimeout()
        timeout.serverClosed(after: .seconds(5), at: now)
        #expect(timeout.trust(hint: nil, at: now) == .seconds(4))
        #expect(timeout.trust(hint: .seconds(75), at: now) == .seconds(4))
        #expect(timeout.trust(hint: .seconds(3), at: now) == .seconds(2))
        #expect(timeout.trust(hint: nil, at: now + .minutes(10)) == .seconds(119))
    }

    @Test("of several that are closed the oldest says most, as at a restart")
    func restart() {
        var timeout = IdleTimeout()
        for seconds in [1, 40, 7] as [Int64] { timeout.serverClosed(after: .seconds(seconds), at: now) }
        #expect(timeout.trust(hint: nil, at: now) == .seconds(39))
        timeout.serverClosed(after: .seconds(9), at: now + .minutes(11))
        #expect(timeout.trust(hint: nil, at: now + .minutes(11)) == .seconds(8))
    }
}

@Suite("What is remembered about origins")
struct OriginMemoryTests {
    private func origin(_ number: Int) -> Origin { Origin(isSecure: true, host: "host\(number).test", port: 443) }

    @Test("what is learned about one host more than is remembered takes the place of what was learned longest ago")
    func oldest() {
        var memory = OriginMemory<Int>()
        func destination(_ number: Int) -> Destination { Destination(origin(number), chosenBy: .gateway("lab")) }
        for number in 0..<64 { memory[destination(number)] = 1 }
        memory[destination(0)] = 2
        memory[destination(64)] = 3
        #expect(memory[destination(0)] == 2 && memory[destination(64)] == 3 && memory[destination(1)] == nil)
        #expect(memory[destination(2)] == 1)
        memory[destination(0)] = nil
        memory[destination(1)] = 4
        #expect(memory[destination(2)] == 1 && memory[destination(1)] == 4)
    }

    @Test("an agent that names many hosts makes nobody else forget")
    func apart() {
        var memory = OriginMemory<Int>()
        let (first, second) = (ConnectionOwner(high: 1, low: 1), ConnectionOwner(high: 1, low: 2))
        let gateway = Destination(origin(0), chosenBy: .gateway("lab"))
        let others = Destination(origin(0), chosenBy: .agent(second, rules: 0))
        memory[gateway] = 1
        memory[others] = 2
        for number in 0..<1000 { memory[Destination(origin(number), chosenBy: .agent(first, rules: 0))] = 3 }
        #expect(memory[gateway] == 1 && memory[others] == 2)
        #expect(memory[Destination(origin(999), chosenBy: .agent(first, rules: 0))] == 3)
        #expect(memory[Destination(origin(0), chosenBy: .agent(first, rules: 0))] == nil)
        #expect(memory[Destination(origin(0), chosenBy: .agent(first, rules: 1))] == nil)
        memory[others] = nil
        #expect(memory[others] == nil)
        memory.forgetAgents()
        #expect(memory[gateway] == 1 && memory[Destination(origin(999), chosenBy: .agent(first, rules: 0))] == nil)
    }
}

@Suite("How far away the other end of a connection is")
struct ConnectionReachTests {
    @Test(
        "what may lead back without the public internet: this machine and what is not public",
        arguments: [
            ("127.0.0.1", "127.0.0.1", true, true), ("127.0.0.1", "127.0.0.2", true, true), ("::1", "::1", true, true),
            ("10.0.0.7", "10.0.0.7", true, true), ("10.0.0.7", "10.0.0.8", true, false),
            ("10.0.0.7", "192.168.1.1", true, false), ("fd00::1", "fd00::2", true, false),
            ("10.0.0.7", "1.1.1.1", false, false), ("10.0.0.7", "8.8.8.8", false, false),
            ("1.1.1.1", "1.1.1.1", true, true), ("2606:4700::1", "2606:4700::2", false, false),
            ("2606:4700::1", "2606:4700::1", true, true),
        ])
    func addresses(local: String, remote: String, mayLeadBack: Bool, isThisMachine: Bool) throws {
        let (local, remote) = (
            try SocketAddress(ipAddress: local, port: 1), try SocketAddress(ipAddress: remote, port: 2)
        )
        #expect(ConnectionReach.mayLeadBack(from: local, to: remote) == mayLeadBack)
        #expect(ConnectionReach.isThisMachine(from: local, to: remote) == isThisMachine)
    }

    @Test("where nothing is known of the other end, it may lead back")
    func unknown() {
        #expect(ConnectionReach.mayLeadBack(from: nil, to: nil))
        #expect(!ConnectionReach.isThisMachine(from: nil, to: nil))
    }
}
