package import NIOCore

/// Who is told what arrives on an upstream connection.
///
/// Called on the connection's event loop.
package protocol UpstreamReceiver: AnyObject {
    /// The head of an interim response, 100 or 102 to 199; the final one is still to come.
    func upstream(_ connection: UpstreamConnection, didReceiveInterim head: ResponseHead)
    /// The gateway switches to a protocol that was asked for: what follows is for
    /// ``UpstreamConnection/handOver(to:)``, and for nobody when that is not called.
    func upstream(_ connection: UpstreamConnection, didSwitch head: ResponseHead)
    /// The head of the final response.
    func upstream(_ connection: UpstreamConnection, didReceive head: ResponseHead)
    /// A piece of the body, chunked coding included.
    func upstream(_ connection: UpstreamConnection, didReceiveBody bytes: ByteBuffer)
    /// The response is complete; the connection has gone back to the pool or is closing.
    func upstreamDidFinish(_ connection: UpstreamConnection)
    /// The exchange failed; the connection is closed.
    func upstream(_ connection: UpstreamConnection, didFail failure: UpstreamFailure)
    /// More may be written now, or not.
    func upstream(_ connection: UpstreamConnection, isWritable: Bool)
    /// Everything that one read brought has been delivered: the time to flush.
    func upstreamDidReadAll(_ connection: UpstreamConnection)
}

extension UpstreamReceiver {
    /// Interim responses are dropped.
    package func upstream(_ connection: UpstreamConnection, didReceiveInterim head: ResponseHead) {}

    /// Nobody asked for another protocol.
    package func upstream(_ connection: UpstreamConnection, didSwitch head: ResponseHead) {}
}

/// One HTTP/1.1 connection to an origin, carrying one exchange at a time, or one stream of an HTTP/2 connection that passes
/// for such a connection and carries a single exchange.
///
/// All state belongs to its event loop.
package final class UpstreamConnection: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum Phase {
        case connecting
        case idle
        case awaitingHead
        case body(BodyReader)
        /// Another protocol is spoken from here on.
        case switched
        case closed
    }

    /// Where the connection goes.
    package let origin: Origin
    /// When an idle connection is not used any more.
    private(set) var idleUntil = NIODeadline.distantFuture
    /// Whether the connection has carried an exchange before the present one.
    package private(set) var isReused = false

    /// Whether it is a stream of a shared connection.
    private let isStream: Bool
    private weak var pool: UpstreamPool?
    private weak var receiver: (any UpstreamReceiver)?
    private var context: ChannelHandlerContext?
    private var phase = Phase.connecting
    private var scanner = HeadScanner()
    private var inbound = ByteBuffer()
    private var method = ""
    /// The protocols that the request offers to switch to.
    private var protocols: [String] = []
    /// Interim responses of the present exchange.
    private var interims = 0
    private var head: ResponseHead?
    private var isRequestComplete = true
    private var isTruncated = false
    private var isReading = true
    private var whenReady: ((Result<UpstreamConnection, UpstreamFailure>) -> Void)?

    init(
        origin: Origin, pool: UpstreamPool?, whenReady: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        self.origin = origin
        isStream = false
        self.pool = pool
        self.whenReady = whenReady
    }

    /// A stream of a shared connection, which may have carried an exchange before.
    init(
        origin: Origin, streamIsReused: Bool,
        whenReady: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        self.origin = origin
        isStream = true
        isReused = streamIsReused
        self.whenReady = whenReady
    }

    // MARK: The exchange's side

    /// Begins an exchange; `method` decides whether the response has a body, and `protocols`, in lower case, are those
    /// that the request offers to switch to.
    package func begin(method: String, protocols: [String] = [], receiver: any UpstreamReceiver) {
        self.method = method
        self.protocols = protocols
        interims = 0
        self.receiver = receiver
        phase = .awaitingHead
        isRequestComplete = false
    }

    /// Writes a part of the request.
    package func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Hands everything written to the socket.
    package func flush() {
        context?.flush()
    }

    /// Says that the request is written whole: only then can the connection be used again.
    package func requestDidComplete() {
        isRequestComplete = true
    }

    /// Whether writing more now would only fill memory.
    package var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Whether the connection is open as far as is known.
    package var isOpen: Bool {
        if case .closed = phase { false } else { context?.channel.isActive ?? false }
    }

    /// Stops or resumes reading, for back-pressure.
    package func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, let context, context.channel.isActive else { return }
        self.isReading = isReading
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        // A stream of HTTP/2 does not begin to read by that alone.
        if isReading, isStream { context.read() }
    }

    /// Leaves a connection that has switched protocols to `handler`; returns what has been read already.
    ///
    /// Nothing more is read until the handler says so, and the peer may end its side alone. Throws when the connection is
    /// closed.
    package func handOver(to handler: some ChannelHandler) throws -> ByteBuffer {
        guard case .switched = phase, let context else { throw ChannelError.alreadyClosed }
        let options = context.channel.syncOptions
        try options?.setOption(.autoRead, value: false)
        try options?.setOption(.allowRemoteHalfClosure, value: true)
        try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        phase = .closed
        receiver = nil
        let rest = inbound
        inbound = ByteBuffer()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        return rest
    }

    /// Leaves the exchange and closes the connection; the receiver hears nothing more.
    package func abandon() {
        receiver = nil
        close()
    }

    /// Closes the connection in the middle of the request; the receiver is told as if the peer had closed it.
    package func breakOff() {
        context?.close(promise: nil)
    }

    func close() {
        phase = .closed
        context?.close(promise: nil)
    }

    // MARK: The channel's side

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        if !origin.isSecure || isStream { ready(.success(self)) }
        context.fireChannelActive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSEvent, case .handshakeCompleted = event { ready(.success(self)) }
        context.fireUserInboundEventTriggered(event)
    }

    private func ready(_ result: Result<UpstreamConnection, UpstreamFailure>) {
        guard let whenReady else { return }
        self.whenReady = nil
        if case .success = result { phase = .idle } else { phase = .closed }
        whenReady(result)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
        do {
            try consume()
        } catch {
            fail(.malformed(error))
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        receiver?.upstreamDidReadAll(self)
    }

    private func consume() throws(HTTP1Error) {
        while inbound.readableBytes > 0 {
            switch phase {
            case .awaitingHead:
                guard try consumeHead() else { return }
            case .body(var reader):
                guard let bytes = try reader.take(from: &inbound) else { return }
                phase = .body(reader)
                receiver?.upstream(self, didReceiveBody: bytes)
                if reader.isFinished, case .body = phase { finish() }
            case .connecting, .idle, .switched, .closed:
                // Nobody asked for these bytes: the connection cannot be trusted with another exchange.
                inbound.clear()
                close()
                return
            }
        }
    }

    /// Returns false when more bytes are needed.
    private func consumeHead() throws(HTTP1Error) -> Bool {
        let limit = HTTP1Limits.responseHeadBytes
        guard let length = try scanner.endOfHead(in: inbound, limit: limit),
            let bytes = inbound.readSlice(length: length)
        else { return false }
        scanner = HeadScanner()
        let head = try ResponseHead(bytes)
        if head.status == 101 {
            becomeSwitched(head)
            return false
        }
        if head.status < 200 {
            interims += 1
            guard interims <= HTTP1Limits.interimCount else { throw .tooManyInterims }
            receiver?.upstream(self, didReceiveInterim: head)
            return true
        }
        self.head = head
        let reader = BodyReader(head.framing(answering: method))
        phase = .body(reader)
        receiver?.upstream(self, didReceive: head)
        if reader.isFinished, case .body = phase { finish() }
        return true
    }

    private func becomeSwitched(_ head: ResponseHead) {
        guard head.switches(to: protocols) else { return fail(.unexpectedUpgrade) }
        phase = .switched
        receiver?.upstream(self, didSwitch: head)
        // Without a handler for it the protocol has nobody who speaks it.
        if case .switched = phase { abandon() }
    }

    /// The response is complete: keep the connection when both sides are done with it and agree to keep it.
    private func finish() {
        let receiver = receiver
        self.receiver = nil
        // What was offered is offered again with the payment, and some servers refuse that on the same connection.
        let isOfferToPay = head?.status == 402 && !protocols.isEmpty
        let mayKeep =
            !isStream && isRequestComplete && !isOfferToPay && inbound.readableBytes == 0 && head?.keepsAlive == true
        if mayKeep {
            isReused = true
            setReading(true)
            park(in: pool)
        } else {
            close()
        }
        head = nil
        receiver?.upstreamDidFinish(self)
    }

    /// Leaves an open connection to whoever needs it next.
    func park(in pool: UpstreamPool?) {
        guard let pool else { return close() }
        phase = .idle
        inbound = ByteBuffer()
        idleUntil = .now() + Self.idleTime(hinted: head)
        pool.giveBack(self)
    }

    /// How long an idle connection is trusted: a second less than the server says, or less than common defaults, so
    /// that a request rarely meets a connection that the server is just closing.
    private static func idleTime(hinted head: ResponseHead?) -> TimeAmount {
        let usual = TimeAmount.seconds(4)
        guard let head, let line = head.fields.first(.keepAlive) else { return usual }
        for parameter in head.fields.text(line).split(separator: ",") {
            let pair = parameter.trimmingBlanks.lowercased().split(separator: "=")
            if pair.count == 2, pair[0] == "timeout", let seconds = Int64(pair[1]) {
                return .seconds(max(1, min(seconds, 60) - 1))
            }
        }
        return usual
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        receiver?.upstream(self, isWritable: context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .connecting = phase {
            ready(
                .failure((error as? TLSError).map { .tls($0.description) } ?? .connect(ConnectProblem.describe(error))))
        } else if let failure = error as? UpstreamFailure {
            return fail(failure)
        } else {
            // Whatever ended the connection, it was not the peer saying that it is done.
            isTruncated = true
        }
        context.close(promise: nil)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        ready(.failure(.connect("the connection was closed")))
        switch phase {
        case .awaitingHead:
            fail(inbound.readableBytes == 0 && interims == 0 ? .closedBeforeResponse : .truncated)
        case .body(let reader):
            if reader.endsWithConnection && !isTruncated { finish() } else { fail(.truncated) }
        case .connecting, .idle, .switched, .closed:
            break
        }
        phase = .closed
        pool?.forget(self)
        context.fireChannelInactive()
    }

    private func fail(_ failure: UpstreamFailure) {
        let receiver = receiver
        self.receiver = nil
        close()
        receiver?.upstream(self, didFail: failure)
    }
}
