import NIOCore
import Testing

@testable import Proxy

@Suite("Handshakes by address and second")
struct HandshakePaceTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let loopback: [UInt8] = [127, 0, 0, 1]

    private static func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    /// How many of `count` hellos at once are let through.
    private static func take(
        _ count: Int, from address: [UInt8], pass: String? = nil, at now: NIODeadline, _ pace: inout HandshakePace
    ) -> Int {
        (0..<count).count { _ in pace.take(from: address, pass: pass, at: now) != nil }
    }

    @Test("an address begins 128 handshakes at once, and 64 a second after that")
    func address() {
        var pace = HandshakePace()
        let hellos: [([UInt8], Int64)] = [
            (Self.loopback, 0), (Self.loopback, 1000), ([10, 0, 0, 1], 1000), (Self.loopback, 60_000),
        ]
        let begun = hellos.map { Self.take(1000, from: $0.0, at: Self.at($0.1), &pace) }
        #expect(begun == [128, 64, 128, 128])
    }

    @Test(
        "strangers at many addresses begin 512 at once in all, and an address that proved a certificate still has its own"
    )
    func addresses() throws {
        var pace = HandshakePace()
        let first = pace.take(from: [10, 0, 0, 1], pass: nil, at: Self.at(0))
        let grant = try #require(first)
        pace.proved("scout", from: [10, 0, 0, 1], by: grant, at: Self.at(0))
        let begun = (0..<5000).count {
            pace.take(from: [UInt8($0 >> 8), UInt8($0 & 255)], pass: nil, at: Self.at(0)) != nil
        }
        #expect(begun == 512)
        let stranger = pace.take(from: [9, 9, 9, 9], pass: nil, at: Self.at(0))
        let known = pace.take(from: [10, 0, 0, 1], pass: nil, at: Self.at(0))
        #expect(stranger == nil && known == .address(isKnown: true))
        // The address is known for an hour.
        let late = Self.at(3_600_001)
        let others = (0..<600).count {
            pace.take(from: [7, UInt8($0 & 255), UInt8($0 >> 8)], pass: nil, at: late) != nil
        }
        let forgotten = pace.take(from: [10, 0, 0, 1], pass: nil, at: late)
        #expect(others == 512 && forgotten == nil)
    }

    @Test("a known agent is not shut out by strangers at the same address: its ticket has a share of its own")
    func passes() {
        var pace = HandshakePace()
        _ = Self.take(100_000, from: Self.loopback, at: Self.at(0), &pace)
        let grants = [nil, "scout", "miner"].map { pace.take(from: Self.loopback, pass: $0, at: Self.at(0)) }
        #expect(grants == [nil, .pass, .pass])
    }

    @Test("a ticket begins no more than its certificate's 64 at once and 32 a second, and leaves other tickets theirs")
    func copiedPass() {
        var pace = HandshakePace()
        _ = Self.take(1000, from: Self.loopback, at: Self.at(0), &pace)
        let hellos: [([UInt8], String)] = [
            (Self.loopback, "copied"), (Self.loopback, "scout"), ([1, 1, 1, 1], "copied"),
        ]
        let begun = hellos.map { Self.take(1000, from: $0.0, pass: $0.1, at: Self.at(0), &pace) }
        #expect(begun == [64, 64, 128])
    }

    @Test("agents that connect again and again use up nothing of strangers', within 32 a second for each certificate")
    func givenBack() throws {
        var pace = HandshakePace()
        for round in 0..<1000 {
            let now = Self.at(Int64(round) * 40)
            let taken = pace.take(from: Self.loopback, pass: nil, at: now)
            let grant = try #require(taken, "\(round)")
            pace.proved("scout", from: Self.loopback, by: grant, at: now)
        }
        // A certificate that asks for more is taken for a stranger's.
        var begun = 0
        while let grant = pace.take(from: Self.loopback, pass: nil, at: Self.at(100_000)) {
            pace.proved("greedy", from: Self.loopback, by: grant, at: Self.at(100_000))
            begun += 1
        }
        #expect(begun == 128 + 64)
    }

    @Test("an agent begins 128 handshakes in terminated tunnels at once, and takes none of another's")
    func tunnels() {
        var pace = HandshakePace()
        func take(_ agent: String, at now: NIODeadline) -> Int {
            (0..<1000).count { _ in pace.takeTunnel(of: agent, at: now) }
        }
        #expect(take("scout", at: Self.at(0)) == 128)
        #expect(take("miner", at: Self.at(0)) == 128)
        #expect(take("scout", at: Self.at(1000)) == 64)
    }

    @Test("an IPv6 address counts as its /64 network, and an IPv4 address the same in either form")
    func networks() throws {
        func network(_ text: String) throws -> [UInt8] {
            HandshakeCount.network(of: try SocketAddress(ipAddress: text, port: 7))
        }
        #expect(try network("2001:db8:1:2::7") == network("2001:db8:1:2:ffff::"))
        #expect(try network("2001:db8:1:2::7") != network("2001:db8:1:3::7"))
        #expect(try network("::ffff:192.0.2.7") == network("192.0.2.7"))
        #expect(try network("::ffff:192.0.2.7") != network("::ffff:192.0.2.8"))
    }

    @Test("what is remembered of takers goes when it is full again")
    func bounded() {
        var table = RateTable<Int>(Rate(perSecond: 10, burst: 1))
        for taker in 0..<100_000 { _ = table.take(for: taker, at: Self.at(Int64(taker))) }
        #expect(table.count <= 2048)
    }
}
