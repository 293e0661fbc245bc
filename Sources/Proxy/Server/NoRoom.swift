import NIOCore
import Primitives

/// Tells whoever connects while there is no room so, and closes the connection.
///
/// What it sends first is read before that: closing on unread bytes would throw the answer away with them.
final class NoRoom: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a connection is kept that sends nothing.
    private static let patience = TimeAmount.milliseconds(250)

    private let clock: any WallClock
    private var expiry: Scheduled<Void>?

    init(clock: any WallClock) {
        self.clock = clock
    }

    func handlerAdded(context: ChannelHandlerContext) {
        expiry = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        expiry?.cancel()
        let answer = Problem.tooManyConnections.response(
            isHead: false, closing: true, now: clock.now(), allocator: context.channel.allocator)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { expiry?.cancel() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
