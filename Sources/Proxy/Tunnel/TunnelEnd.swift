import NIOCore
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One of the two connections of a ``Tunnel``.
final class TunnelEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How what goes out on the other connection is to end once everything has been passed on.
    private enum Finish {
        case none
        case output
        case connection
    }

    /// The other connection; nil once this one is closed.
    var peer: TunnelEnd?
    /// Keeps the tunnel alive while this connection is open.
    var tunnel: Tunnel?
    /// What counts the messages that come from this side, where they are counted.
    var messages: MessageMeter?
    /// What was read from this side before there was a tunnel.
    var early = ByteBuffer()
    /// Bytes that came from this side.
    private(set) var received = 0
    private var context: ChannelHandlerContext?
    private var isReading = false
    private var smallWrites = SmallWrites()
    private var finishing = Finish.none
    /// Whether what still comes is thrown away until this side closes.
    private var isLeaving = false

    var isActive: Bool { context?.channel.isActive ?? false }
    /// Where the connection goes.
    var remoteAddress: SocketAddress? { context?.channel.remoteAddress }
    private var isWritable: Bool { context?.channel.isWritable ?? true }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data)) }

    /// Bytes from this side, for the other one.
    func take(_ bytes: ByteBuffer) {
        guard !isLeaving, tunnel?.isEnded == false else { return }
        received += bytes.readableBytes
        tunnel?.wasUsed()
        if let messages { return messages.take(bytes) }
        tunnel?.willPassDown(bytes, from: self)
        pass(bytes)
    }

    /// Passes on what was read before there was a tunnel.
    func passEarly() {
        guard early.readableBytes > 0 else { return }
        let bytes = early
        early = ByteBuffer()
        take(bytes)
        readAll()
    }

    /// Passes bytes from this side on.
    func pass(_ bytes: ByteBuffer) { peer?.write(bytes) }

    func channelReadComplete(context: ChannelHandlerContext) { readAll() }

    /// Everything that could be passed on has been.
    func readAll() {
        guard let peer else { return }
        peer.flush()
        if !peer.isWritable || messages?.isWaiting == true { setReading(false) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { peer?.resume() }
    }

    /// Reads on, unless a message that was read still waits for its count.
    func resume() {
        if messages?.isWaiting != true { setReading(true) }
    }

    /// The count that was waited for is known, and what it held back has been passed on.
    func countIsKnown() {
        readAll()
        guard messages?.isWaiting != true else { return }
        if finishing != .none { return finishPeer(finishing) }
        if peer?.isWritable == true { setReading(true) }
    }

    /// The message that was held back is not passed on, and nothing behind it.
    func countWasRefused() {
        // A tunnel that is open has been ended with it.
        guard tunnel == nil else { return }
        peer?.cutOff()
        peer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            if isLeaving { cutOff() } else { finishPeer(.output) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// This connection is closed: what the other one has not sent yet still goes out.
    func ended() {
        guard let tunnel else { return }
        self.tunnel = nil
        finishPeer(.connection)
        tunnel.endDidClose()
    }

    /// Ends what goes out on the other side, behind what still waits for its count.
    private func finishPeer(_ finish: Finish) {
        finishing = finish
        guard messages?.isWaiting != true else { return }
        peer?.finish(closing: finish == .connection)
        if finish == .connection { peer = nil }
    }

    private func write(_ bytes: ByteBuffer) {
        smallWrites.note(bytes, context)
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    private func flush() { context?.flush() }

    /// Ends what goes out on this side, once all of it has left; `closing` ends the connection then.
    private func finish(closing: Bool = false) {
        guard let context else { return }
        context.flush()
        guard closing else { return context.close(mode: .output, promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.cutOff() }
        context.close(mode: .output, promise: sent)
    }

    /// Sends a last word, and closes once the other side of the connection does; its tunnel sees to that it is not for ever.
    func takeLeave(_ farewell: ByteBuffer) {
        isLeaving = true
        peer = nil
        write(farewell)
        finish()
        setReading(true)
    }

    func cutOff() { context?.close(promise: nil) }

    /// Closes the connection with a reset: bytes that wait in the system are dropped too, and the end does not look orderly.
    func reset() {
        guard let context else { return }
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        // Inside TLS a close_notify would say that everything has arrived.
        context.triggerUserOutboundEvent(TLSCutOff(), promise: nil)
        context.close(promise: nil)
    }

    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, let context, context.channel.isActive else { return }
        self.isReading = isReading
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}
