import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("Idle connections of one event loop")
struct IdleConnectionsTests {
    private let owner = ConnectionOwner(high: 1, low: 2)

    private func destination(_ number: Int) -> Destination {
        Destination(
            Origin(isSecure: false, host: "host\(number).test", port: 80), chosenBy: .agent(owner, rules: 0))
    }

    @Test("an agent that names many hosts leaves no room taken for each of them")
    func shelves() {
        let idle = IdleConnections(loop: EmbeddedEventLoop(), bound: IdleBound())
        for number in 0..<10_000 {
            _ = idle.shelf(for: destination(number), owner: owner)
            #expect(idle.shelfCount <= 65)
        }
    }

    @Test("a connection that was parked counts as used before, whether it has carried anything or not")
    func parked() throws {
        let loop = EmbeddedEventLoop()
        let pool = UpstreamPool(
            loop: loop, tls: try TLSClientContext(trustFile: nil), deadlines: DeadlineSweep(loop: loop))
        let idle = IdleConnections(loop: loop, bound: IdleBound())
        let connection = UpstreamConnection(destination(1), pool: pool) { _ in }
        #expect(!connection.isReused)
        connection.assign(to: idle.shelf(for: destination(1), owner: nil), idleLimit: 4)
        connection.park()
        #expect(connection.isReused)
    }
}
