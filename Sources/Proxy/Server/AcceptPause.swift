import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Stops accepting for a moment when the system has no descriptor or memory for another connection.
///
/// The listening socket stays readable then, and would be asked again and again: NIO's own AcceptBackoffHandler does not help
/// where accept fails at once, since the read that it would put off is still pending.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let length = TimeAmount.milliseconds(100)

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        let options = context.channel.syncOptions
        try? options?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) {
            // A listener that has closed meanwhile takes no options.
            try? options?.setOption(.autoRead, value: true)
        }
    }
}
