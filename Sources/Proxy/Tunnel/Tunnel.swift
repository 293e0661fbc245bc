import Logging
import NIOCore
import Transport

/// Two connections whose bytes go to each other unread, until both are done.
///
/// Back-pressure and half-closes pass through; memory is bounded by the channels' own watermarks. All state belongs to
/// the event loop, which both connections share.
final class Tunnel {
    private let shared: ProxyLoop
    /// Its place among the agent's tunnels, while it is open.
    private var slot: TunnelSlot?
    private let since = NIODeadline.now()
    private let agentEnd: TunnelEnd
    private let upstreamEnd: TunnelEnd
    private var open = 2
    private(set) var deadline: NIODeadline?

    /// Ties two ends together; both channels must not have read anything yet that is not handed over.
    init(_ slot: TunnelSlot, agent: TunnelEnd, upstream: TunnelEnd, shared: ProxyLoop) {
        self.shared = shared
        self.slot = slot
        agentEnd = agent
        upstreamEnd = upstream
        agent.peer = upstream
        upstream.peer = agent
        agent.tunnel = self
        upstream.tunnel = self
        shared.tunnels[ObjectIdentifier(self)] = self
        shared.deadlines.add(self)
        wasUsed()
    }

    /// Begins to read on both sides.
    func start() {
        agentEnd.setReading(true)
        upstreamEnd.setReading(true)
        // One of them may have gone before there was a tunnel.
        for end in [agentEnd, upstreamEnd] where !end.isActive { end.ended() }
    }

    func wasUsed() { deadline = .now() + shared.services.timeouts.tunnel }

    /// One of the two connections is closed.
    func endDidClose() {
        open -= 1
        guard open == 0 else { return }
        deadline = nil
        shared.deadlines.remove(self)
        shared.tunnels[ObjectIdentifier(self)] = nil
        guard let slot else { return }
        self.slot = nil
        let time = NIODeadline.now() - since
        shared.services.logger.info(
            "tunnel closed",
            metadata: [
                "agent": "\(slot.agent)", "to": "\(slot.target)", "sent": "\(agentEnd.received)",
                "received": "\(upstreamEnd.received)", "seconds": "\(time.nanoseconds / 1_000_000_000)",
            ])
    }

    /// Closes both connections.
    func cutOff() {
        agentEnd.cutOff()
        upstreamEnd.cutOff()
    }
}

extension Tunnel: DeadlineBound {
    /// Nothing has passed for a long time: both peers may be gone without a word.
    func deadlinePassed() { cutOff() }
}

/// One of the two connections of a ``Tunnel``.
final class TunnelEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The other connection; nil once this one is closed.
    var peer: TunnelEnd?
    /// Keeps the tunnel alive while this connection is open.
    var tunnel: Tunnel?
    /// Bytes that came from this side.
    private(set) var received = 0
    private var context: ChannelHandlerContext?
    private var isReading = false

    var isActive: Bool { context?.channel.isActive ?? false }
    private var isWritable: Bool { context?.channel.isWritable ?? true }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data)) }

    /// Bytes from this side, for the other one.
    func take(_ bytes: ByteBuffer) {
        received += bytes.readableBytes
        tunnel?.wasUsed()
        peer?.write(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let peer else { return }
        peer.flush()
        if !peer.isWritable { setReading(false) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { peer?.setReading(true) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { peer?.finish() }
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
        peer?.finish(closing: true)
        peer = nil
        tunnel.endDidClose()
    }

    private func write(_ bytes: ByteBuffer) { context?.write(wrapOutboundOut(bytes), promise: nil) }

    func flush() { context?.flush() }

    /// Ends what goes out on this side, once all of it has left; `closing` ends the connection then.
    private func finish(closing: Bool = false) {
        guard let context else { return }
        context.flush()
        guard closing else { return context.close(mode: .output, promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.cutOff() }
        context.close(mode: .output, promise: sent)
    }

    func cutOff() { context?.close(promise: nil) }

    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, let context, context.channel.isActive else { return }
        self.isReading = isReading
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}
