package import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc

private let keepAliveIdle = TCP_KEEPIDLE
#else
import Darwin

private let keepAliveIdle = TCP_KEEPALIVE
#endif

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

    /// Where the connection goes, and whose choice that is.
    package let destination: Destination
    /// Since when it has been idle.
    private(set) var idleSince = NIODeadline.distantPast
    /// When an idle connection is not used any more.
    private(set) var idleUntil = NIODeadline.distantFuture
    /// Where it is kept between exchanges: that of its owner.
    var shelf: IdleConnections.Shelf?
    /// Idle connections that may be kept for the same choice.
    private var idleLimit = 0
    /// Whether the system asks the peer of the idle connection whether it is still there.
    private var isProbed = false
    /// Whether what is sent on it may come back here without having passed the public internet.
    package private(set) lazy var mayLeadBack = ConnectionReach.mayLeadBack(
        from: context?.channel.localAddress, to: context?.channel.remoteAddress)
    /// Whether the connection has been idle before the present exchange: its server may have closed it meanwhile.
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
    /// Parts that the present request was written in.
    private var writes = 0
    private var isTruncated = false
    private var isReading = true
    private var smallWrites = SmallWrites()
    private var whenReady: ((Result<UpstreamConnection, UpstreamFailure>) -> Void)?

    init(
        _ destination: Destination, pool: UpstreamPool?,
        whenReady: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        self.destination = destination
        isStream = false
        self.pool = pool
        self.whenReady = whenReady
    }

    /// A stream of a shared connection, which may have carried an exchange before.
    init(
        _ destination: Destination, streamIsReused: Bool, mayLeadBack: Bool,
        whenReady: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        self.destination = destination
        isStream = true
        self.mayLeadBack = mayLeadBack
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
        writes = 0
    }

    /// Writes a part of the request.
    package func write(_ bytes: ByteBuffer) {
        writes += 1
        if !isStream { smallWrites.note(bytes, context) }
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
        if !destination.origin.isSecure || isStream { ready(.success(self)) }
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
        inbound.appendUnread(unwrapInboundIn(data))
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
                if bytes.readableBytes > 0 { receiver?.upstream(self, didReceiveBody: bytes) }
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
        let reader = BodyReader(head.framing(answering: method), trailers: .answers)
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
            !isStream && hasSentRequest && !isOfferToPay && inbound.readableBytes == 0 && head?.keepsAlive == true
        if mayKeep {
            setReading(true)
            park()
        } else {
            close()
        }
        head = nil
        receiver?.upstreamDidFinish(self)
    }

    /// Whether the whole request has left the process.
    ///
    /// What a server answers before it has read the request may be followed by the rest, which it then reads as it likes.
    private var hasSentRequest: Bool {
        guard isRequestComplete else { return false }
        guard writes > 1 else { return true }
        return (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0
    }

    // MARK: Between exchanges

    /// Whether it can carry more than one exchange.
    var mayBeKept: Bool { !isStream }

    /// Says where the connection is kept between exchanges.
    func assign(to shelf: IdleConnections.Shelf, idleLimit: Int) {
        self.shelf = shelf
        self.idleLimit = idleLimit
    }

    /// Keeps an open connection for its owner.
    func park() {
        guard let pool, let shelf else { return close() }
        phase = .idle
        isReused = true
        inbound = ByteBuffer()
        idleSince = .now()
        idleUntil = idleSince + pool.idleTime(to: destination, hint: head.flatMap(Self.hint))
        pool.keep(self, on: shelf, limit: idleLimit)
    }

    /// The idle time that a server says it allows; at most an hour.
    private static func hint(_ head: ResponseHead) -> TimeAmount? {
        guard let line = head.fields.first(.keepAlive) else { return nil }
        for parameter in head.fields.text(line).split(separator: ",") {
            let pair = parameter.trimmingBlanks.lowercased().split(separator: "=")
            if pair.count == 2, pair[0] == "timeout", let seconds = Int64(pair[1]) {
                return .seconds(max(0, min(seconds, 3600)))
            }
        }
        return nil
    }

    /// After how much silence the peer of an idle connection is asked whether it is still there.
    private static let silence = TimeAmount.seconds(4)

    /// Lets the system ask a silent peer whether it is still there: three probes within six seconds, or the connection ends.
    func probeWhenSilent(at now: NIODeadline) {
        guard !isProbed, now - idleSince >= Self.silence, let options = context?.channel.syncOptions else { return }
        isProbed = true
        try? options.setOption(.socketOption(.so_keepalive), value: 1)
        try? options.setOption(.tcpOption(.init(rawValue: keepAliveIdle)), value: 4)
        try? options.setOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 2)
        try? options.setOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
    }

    /// Leaves it to the exchange's own time-outs how long a peer may be out of reach.
    func stopProbing() {
        guard isProbed else { return }
        isProbed = false
        try? context?.channel.syncOptions?.setOption(.socketOption(.so_keepalive), value: 0)
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
        case .idle: pool?.serverClosed(self)
        case .connecting, .switched, .closed: break
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
