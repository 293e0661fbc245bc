import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("TLS handler, both ends in memory")
struct TLSHandlerTests {
    @Test("the handshake settles TLS 1.3, AES-128 and http/1.1, and the application hears of it once")
    func handshake() throws {
        let pair = try TLSPair()
        try pair.connect()
        let summary = TLSHandshakeSummary(
            alpn: "http/1.1", protocolVersion: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256", isResumed: false)
        #expect(pair.client.recorder.milestones == [.active, .handshake(summary)])
        #expect(pair.server.recorder.milestones == [.active, .handshake(summary)])
    }

    @Test("a handler added to an active channel starts at once")
    func lateHandler() throws {
        let context = try TLSClientContext.fresh()
        let channel = EmbeddedChannel()
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.embeddedEventLoop.run()
        try channel.pipeline.syncOperations.addHandler(context.makeClientHandler(serverName: "localhost", port: 1))
        let hello = try #require(try channel.readOutbound(as: ByteBuffer.self))
        // A handshake record (RFC 8446, section 5.1).
        #expect(hello.getInteger(at: 0, as: UInt8.self) == 22)
    }

    @Test("one byte at a time, handshake, both directions and close")
    func drip() throws {
        let pair = try TLSPair()
        try pair.activate()
        try pair.pump(step: 1)
        #expect(pair.client.recorder.handshake != nil)
        let request = patternedBytes(20_000)
        let response = patternedBytes(40_000)
        pair.client.channel.writeAndFlush(request, promise: nil)
        pair.server.channel.writeAndFlush(response, promise: nil)
        try pair.pump(step: 1)
        #expect(pair.server.recorder.bytes == request)
        #expect(pair.client.recorder.bytes == response)
        pair.server.channel.close(promise: nil)
        try pair.pump(step: 1)
        #expect(pair.client.recorder.milestones.suffix(2) == [.closeNotify, .inactive])
        #expect(pair.client.recorder.failures.isEmpty)
    }

    @Test("8 MiB each way at once arrive whole", arguments: [1 << 23, 100_003, 1_000])
    func bulk(writeSize: Int) throws {
        let pair = try TLSPair()
        try pair.connect()
        let payload = patternedBytes(1 << 23)
        for end in [pair.client, pair.server] {
            var rest = payload
            while let piece = rest.readSlice(length: min(writeSize, max(1, rest.readableBytes))) {
                end.channel.write(piece, promise: nil)
            }
            end.channel.flush()
        }
        try pair.pump()
        #expect(pair.client.recorder.bytes == payload)
        #expect(pair.server.recorder.bytes == payload)
    }

    // MARK: Names

    @Test(
        "a certificate for the name is accepted",
        arguments: [
            (TLSCertificates.Leaf.localhost, "localhost"), (.localhost, "LOCALHOST."), (.address, "127.0.0.1"),
            (.address, "::1"), (.address, "[::1]"), (.wildcard, "a.wild.test"),
        ])
    func acceptedName(leaf: TLSCertificates.Leaf, name: String) throws {
        let pair = try TLSPair(leaf, name: name)
        try pair.connect()
        #expect(pair.client.recorder.handshake != nil)
        #expect(pair.client.recorder.failures.isEmpty)
    }

    @Test(
        "a certificate that does not hold is rejected, for the right reason",
        arguments: [
            (TLSCertificates.Leaf.other, "localhost", TLSCertificateFault.wrongName),
            (.localhost, "other.test", .wrongName), (.localhost, "127.0.0.1", .wrongName),
            (.address, "127.0.0.2", .wrongName), (.address, "localhost", .wrongName),
            (.wildcard, "wild.test", .wrongName), (.wildcard, "a.b.wild.test", .wrongName),
            (.partialWildcard, "foo.part.test", .wrongName), (.commonName, "localhost", .wrongName),
            (.expired, "localhost", .expired), (.future, "localhost", .notYetValid),
            (.selfSigned, "localhost", .selfSigned), (.stranger, "localhost", .untrustedIssuer),
        ])
    func rejectedCertificate(leaf: TLSCertificates.Leaf, name: String, fault: TLSCertificateFault) throws {
        let pair = try TLSPair(leaf, name: name)
        try pair.activate()
        let early = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.writeAndFlush(ByteBuffer(string: "secret"), promise: early)
        try pair.pump()
        let error = TLSError.certificateRejected(name: try TLSServerName(name).text, fault: fault)
        #expect(pair.client.recorder.milestones == [.active, .failure(error), .inactive])
        #expect(throws: error) { try early.futureResult.wait() }
        #expect(pair.server.recorder.bytes.readableBytes == 0)
        // The server learns why from our alert.
        #expect(pair.server.recorder.failures.count == 1)
    }

    @Test("SNI carries names and no addresses", arguments: [("localhost", true), ("127.0.0.1", false)])
    func serverNameIndication(name: String, isSent: Bool) throws {
        let pair = try TLSPair(name: name)
        try pair.client.activate()
        let hello = try pair.client.takeOutput()
        #expect((hello.readableBytesView.firstRange(of: Array(name.utf8)) != nil) == isSent)
    }

    // MARK: The end of a connection

    @Test("close_notify and truncation are told apart", arguments: [true, false])
    func truncation(isAnnounced: Bool) throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.server.channel.writeAndFlush(ByteBuffer(string: "partial"), promise: nil)
        try pair.pump()
        if isAnnounced {
            pair.server.channel.close(promise: nil)
            try pair.pump()
        }
        pair.client.endInput()
        #expect(pair.client.recorder.bytes == ByteBuffer(string: "partial"))
        let ending = isAnnounced ? TLSSeen.closeNotify : .failure(.truncated)
        #expect(pair.client.recorder.milestones.dropFirst(2).prefix(2) == [ending, .inactive])
    }

    @Test("a connection that is cut off says no goodbye, and fails what it did not send")
    func cutOff() throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.server.channel.writeAndFlush(ByteBuffer(string: "partial"), promise: nil)
        try pair.pump()
        let unsent = pair.server.channel.eventLoop.makePromise(of: Void.self)
        pair.server.channel.write(ByteBuffer(string: "lost"), promise: unsent)
        pair.server.channel.triggerUserOutboundEvent(TLSCutOff(), promise: nil)
        #expect(throws: ChannelError.ioOnClosedChannel) { try unsent.futureResult.wait() }
        #expect(try pair.server.takeOutput().readableBytes == 0)
        pair.client.endInput()
        #expect(pair.client.recorder.bytes == ByteBuffer(string: "partial"))
        #expect(pair.client.recorder.failures == [.truncated])
        #expect(pair.server.recorder.failures.isEmpty)
    }

    @Test("half a record before the end is a truncation and none of it is delivered")
    func truncatedRecord() throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.server.channel.writeAndFlush(patternedBytes(1000), promise: nil)
        var record = try pair.server.takeOutput()
        record.moveWriterIndex(to: record.writerIndex - 1)
        pair.client.receive(record)
        pair.client.endInput()
        #expect(pair.client.recorder.bytes.readableBytes == 0)
        #expect(pair.client.recorder.failures == [.truncated])
    }

    @Test("data, close_notify and FIN in one read arrive in that order")
    func allAtOnce() throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.server.channel.writeAndFlush(ByteBuffer(string: "all"), promise: nil)
        pair.server.channel.close(promise: nil)
        pair.client.channel.pipeline.fireChannelRead(try pair.server.takeOutput())
        pair.client.endInput()
        #expect(
            pair.client.recorder.seen.suffix(3) == [.bytes(ByteBuffer(string: "all")), .closeNotify, .inactive])
    }

    @Test("with half-closure a bare FIN is a truncation and an announced one is not", arguments: [true, false])
    func halfClosure(isAnnounced: Bool) throws {
        let pair = try TLSPair()
        try pair.connect()
        if isAnnounced {
            pair.server.channel.close(promise: nil)
            pair.client.channel.pipeline.fireChannelRead(try pair.server.takeOutput())
        }
        pair.client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        pair.client.channel.embeddedEventLoop.run()
        #expect(pair.client.recorder.failures == (isAnnounced ? [] : [.truncated]))
        #expect(pair.client.recorder.seen.last == .inactive)
    }

    @Test("a peer that vanishes after any byte of the handshake is one clean error")
    func killedDuringHandshake() throws {
        let whole = try TLSPair()
        try whole.activate()
        let flight = try {
            whole.server.receive(try whole.client.takeOutput()); return try whole.server.takeOutput()
        }()
        for length in stride(from: 0, to: flight.readableBytes, by: 7) {
            let pair = try TLSPair()
            try pair.activate()
            let early = pair.client.channel.eventLoop.makePromise(of: Void.self)
            pair.client.channel.writeAndFlush(ByteBuffer(string: "early"), promise: early)
            pair.server.receive(try pair.client.takeOutput())
            var answer = try pair.server.takeOutput()
            // Signatures differ in length by a byte or two from one handshake to the next.
            guard length < answer.readableBytes - 8 else { break }
            pair.client.receive(answer.readSlice(length: length) ?? ByteBuffer())
            pair.client.endInput()
            pair.server.endInput()
            #expect(pair.client.recorder.milestones == [.active, .failure(.handshakeInterrupted), .inactive])
            #expect(pair.server.recorder.milestones == [.active, .failure(.handshakeInterrupted), .inactive])
            #expect(throws: TLSError.handshakeInterrupted) { try early.futureResult.wait() }
        }
    }

    @Test("a flipped bit anywhere in the server's flight never completes a handshake")
    func corruptedHandshake() throws {
        for position in stride(from: 0, to: 900, by: 13) {
            let pair = try TLSPair()
            try pair.activate()
            pair.server.receive(try pair.client.takeOutput())
            var flight = try pair.server.takeOutput()
            guard let byte = flight.getInteger(at: position, as: UInt8.self) else { break }
            flight.setInteger(byte ^ 0x10, at: position)
            pair.client.receive(flight)
            pair.client.endInput()
            #expect(pair.client.recorder.handshake == nil, "position \(position)")
            #expect(pair.client.recorder.failures.count == 1, "position \(position)")
        }
    }

    @Test("a flipped bit in a record is a violation, and later bytes are ignored")
    func corruptedRecord() throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.server.channel.writeAndFlush(patternedBytes(100), promise: nil)
        var record = try pair.server.takeOutput()
        record.setInteger(UInt8(0), at: record.readableBytes - 1)
        record.setInteger(UInt8(0), at: record.readableBytes - 2)
        pair.client.receive(record)
        pair.client.receive(ByteBuffer(string: "more"))
        #expect(pair.client.recorder.bytes.readableBytes == 0)
        #expect(pair.client.recorder.failures.count == 1)
        #expect(pair.client.recorder.seen.last == .inactive)
    }

    @Test("a closed connection leaves nothing behind", arguments: [true, false])
    func released(isFinished: Bool) throws {
        weak var handler: TLSHandler?
        do {
            let made = try TLSClientContext.fresh().makeClientHandler(serverName: "localhost", port: 1)
            handler = made
            let pair = try TLSPair(client: made, server: TLSServerContext.presenting(.localhost).makeServerHandler())
            try pair.activate()
            if isFinished { try pair.pump() }
            pair.client.channel.close(promise: nil)
            pair.client.channel.embeddedEventLoop.run()
        }
        #expect(handler == nil)
    }

    @Test("something else than TLS on the other side is a failed handshake")
    func plainPeer() throws {
        let pair = try TLSPair()
        try pair.client.activate()
        pair.client.receive(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        guard case .handshakeFailed? = pair.client.recorder.failures.first else {
            Issue.record("\(pair.client.recorder.failures)")
            return
        }
    }
}
