package import NIOCore

/// Turns a channel's byte stream into a TLS connection: ciphertext on the socket's side, plaintext on the other.
///
/// The same class serves clients and servers; ``TLSClientContext`` and ``TLSServerContext`` make it. What the
/// application sees, in order: ``TLSEvent/handshakeCompleted(_:)``; plaintext; and at the end either
/// ``TLSEvent/closeNotify`` (the peer finished) or a caught ``TLSError`` and then, in both cases, `channelInactive`.
/// ``TLSError/truncated`` just before `channelInactive` says that the input ended without a close_notify; whoever knows
/// from the protocol above that everything has arrived may ignore it.
///
/// - Writes may be made at once; they wait for the handshake. A write's promise succeeds when its ciphertext was
///   written.
/// - Reads follow demand: beyond what the handshake needs, the socket is read only when `read()` was called and has
///   not been answered with plaintext yet.
/// - `close(mode: .all)` sends a close_notify and closes without waiting for the peer's. `.output` sends one and shuts
///   down the sending side; `.input` is not supported. ``TLSCutOff`` closes without one.
/// - There is no time limit on the handshake: the caller has one for the whole connection attempt.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Ciphertext is handed on in pieces of this many bytes at most, which is what one allocation holds.
    private static let pieceSize = 64 * 1024
    /// The largest record on the wire: 16 KiB of plaintext and at most 256 bytes around it (RFC 8446, section 5.2).
    private static let largestRecord = 16 * 1024 + 256 + 5
    /// Ciphertext nobody asked for (answers to key updates and the like) that may queue up for a peer that does not
    /// read.
    private static let unaskedOutputLimit = 64 * 1024

    private let connection: TLSConnection
    private let pendingWriteLimit: Int
    private var lifecycle = TLSLifecycle()
    /// Plaintext that could not be encrypted yet, and its size in bytes.
    private var pendingWrites = CircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>()
    private var pendingWriteBytes = 0
    private var isEncrypting = false
    /// Waits for the ciphertext in the exchange to be written.
    private var outputPromise: EventLoopPromise<Void>?
    private var unaskedOutputBytes = 0
    /// Whether a `read()` has not been answered with plaintext yet.
    private var isReadWanted = false
    /// Whether this read cycle brought the application anything, so that it should hear of the cycle's end.
    private var hasDelivered = false

    /// `pendingWriteLimit`: how many bytes of plaintext may wait for the handshake.
    init(connection: TLSConnection, pendingWriteLimit: Int = 1024 * 1024) {
        self.connection = connection
        self.pendingWriteLimit = pendingWriteLimit
    }

    // MARK: Life of the channel

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { startHandshake(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        failUnsent(ChannelError.ioOnClosedChannel)
    }

    package func channelActive(context: ChannelHandlerContext) {
        startHandshake(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let error = lifecycle.inputEnded()
        if error == .handshakeInterrupted { connection.forgetSessions() }
        failUnsent(error ?? ChannelError.ioOnClosedChannel)
        if let error { context.fireErrorCaught(error) }
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // With half-closure allowed this, and not `channelInactive`, is how the end of the input shows.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            let wasAnnounced = lifecycle.hasReceivedCloseNotify
            if !wasAnnounced, let error = lifecycle.inputEnded() {
                if error == .handshakeInterrupted { connection.forgetSessions() }
                giveUp(context, because: error)
            }
            context.fireUserInboundEventTriggered(event)
            if wasAnnounced { close(context: context, mode: .all, promise: nil) }
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Inbound

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard lifecycle.takesInput else { return }
        connection.exchange.inbound.appendUnread(unwrapInboundIn(data))
        if lifecycle.isHandshaking { continueHandshake(context) }
        if lifecycle.takesInput, !lifecycle.isHandshaking { decrypt(context) }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        // The one flush of the cycle: handshake messages, the writes that waited for them, key updates.
        sendAndFlush(context)
        let needsMore = isReadWanted
        if hasDelivered {
            hasDelivered = false
            context.fireChannelReadComplete()
        }
        if lifecycle.hasReceivedCloseNotify {
            close(context: context, mode: .all, promise: nil)
        } else if lifecycle.isHandshaking || (needsMore && lifecycle.takesInput) {
            context.read()
        }
    }

    private func decrypt(_ context: ChannelHandlerContext) {
        let capacity = max(16 * 1024, connection.exchange.inbound.readableBytes)
        var plaintext = context.channel.allocator.buffer(capacity: capacity)
        while lifecycle.takesInput {
            if plaintext.writableBytes == 0 {
                deliver(plaintext, context)
                plaintext = context.channel.allocator.buffer(capacity: capacity)
                continue
            }
            let outputBefore = connection.exchange.outbound.readableBytes
            let step = connection.read(into: &plaintext)
            let unasked = connection.exchange.outbound.readableBytes - outputBefore
            if unasked > 0, let error = limitUnaskedOutput(adding: unasked, context) {
                return fail(context, because: error)
            }
            switch step {
            case .bytes:
                continue
            case .needsInput:
                return deliver(plaintext, context)
            case .closeNotify:
                lifecycle.closeNotifyReceived()
                deliver(plaintext, context)
                hasDelivered = true
                return context.fireUserInboundEventTriggered(TLSEvent.closeNotify)
            case .failed(let error):
                deliver(plaintext, context)
                return fail(context, because: error)
            }
        }
    }

    private func deliver(_ plaintext: ByteBuffer, _ context: ChannelHandlerContext) {
        guard plaintext.readableBytes > 0 else { return }
        hasDelivered = true
        isReadWanted = false
        context.fireChannelRead(wrapInboundOut(plaintext))
    }

    /// A peer that keeps asking for new keys but reads no answers would otherwise fill the memory with them.
    private func limitUnaskedOutput(adding count: Int, _ context: ChannelHandlerContext) -> TLSError? {
        unaskedOutputBytes = context.channel.isWritable ? 0 : unaskedOutputBytes + count
        guard unaskedOutputBytes > Self.unaskedOutputLimit else { return nil }
        return .protocolViolation(reason: "the peer asks for answers that it does not read")
    }

    // MARK: Handshake

    private func startHandshake(_ context: ChannelHandlerContext) {
        guard lifecycle.start() else { return }
        continueHandshake(context)
        sendAndFlush(context)
        if lifecycle.isHandshaking { context.read() }
    }

    private func continueHandshake(_ context: ChannelHandlerContext) {
        switch connection.continueHandshake() {
        case .needsInput:
            return
        case .failed(let error):
            connection.forgetSessions()
            fail(context, because: error)
        case .finished(let summary):
            lifecycle.handshakeFinished()
            // What was written first goes first, before anything the event leads to.
            encryptPendingWrites(context)
            guard lifecycle.canEncrypt else { return }
            hasDelivered = true
            context.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(summary))
        }
    }

    // MARK: Outbound

    package func read(context: ChannelHandlerContext) {
        isReadWanted = true
        context.read()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let plaintext = unwrapOutboundIn(data)
        switch lifecycle.writeAction {
        case .reject(let error):
            promise?.fail(error)
        case .queue:
            guard plaintext.readableBytes <= pendingWriteLimit - pendingWriteBytes else {
                let error = TLSError.pendingWritesExceeded(limit: pendingWriteLimit)
                promise?.fail(error)
                // A gap in the stream cannot be mended: what was accepted before must not be sent without this.
                return fail(context, because: error)
            }
            pendingWriteBytes += plaintext.readableBytes
            pendingWrites.append((plaintext, promise))
        case .encrypt:
            pendingWriteBytes += plaintext.readableBytes
            pendingWrites.append((plaintext, promise))
            encryptPendingWrites(context)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        send(context)
        context.flush()
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .all:
            if case .sayGoodbye = lifecycle.close() { connection.sendCloseNotify() }
            failPendingWrites(ChannelError.ioOnClosedChannel)
            sendAndFlush(context)
            context.close(mode: .all, promise: promise)
        case .output:
            do throws(ChannelError) {
                try lifecycle.closeOutput()
            } catch {
                promise?.fail(error)
                return
            }
            connection.sendCloseNotify()
            failPendingWrites(ChannelError.outputClosed)
            sendAndFlush(context)
            context.close(mode: .output, promise: promise)
        case .input:
            promise?.fail(ChannelError.operationUnsupported)
        }
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is TLSCutOff else { return context.triggerUserOutboundEvent(event, promise: promise) }
        _ = lifecycle.fail()
        failUnsent(ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    /// Encrypts writes in order.
    ///
    /// Handing ciphertext on can call back into this handler (a change of writability, say):
    /// a write made then joins the queue and its turn comes in the loop below.
    private func encryptPendingWrites(_ context: ChannelHandlerContext) {
        guard !isEncrypting else { return }
        isEncrypting = true
        defer { isEncrypting = false }
        while lifecycle.canEncrypt, let (written, promise) = pendingWrites.popFirst() {
            var plaintext = written
            pendingWriteBytes -= plaintext.readableBytes
            while plaintext.readableBytes > 0 {
                guard lifecycle.canEncrypt else {
                    promise?.fail(ChannelError.ioOnClosedChannel)
                    return
                }
                prepareOutput(for: plaintext.readableBytes, context)
                do throws(TLSError) {
                    try connection.write(&plaintext)
                } catch {
                    promise?.fail(error)
                    return fail(context, because: error)
                }
                if plaintext.readableBytes > 0 { sendFullPiece(context) }
            }
            // The promise goes with the piece that holds the write's last byte.
            outputPromise.setOrCascade(to: promise)
            sendFullPiece(context)
        }
    }

    /// Makes room for `count` bytes of plaintext at once, where they would otherwise make the buffer grow in steps.
    private func prepareOutput(for count: Int, _ context: ChannelHandlerContext) {
        guard connection.exchange.outbound.capacity == 0 else { return }
        let capacity = min(count + 256, Self.pieceSize)
        connection.exchange.outbound = context.channel.allocator.buffer(capacity: capacity)
    }

    /// Hands ciphertext on if another record might not fit beside it.
    private func sendFullPiece(_ context: ChannelHandlerContext) {
        guard connection.exchange.outbound.readableBytes > Self.pieceSize - Self.largestRecord else { return }
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        guard connection.exchange.outbound.readableBytes > 0 || outputPromise != nil else { return }
        let ciphertext = connection.exchange.outbound
        let promise = outputPromise
        connection.exchange.outbound = ByteBuffer()
        outputPromise = nil
        context.write(wrapOutboundOut(ciphertext), promise: promise)
    }

    private func sendAndFlush(_ context: ChannelHandlerContext) {
        guard connection.exchange.outbound.readableBytes > 0 || outputPromise != nil else { return }
        send(context)
        context.flush()
    }

    // MARK: Failure

    private func fail(_ context: ChannelHandlerContext, because error: TLSError) {
        guard lifecycle.fail() else { return }
        giveUp(context, because: error)
    }

    private func giveUp(_ context: ChannelHandlerContext, because error: TLSError) {
        failPendingWrites(error)
        // The alert that tells the peer.
        sendAndFlush(context)
        context.fireErrorCaught(error)
        context.close(mode: .all, promise: nil)
    }

    private func failUnsent(_ error: any Error) {
        failPendingWrites(error)
        let promise = outputPromise
        outputPromise = nil
        promise?.fail(error)
    }

    private func failPendingWrites(_ error: any Error) {
        pendingWriteBytes = 0
        while let (_, promise) = pendingWrites.popFirst() { promise?.fail(error) }
    }
}
