import Ledger
import NIOCore
import Primitives
import SystemCrypto
import TestSupport
import Testing
import Transport

@testable import Payments
@testable import Proxy

@Suite("What entitles an agent to a tunnel")
struct TunnelRightTests {
    private static let peer = ConnectedPeer.process(PeerIdentity(user: 7, group: 8))
    private static let peers = PeerAgents([.user(7): "scout"])

    private func rules(
        _ gateways: [Gateway] = [], hosts: [ForwardRules.Scope: [String]] = [:], peers: PeerAgents = peers
    ) -> ProxyRules {
        ProxyRules(
            gateways: GatewayTable(gateways), hosts: HostRule(ports: [], more: []),
            forward: ForwardRules(
                hosts: hosts.mapValues { $0.compactMap { HostPattern($0) } }, addresses: AddressGuard()),
            peers: peers)
    }

    private func agents(
        team: String? = nil, tokenHash: Bytes32 = .numbered(1), freezes: [FreezeScope] = []
    ) -> AgentRegistry {
        AgentRegistry(
            generation: 1,
            agents: [Agent(name: "scout", wallet: nil, team: team, tokenHash: tokenHash, addedAt: .vectors)],
            freezes: freezes.map { Freeze(scope: $0, since: .vectors, actor: "op", reason: nil) })
    }

    private func tunnel(
        to host: String = "api.example.com", _ port: Int = 443, caller: Caller = .peer(peer, agent: "scout"),
        certificateEnd: Int64? = nil
    ) throws -> TunnelRight {
        TunnelRight(
            kind: .tunnel, agent: "scout", caller: caller, certificateEnd: certificateEnd,
            destination: .host(try #require(HostName(host)), port: port))
    }

    private func switched(to gateway: Gateway) -> TunnelRight {
        TunnelRight(
            kind: .switched, agent: "scout", caller: .peer(Self.peer, agent: "scout"), certificateEnd: nil,
            destination: .gateway(gateway))
    }

    @Test("a host may be listed for the house, the agent or its team of now")
    func listed() throws {
        let right = try tunnel()
        for (hosts, team, holds) in [
            ([.house: ["api.example.com"]], nil, true), ([.agent("scout"): ["*.example.com"]], nil, true),
            ([.agent("other"): ["*"]], nil, false), ([.team("red"): ["*"]], "red", true),
            ([.team("red"): ["*"]], "blue", false), ([.house: ["api.example.com:8443"]], nil, false), ([:], nil, false),
        ] as [([ForwardRules.Scope: [String]], String?, Bool)] {
            let ending = right.ending(under: rules(hosts: hosts), agents: agents(team: team), at: 0)
            #expect(ending == (holds ? nil : .hostNotListed))
        }
    }

    @Test("whom `peers` maps otherwise now, or whose token is another, has no tunnel")
    func callers() throws {
        let hosts: [ForwardRules.Scope: [String]] = [.house: ["*"]]
        let mapped = try tunnel()
        #expect(mapped.ending(under: rules(hosts: hosts), agents: agents(tokenHash: .numbered(2)), at: 0) == nil)
        for peers in [PeerAgents.none, PeerAgents([.user(7): "other"])] {
            let ending = mapped.ending(under: rules(hosts: hosts, peers: peers), agents: agents(), at: 0)
            #expect(ending == .peerNotMapped)
        }
        var head = try RequestHead.sample(token: token)
        let credential = try AgentCredential.find(in: head.fields)
        head = try RequestHead.sample()
        let right = try tunnel(caller: .token(credential))
        #expect(right.ending(under: rules(hosts: hosts), agents: agents(tokenHash: credential.hash), at: 0) == nil)
        #expect(right.ending(under: rules(hosts: hosts), agents: agents(), at: 0) == .tokenReplaced)
        let none = AgentRegistry(generation: 1, agents: [], freezes: [])
        #expect(right.ending(under: rules(hosts: hosts), agents: none, at: 0) == .agentRemoved)
    }

    @Test("a certificate counts up to its last second")
    func certificate() throws {
        let right = try tunnel(certificateEnd: 100)
        let rules = rules(hosts: [.house: ["*"]])
        #expect(right.ending(under: rules, agents: agents(), at: 100) == nil)
        #expect(right.ending(under: rules, agents: agents(), at: 101) == .certificateExpired)
    }

    @Test("a freeze of a gateway counts for tunnels to its address, when every gateway there is frozen")
    func freezes() throws {
        let gateways = [Gateway.sample("one", basePath: "/1"), .sample("two", basePath: "/2")]
        let rules = rules(gateways, hosts: [.house: ["*"]])
        func word(_ right: TunnelRight, _ scopes: [FreezeScope]) -> String? {
            right.ending(under: rules, agents: agents(freezes: scopes), at: 0)?.word
        }
        let there = try tunnel()
        #expect(word(there, [.gateway("one")]) == nil)
        #expect(word(there, [.gateway("one"), .gateway("two")]) == "frozen")
        #expect(word(switched(to: gateways[0]), [.gateway("one")]) == "frozen")
        #expect(word(switched(to: gateways[1]), [.gateway("one")]) == nil)
        let elsewhere = try tunnel(to: "other.example")
        #expect(word(elsewhere, [.gateway("one"), .gateway("two")]) == nil)
        #expect(word(elsewhere, [.agent("other")]) == nil)
        for scope in [FreezeScope.everything, .agent("scout")] { #expect(word(elsewhere, [scope]) == "frozen") }
    }

    @Test("a gateway is the same while its address, base path, key and billing are")
    func gateways() throws {
        func gateway(
            host: String = "a.example", path: String = "/v1", key: String? = "k",
            _ field: Gateway.Credential.Field = .authorization
        ) throws -> Gateway {
            .sample(host: host, basePath: path, credential: try key.map { try .sample(field, $0) })
        }
        let right = switched(to: try gateway())
        func ending(_ gateway: Gateway) -> TunnelEnding? {
            right.ending(under: rules([gateway]), agents: agents(), at: 0)
        }
        #expect(try ending(gateway()) == nil)
        for other in [
            try gateway(host: "b.example"), try gateway(path: "/v2"), try gateway(key: "l"), try gateway(key: "kk"),
            try gateway(key: nil), try gateway(.xAPIKey),
        ] {
            #expect(ending(other) == .gatewayChanged)
        }
        #expect(ending(.sample("other")) == .gatewayRemoved)
    }
}
