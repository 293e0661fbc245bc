import Testing

@testable import Proxy

@Suite("Places of tunnels")
struct TunnelSlotTests {
    @Test("a place that no tunnel comes of is given back, whoever held it last")
    func givenBack() throws {
        let count = CountByAgent()
        var slots: [TunnelSlot?] = (0..<TunnelSlot.limit).map { _ in TunnelSlot(of: count, agent: "scout", target: "x")
        }
        #expect(slots.allSatisfy { $0 != nil })
        #expect(TunnelSlot(of: count, agent: "scout", target: "x") == nil)
        #expect(TunnelSlot(of: count, agent: "other", target: "x") != nil)
        var shared = slots[0]
        slots[0] = nil
        #expect(TunnelSlot(of: count, agent: "scout", target: "x") == nil)
        shared = nil
        #expect(shared == nil && TunnelSlot(of: count, agent: "scout", target: "x") != nil)
    }
}
