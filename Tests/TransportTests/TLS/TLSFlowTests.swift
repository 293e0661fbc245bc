import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("TLS handler: promises, back pressure, closing")
struct TLSFlowTests {
    @Test("writes made before the handshake arrive in order and their promises wait for the socket")
    func earlyWrites() throws {
        let pair = try TLSPair()
        var isDone: [Int] = []
        for number in 0..<3 {
            let promise = pair.client.channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { isDone.append(number) }
            pair.client.channel.write(ByteBuffer(string: "\(number)"), promise: promise)
        }
        pair.client.recorder.onEvent = { entry, context in
            guard case .handshake = entry else { return }
            context.writeAndFlush(NIOAny(ByteBuffer(string: "3")), promise: nil)
        }
        try pair.activate()
        #expect(isDone.isEmpty)
        try pair.pump()
        #expect(isDone == [0, 1, 2])
        #expect(pair.server.recorder.bytes == ByteBuffer(string: "0123"))
    }

    @Test("a promise succeeds with the flush and not before; an empty write counts")
    func promiseFollowsFlush() throws {
        let pair = try TLSPair()
        try pair.connect()
        var isDone = 0
        for text in ["a", "", "b"] {
            let promise = pair.client.channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { isDone += 1 }
            pair.client.channel.write(ByteBuffer(string: text), promise: promise)
        }
        #expect(isDone == 0)
        #expect(try pair.client.takeOutput().readableBytes == 0)
        pair.client.channel.flush()
        #expect(isDone == 3)
    }

    @Test("the socket's failure to write is the promise's failure")
    func failedWrite() throws {
        final class BrokenSocket: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
                promise?.fail(ChannelError.ioOnClosedChannel)
            }
        }
        let pair = try TLSPair()
        try pair.connect()
        try pair.client.channel.pipeline.syncOperations.addHandler(BrokenSocket(), position: .first)
        let promise = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.writeAndFlush(patternedBytes(300_000), promise: promise)
        #expect(throws: ChannelError.ioOnClosedChannel) { try promise.futureResult.wait() }
    }

    @Test("small writes share one piece of ciphertext and one flush")
    func coalescing() throws {
        let pair = try TLSPair()
        try pair.connect()
        let (writes, flushes) = (pair.client.socket.writes, pair.client.socket.flushes)
        for _ in 0..<50 { pair.client.channel.write(ByteBuffer(string: "piece"), promise: nil) }
        pair.client.channel.flush()
        #expect(pair.client.socket.writes - writes == 1)
        #expect(pair.client.socket.flushes - flushes == 1)
    }

    @Test("unflushed ciphertext reaches the channel in pieces, so that writability counts it")
    func unflushedBulk() throws {
        let pair = try TLSPair()
        try pair.connect()
        let writes = pair.client.socket.writes
        pair.client.channel.write(patternedBytes(1 << 20), promise: nil)
        #expect(pair.client.socket.writes - writes >= 16)
    }

    @Test("a write made while ciphertext is handed on keeps its place")
    func reentrantWrite() throws {
        final class Echoing: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var onWrite: (() -> Void)?
            func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
                context.write(data, promise: promise)
                let action = onWrite
                onWrite = nil
                action?()
            }
        }
        let pair = try TLSPair()
        try pair.connect()
        let echoing = Echoing()
        try pair.client.channel.pipeline.syncOperations.addHandler(echoing, position: .first)
        echoing.onWrite = { [channel = pair.client.channel] in channel.write(ByteBuffer(string: "last"), promise: nil) }
        var expected = patternedBytes(500_000)
        pair.client.channel.writeAndFlush(expected, promise: nil)
        try pair.pump()
        expected.writeString("last")
        #expect(pair.server.recorder.bytes == expected)
    }

    @Test("more early writes than may wait fail the connection, and every promise")
    func earlyWriteLimit() throws {
        let context = try TLSContext(side: .client)
        let connection = try TLSConnection(
            context: context, connectingTo: TLSOrigin(name: TLSServerName("localhost"), port: 1),
            sessions: TLSSessionCache())
        let handler = TLSHandler(connection: connection, pendingWriteLimit: 10)
        let pair = try TLSPair(
            client: handler,
            server: TLSServerContext.presenting(.localhost).makeServerHandler())
        try pair.client.activate()
        let first = pair.client.channel.eventLoop.makePromise(of: Void.self)
        let second = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.write(ByteBuffer(string: "0123456789"), promise: first)
        pair.client.channel.write(ByteBuffer(string: "0"), promise: second)
        pair.client.channel.embeddedEventLoop.run()
        for promise in [first, second] {
            #expect(throws: TLSError.pendingWritesExceeded(limit: 10)) { try promise.futureResult.wait() }
        }
        #expect(pair.client.recorder.seen.last == .inactive)
    }

    @Test("closing before the handshake fails what waits, without a word to the application")
    func closeDuringHandshake() throws {
        let pair = try TLSPair()
        try pair.client.activate()
        let early = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.write(ByteBuffer(string: "early"), promise: early)
        pair.client.channel.close(promise: nil)
        pair.client.channel.embeddedEventLoop.run()
        #expect(throws: ChannelError.ioOnClosedChannel) { try early.futureResult.wait() }
        #expect(pair.client.recorder.milestones == [.active, .inactive])
    }

    @Test("close sends what was written, then close_notify, and does not wait for the peer's")
    func orderlyClose() throws {
        let pair = try TLSPair()
        try pair.connect()
        pair.client.channel.write(ByteBuffer(string: "last words"), promise: nil)
        let closed = pair.client.channel.close()
        pair.client.channel.embeddedEventLoop.run()
        try closed.wait()
        #expect(pair.client.recorder.milestones.last == .inactive)
        #expect(pair.client.recorder.failures.isEmpty)
        try pair.pump()
        #expect(pair.server.recorder.bytes == ByteBuffer(string: "last words"))
        #expect(pair.server.recorder.milestones.suffix(2) == [.closeNotify, .inactive])
        let late = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.writeAndFlush(ByteBuffer(string: "late"), promise: late)
        #expect(throws: ChannelError.ioOnClosedChannel) { try late.futureResult.wait() }
    }

    @Test("closing the output refuses later writes and leaves the input open")
    func outputClose() throws {
        let pair = try TLSPair()
        try pair.connect()
        // EmbeddedChannel cannot half-close, so its own answer to the second step does not matter here.
        pair.client.channel.close(mode: .output, promise: nil)
        let late = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.writeAndFlush(ByteBuffer(string: "late"), promise: late)
        #expect(throws: ChannelError.self) { try late.futureResult.wait() }
        pair.server.recorder.onEvent = { entry, context in
            guard entry == .closeNotify else { return }
            context.writeAndFlush(NIOAny(ByteBuffer(string: "answer")), promise: nil)
        }
        pair.server.receive(try pair.client.takeOutput())
        #expect(pair.server.recorder.milestones.contains(.closeNotify))
    }

    @Test("closing only the input is refused")
    func inputClose() throws {
        let pair = try TLSPair()
        try pair.connect()
        let promise = pair.client.channel.eventLoop.makePromise(of: Void.self)
        pair.client.channel.close(mode: .input, promise: promise)
        #expect(throws: ChannelError.operationUnsupported) { try promise.futureResult.wait() }
    }

    @Test("an unfinished handshake reads on, though nobody asks")
    func handshakeReads() throws {
        let pair = try TLSPair()
        try pair.activate()
        pair.server.receive(try pair.client.takeOutput())
        var flight = try pair.server.takeOutput()
        for expected in 2...4 {
            pair.client.receive(flight.readSlice(length: 50) ?? ByteBuffer())
            #expect(pair.client.socket.reads == expected)
        }
        pair.client.receive(flight)
        #expect(pair.client.recorder.handshake != nil)
        #expect(pair.client.socket.reads == 4)
    }

    @Test("the handshake reads on its own, and after it nothing is read that was not asked for")
    func readsFollowDemand() throws {
        let pair = try TLSPair()
        try pair.connect()
        let socket = pair.client.socket
        let afterHandshake = socket.reads
        #expect(afterHandshake > 0)
        // Tickets came with the connection and nobody had called read(): no more reads.
        pair.server.channel.writeAndFlush(ByteBuffer(string: "unasked"), promise: nil)
        try pair.pump()
        #expect(socket.reads == afterHandshake)
        #expect(pair.client.recorder.seen.suffix(2) == [.bytes(ByteBuffer(string: "unasked")), .readComplete])
        // A demand that a partial record cannot meet is passed on until one can.
        pair.client.channel.read()
        #expect(socket.reads == afterHandshake + 1)
        pair.server.channel.writeAndFlush(patternedBytes(1000), promise: nil)
        var record = try pair.server.takeOutput()
        let completions = pair.client.recorder.seen.count { $0 == .readComplete }
        pair.client.receive(record.readSlice(length: 500) ?? ByteBuffer())
        #expect(socket.reads == afterHandshake + 2)
        #expect(pair.client.recorder.seen.count { $0 == .readComplete } == completions)
        pair.client.receive(record)
        #expect(socket.reads == afterHandshake + 2)
        #expect(pair.client.recorder.seen.last == .readComplete)
    }
}
