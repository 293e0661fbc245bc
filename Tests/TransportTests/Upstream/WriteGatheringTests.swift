import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("Small pieces for a peer that does not take them")
struct WriteGatheringTests {
    /// The system: takes what it is given when it is told to.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        private(set) var waiting: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
        private(set) var taken: [UInt8] = []
        private(set) var mostPieces = 0
        var isStalled = true

        var pending: Int { waiting.reduce(0) { $0 + $1.bytes.readableBytes } }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            waiting.append((unwrapOutboundIn(data), promise))
            mostPieces = max(mostPieces, waiting.count)
            if !isStalled { takeAll() }
        }

        var onFlush: () -> Void = {}

        func flush(context: ChannelHandlerContext) { onFlush() }

        func takeAll() {
            while let (bytes, promise) = waiting.first {
                waiting.removeFirst()
                taken += Array(bytes.readableBytesView)
                promise?.succeed()
            }
        }
    }

    @Test("ten thousand single bytes become a few pieces, and arrive in order")
    func gathered() throws {
        let socket = Socket()
        let channel = EmbeddedChannel(handlers: [socket, WriteGathering { _ in socket.pending }])
        var expected: [UInt8] = []
        for number in 0..<10_000 {
            let byte = UInt8(truncatingIfNeeded: number)
            expected.append(byte)
            channel.write(ByteBuffer(bytes: [byte]), promise: nil)
            channel.flush()
        }
        #expect(socket.mostPieces < 8, "\(socket.mostPieces)")
        socket.takeAll()
        #expect(socket.taken == expected)
        // Taken at once again, each piece goes by itself.
        socket.isStalled = false
        channel.write(ByteBuffer(bytes: [1]), promise: nil)
        #expect(socket.taken == expected + [1])
        _ = try? channel.finish()
    }

    @Test(
        "what is written from within a flush, because room came up, goes after what was written", arguments: [1, 600])
    func reentrant(size: Int) throws {
        let socket = Socket()
        let channel = EmbeddedChannel(handlers: [socket, WriteGathering { _ in socket.pending }])
        channel.writeAndFlush(ByteBuffer(bytes: [1]), promise: nil)
        channel.write(ByteBuffer(bytes: [2]), promise: nil)
        var flushes = 0
        // All that waits is taken when the next piece is flushed, and that has another one written.
        socket.onFlush = {
            flushes += 1
            socket.onFlush = { flushes += 1 }
            socket.takeAll()
            channel.write(ByteBuffer(repeating: 3, count: size), promise: nil)
        }
        for _ in 0..<5_000 { channel.write(ByteBuffer(bytes: [2]), promise: nil) }
        #expect(flushes == 0, "a write flushes nothing")
        channel.flush()
        channel.flush()
        socket.takeAll()
        #expect(socket.taken == [1] + [UInt8](repeating: 2, count: 5_001) + [UInt8](repeating: 3, count: size))
        _ = try? channel.finish()
    }

    @Test(
        "a large piece, one with a promise, and the end go after what is gathered",
        arguments: ["large", "promise", "end"])
    func order(next: String) throws {
        let socket = Socket()
        let channel = EmbeddedChannel(handlers: [socket, WriteGathering { _ in socket.pending }])
        for byte in [1, 2, 3] as [UInt8] { channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil) }
        let large = [UInt8](repeating: 9, count: 600)
        switch next {
        case "large": channel.writeAndFlush(ByteBuffer(bytes: large), promise: nil)
        case "promise": channel.writeAndFlush(ByteBuffer(bytes: [4]), promise: channel.eventLoop.makePromise())
        default: channel.close(mode: .output, promise: nil)
        }
        let waiting = socket.waiting.flatMap { Array($0.bytes.readableBytesView) }
        #expect(waiting == [1, 2, 3] + (next == "large" ? large : next == "promise" ? [4] : []))
        socket.takeAll()
        _ = try? channel.finish()
    }
}
