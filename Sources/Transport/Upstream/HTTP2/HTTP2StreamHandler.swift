import NIOCore
import NIOHTTP2

/// One HTTP/2 stream as the HTTP/1.1 connection for one exchange that ``UpstreamConnection`` takes it for.
///
/// All state belongs to its event loop.
final class HTTP2StreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// How long a stream may take to end when nothing is left to say on it.
    private static let lingering = TimeAmount.seconds(2)

    private let session: HTTP2Session
    private var encoder = HTTP2RequestEncoder()
    private var decoder = HTTP2ResponseDecoder()
    private var context: ChannelHandlerContext?
    private var isMalformed = false
    /// When a stream that nobody listens to any more is reset.
    private(set) var lingersUntil: NIODeadline?

    init(_ session: HTTP2Session) {
        self.session = session
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: The request

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Written afterwards, as everything below may lead back here.
        var parts: [HTTP2RequestEncoder.Part] = []
        do {
            try encoder.take(unwrapOutboundIn(data)) { parts.append($0) }
            for part in parts { context.write(wrapOutboundOut(part.payload), promise: nil) }
            promise?.succeed()
        } catch {
            promise?.fail(error)
            context.fireErrorCaught(error)
        }
    }

    // MARK: The response

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isMalformed else { return }
        // Handed on afterwards, as that may end the stream from within.
        var pieces: [ByteBuffer] = []
        var problem: HTTP1Error?
        do throws(HTTP1Error) {
            switch unwrapInboundIn(data) {
            case .headers(let block):
                try decoder.take(block.headers, isLast: block.endStream, answering: encoder.method) {
                    pieces.append($0)
                }
            case .data(let data):
                guard case .byteBuffer(let bytes) = data.data else { return }
                try decoder.take(bytes, isLast: data.endStream) { pieces.append($0) }
            default: return
            }
        } catch { problem = error }
        for piece in pieces { context.fireChannelRead(wrapInboundOut(piece)) }
        guard let problem else { return }
        isMalformed = true
        if lingersUntil != nil { return reset(context) }
        context.fireErrorCaught(UpstreamFailure.malformed(problem))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isUnseen = !decoder.hasBegun && session.neverProcessed(error)
        context.fireErrorCaught(isUnseen ? UpstreamFailure.notProcessed : error)
    }

    // MARK: The end

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isMalformed {
            reset(context)
        } else if encoder.isFinished, decoder.isComplete {
            // The stream ends by itself, mostly in this very moment: peers count the streams that are reset.
            lingersUntil = .now() + Self.lingering
            promise?.succeed()
            return
        }
        context.close(mode: mode, promise: promise)
    }

    /// Ends a stream that has had its time to end by itself.
    func stopLingering() {
        context?.close(promise: nil)
    }

    private func reset(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.rstStream(.protocolError)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        session.streamEnded(self)
        context.fireChannelInactive()
    }
}

extension HTTP2RequestEncoder.Part {
    fileprivate var payload: HTTP2Frame.FramePayload {
        switch self {
        case .head(let headers, let isLast): .headers(.init(headers: headers, endStream: isLast))
        case .data(let bytes, let isLast): .data(.init(data: .byteBuffer(bytes), endStream: isLast))
        case .trailers(let headers): .headers(.init(headers: headers, endStream: true))
        }
    }
}
