import Ledger
import Testing
import Transport

@testable import Proxy

@Suite("Places of tunnels")
struct TunnelSlotTests {
    @Test("a place that no tunnel comes of is given back, whoever held it last")
    func givenBack() throws {
        let tunnels = OpenTunnels()
        func slot(_ agent: String) throws -> TunnelSlot? {
            let caller = Caller.peer(.process(PeerIdentity(user: 1, group: 1)), agent: agent)
            let right = TunnelRight(
                kind: .tunnel, agent: agent, caller: caller, certificateEnd: nil,
                destination: .host(try #require(HostName("x")), port: 1))
            return TunnelSlot(for: right, among: tunnels)
        }
        var slots: [TunnelSlot?] = try (0..<TunnelSlot.limit).map { _ in try slot("scout") }
        #expect(slots.allSatisfy { $0 != nil })
        #expect(try slot("scout") == nil)
        #expect(try slot("other") != nil)
        var shared = slots[0]
        slots[0] = nil
        #expect(try slot("scout") == nil)
        shared = nil
        #expect(try shared == nil && slot("scout") != nil)
        #expect(tunnels.snapshot.count == 0)
    }
}
