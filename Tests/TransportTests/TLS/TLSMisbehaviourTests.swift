import COpenSSL
import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("TLS peers that misbehave")
struct TLSMisbehaviourTests {
    private func connectedClient(to peer: TLSScriptedPeer) throws -> TLSEnd {
        let client = try TLSEnd(TLSClientContext.fresh().makeClientHandler(serverName: "localhost", port: 1))
        try client.activate()
        try peer.pump(with: client)
        return client
    }

    @Test("a server's wish to renegotiate is refused and changes nothing")
    func serverRenegotiation() throws {
        let peer = try TLSScriptedPeer(.init(side: .server, newest: TLS1_2_VERSION))
        let client = try connectedClient(to: peer)
        #expect(client.recorder.handshake?.protocolVersion == "TLSv1.2")
        #expect(client.recorder.handshake?.cipherSuite == "ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(peer.renegotiate() == nil)
        client.receive(peer.takeOutput())
        peer.receive(try client.takeOutput())
        #expect(peer.read() == SSL_R_NO_RENEGOTIATION)
        #expect(client.recorder.failures.isEmpty)
        #expect(client.recorder.milestones.count == 2)
    }

    @Test("a client's attempt to renegotiate is refused")
    func clientRenegotiation() throws {
        let peer = try TLSScriptedPeer(.init(side: .client, newest: TLS1_2_VERSION))
        let server = try TLSEnd(TLSServerContext.presenting(.localhost).makeServerHandler())
        try server.activate()
        try peer.pump(with: server)
        #expect(server.recorder.handshake?.protocolVersion == "TLSv1.2")
        #expect(peer.renegotiate() == nil)
        server.receive(peer.takeOutput())
        peer.receive(try server.takeOutput())
        #expect(peer.step() == SSL_R_NO_RENEGOTIATION)
        #expect(server.recorder.milestones.count == 2)
    }

    @Test("an application protocol that was not offered is refused")
    func unofferedProtocol() throws {
        let context = try TLSScriptedPeer.Context(side: .server, newest: TLS1_3_VERSION)
        context.selectUnofferedProtocol()
        let client = try connectedClient(to: TLSScriptedPeer(context))
        #expect(client.recorder.handshake == nil)
        guard case .handshakeFailed? = client.recorder.failures.first else {
            Issue.record("\(client.recorder.failures)")
            return
        }
    }

    @Test("key updates are answered", arguments: [1, 8, 32])
    func keyUpdates(count: Int) throws {
        let peer = try TLSScriptedPeer(.init(side: .server, newest: TLS1_3_VERSION))
        let client = try connectedClient(to: peer)
        for _ in 0..<count { peer.updateKeys() }
        client.receive(peer.takeOutput())
        #expect(client.recorder.failures.isEmpty)
        peer.receive(try client.takeOutput())
        #expect(peer.read() == nil)
    }

    @Test("reject- key updates without end, also of a peer that reads the answers", arguments: [true, false])
    func endlessKeyUpdates(isReading: Bool) throws {
        let peer = try TLSScriptedPeer(.init(side: .server, newest: TLS1_3_VERSION))
        let client = try connectedClient(to: peer)
        client.channel.isWritable = isReading
        for _ in 0..<4000 { peer.updateKeys() }
        client.receive(peer.takeOutput())
        #expect(client.recorder.failures == [.protocolViolation(reason: TLSUpkeep.reason)])
        // Each answer is a record of 22 bytes and more: what came after the last one that was allowed was not looked at.
        #expect(try client.takeOutput().readableBytes < 40 * 2 * TLSUpkeep.allowance)
    }

    @Test("data pays for key updates: one more step for each 16 KiB")
    func paidKeyUpdates() {
        var upkeep = TLSUpkeep()
        for _ in 0..<1000 { upkeep.noteStep() }
        #expect(!upkeep.isExceeded)
        upkeep.begin()
        for _ in 0..<TLSUpkeep.allowance { upkeep.noteStep() }
        #expect(!upkeep.isExceeded)
        upkeep.noteStep()
        #expect(upkeep.isExceeded)
        upkeep.noteBytes(16 * 1024)
        #expect(!upkeep.isExceeded)
    }

    @Test("a protocol older than TLS 1.2 is refused")
    func oldProtocol() throws {
        let peer = try TLSScriptedPeer(.init(side: .server, newest: TLS1_1_VERSION))
        let client = try connectedClient(to: peer)
        guard case .handshakeFailed? = client.recorder.failures.first else {
            Issue.record("\(client.recorder.failures)")
            return
        }
    }
}
