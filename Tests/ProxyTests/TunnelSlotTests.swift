import Ledger
import TestSupport
import Testing
import Transport

@testable import Proxy

@Suite("Places of tunnels")
struct TunnelSlotTests {
    private final class Holder: TunnelHolder {
        var begun = 0
        var endings: [TunnelEnding] = []

        func begin() { begun += 1 }
        func end(for ending: TunnelEnding) { endings.append(ending) }
    }

    @Test("books from before a tunnel was opened neither end it nor have it begin")
    func olderBooks() throws {
        let host = try #require(HostName("x"))
        let caller = Caller.peer(.process(PeerIdentity(user: 1, group: 1)), agent: "scout")
        let right = TunnelRight(
            kind: .tunnel, agent: "scout", caller: caller, certificateEnd: nil, destination: .host(host, port: 1))
        let slot = try #require(TunnelSlot(for: right, among: OpenTunnels()))
        let holder = Holder()
        let rules = ProxyRules(
            gateways: GatewayTable([]), hosts: HostRule(ports: [], more: []), forward: loopbackRules(hosts: ["x:1"]),
            peers: PeerAgents([.user(1): "scout"]))
        let agent = Agent(name: "scout", wallet: nil, team: nil, tokenHash: .numbered(1), addedAt: .vectors)
        func review(_ generation: UInt64, _ agents: [Agent]) -> TunnelEnding? {
            let books = AgentRegistry(generation: generation, agents: agents, freezes: [])
            return slot.review(due: .all, rules: rules, agents: books, at: 0)
        }
        slot.open(as: right.entry(under: rules), holder: holder, address: nil, closed: {})
        slot.openedAt = 6
        #expect(review(5, []) == nil && holder.begun == 0)
        #expect(review(5, [agent]) == nil && holder.begun == 0)
        #expect(review(6, [agent]) == nil && review(7, [agent]) == nil && holder.begun == 1)
        #expect(review(8, []) == .agentRemoved && holder.endings == [.agentRemoved])
    }

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
