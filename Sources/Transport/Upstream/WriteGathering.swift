package import NIOCore

/// Gathers small pieces that a channel is given while its peer does not take those before them.
///
/// A channel keeps each piece apart, with the buffer that it is in and a promise, until the system takes it: bytes that are
/// written one by one take more than a hundred times their size, and only bytes count against the high-water mark. While
/// pieces wait, further small ones are copied into one buffer, which becomes a piece when it is full or the others are taken.
/// Stands next to the socket; added where many small pieces are written, see ``SmallWrites``.
package final class WriteGathering: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Pieces below this many bytes are small.
    package static let smallPiece = 512
    /// The size of the buffer that small pieces are copied into, in bytes.
    static let pieceSize = 4096

    private let pending: (any Channel) -> Int
    private var gathered = ByteBuffer()
    /// Whether pieces wait that were written before.
    private var isHolding = false

    /// Makes a handler; `pending` returns how many bytes a channel has been given that the system has not taken.
    init(pending: @escaping (any Channel) -> Int) {
        self.pending = pending
    }

    /// Asks the channel how much waits.
    package convenience init() {
        self.init { (try? $0.syncOptions?.getOption(.bufferedWritableBytes)).flatMap { $0 } ?? 0 }
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        guard promise == nil, bytes.readableBytes < Self.smallPiece else {
            passOn(context)
            return context.write(data, promise: promise)
        }
        guard isHolding || pending(context.channel) > 0 else { return context.write(data, promise: nil) }
        if gathered.capacity == 0 { gathered = context.channel.allocator.buffer(capacity: Self.pieceSize) }
        gathered.writeImmutableBuffer(bytes)
        if !isHolding {
            hold(context)
        } else if gathered.readableBytes > Self.pieceSize - Self.smallPiece {
            passOn(context)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        // What is gathered waits for more, and for the pieces before it.
        context.flush()
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input {
            passOn(context)
            context.flush()
        }
        context.close(mode: mode, promise: promise)
    }

    /// Gathers until everything that was written before has been taken.
    ///
    /// Nothing is flushed from within a write: that may call back those that write.
    private func hold(_ context: ChannelHandlerContext) {
        isHolding = true
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { result in
            self.isHolding = false
            guard case .success = result, self.gathered.readableBytes > 0 else { return }
            self.passOn(context)
            context.flush()
        }
        context.write(wrapOutboundOut(ByteBuffer()), promise: taken)
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard gathered.readableBytes > 0 else { return }
        let bytes = gathered
        gathered = ByteBuffer()
        context.write(wrapOutboundOut(bytes), promise: nil)
    }
}

/// Counts the small pieces that are written on a connection, and has them gathered once they are many.
package struct SmallWrites {
    /// So many are kept apart at most.
    static let limit = 64

    private var count = 0

    /// Nothing written yet.
    package init() {}

    /// Takes note of a piece that is about to be written to the socket's channel.
    package mutating func note(_ bytes: ByteBuffer, _ context: ChannelHandlerContext?) {
        guard bytes.readableBytes < WriteGathering.smallPiece, count < Self.limit else { return }
        count += 1
        guard count == Self.limit else { return }
        try? context?.channel.pipeline.syncOperations.addHandler(WriteGathering(), position: .first)
    }
}
