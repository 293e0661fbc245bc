import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization
import TestSupport
import Transport

/// A gateway that speaks HTTP/2 behind TLS and does what a script says, right or wrong.
final class HTTP2Upstream: Sendable {
    /// A request as it arrived.
    struct Request: Sendable {
        /// Connections are counted from 0.
        let connection: Int
        let stream: Int
        let headers: HPACKHeaders
        var body: [UInt8] = []
        var trailers: HPACKHeaders?

        subscript(name: String) -> [String] { headers[name] }

        var isPaid: Bool { !headers["payment-signature"].isEmpty || !headers["x-payment"].isEmpty }
    }

    /// What is done behind a request, one after another.
    enum Step: Sendable {
        case head(HPACKHeaders, end: Bool)
        case data([UInt8], end: Bool)
        case reset(HTTP2ErrorCode)
        /// Says that streams above it are not looked at.
        case goAway(last: Int)
        /// Waits until the gate is open.
        case hold(Gate)
        /// Sends this many pieces of 16 KiB as fast as the stream takes them.
        case flow(pieces: Int, sent: Progress)
        /// Ends the connection, and all its streams.
        case disconnect
        /// Bytes on the connection that nobody has made into frames.
        case raw([UInt8])
    }

    typealias Script = @Sendable (Request) -> [Step]

    let port: Int
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let log = Log()

    /// What came so far.
    final class Log: Sendable {
        struct Entries {
            var requests: [Request] = []
            var connections = 0
            /// Streams that are open, and the most there were on one connection.
            var open: [Int: Int] = [:]
            var most = 0
            var resets: [HTTP2ErrorCode] = []
        }

        let entries = Mutex(Entries())
    }

    /// `streams` is how many it allows on a connection; `pushes`: it sends the setting that only a client may send; a request with `early: yes` is answered before its body has come.
    init(
        folder: TemporaryFolder, streams: Int = 100, pushes: Bool = false, script: @escaping Script
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let context = try TLSServerContext(
            certificateChainFile: folder.path("cert.pem"), privateKeyFile: folder.path("key.pem"), prefersHTTP2: true)
        let log = log
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = log.entries.withLock { entries in
                        entries.connections += 1
                        return entries.connections - 1
                    }
                    try channel.pipeline.syncOperations.addHandler(context.makeServerHandler())
                    let raw = RawGate()
                    try channel.pipeline.syncOperations.addHandler(raw)
                    var options = NIOHTTP2Handler.ConnectionConfiguration()
                    options.initialSettings = [
                        HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
                        HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 20),
                        HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20),
                    ]
                    if pushes { options.initialSettings.append(HTTP2Setting(parameter: .enablePush, value: 1)) }
                    options.headerBlockValidation = .disabled
                    options.contentLengthValidation = .disabled
                    options.targetWindowSize = 4 << 20
                    var stream = NIOHTTP2Handler.StreamConfiguration()
                    stream.targetWindowSize = 1 << 20
                    stream.streamResetFrameRateLimit.maximumCount = 100_000
                    try channel.pipeline.syncOperations.addHandler(
                        NIOHTTP2Handler(
                            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: options,
                            streamConfiguration: stream
                        ) { stream in
                            stream.eventLoop.makeCompletedFuture {
                                try stream.pipeline.syncOperations.addHandler(
                                    StreamScript(connection: number, log: log, script: script))
                            }
                        })
                    try channel.pipeline.syncOperations.addHandler(Ignoring())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: 0).get()
        self.group = group
        port = listener.localAddress?.port ?? 0
    }

    /// Accepts no more connections; those that are there stay.
    func stopListening() async throws {
        try await listener.close()
    }

    func stop() async throws {
        if listener.isActive { try await listener.close() }
        try await group.shutdownGracefully()
    }

    var requests: [Request] { log.entries.withLock { $0.requests } }
    var connectionCount: Int { log.entries.withLock { $0.connections } }
    /// The most streams that were open at once on one connection.
    var mostStreams: Int { log.entries.withLock { $0.most } }
    /// With what streams were reset by the other side.
    var resets: [HTTP2ErrorCode] { log.entries.withLock { $0.resets } }
}

extension HTTP2Upstream.Step {
    /// A head with a status.
    static func head(_ status: Int, _ fields: [(String, String)] = [], end: Bool = false) -> Self {
        .head(HPACKHeaders([(":status", "\(status)")] + fields), end: end)
    }

    static func data(_ text: String, end: Bool = false) -> Self { .data(Array(text.utf8), end: end) }

    /// Fields behind a body.
    static func trailers(_ fields: [(String, String)]) -> Self { .head(HPACKHeaders(fields), end: true) }
}

extension [HTTP2Upstream.Step] {
    /// A whole answer with its length.
    static func answer(_ status: Int, _ lines: [String] = [], body: String = "") -> Self {
        let fields = lines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (line[..<colon].lowercased(), String(line[colon...].dropFirst(2)))
        }
        return [
            .head(status, fields + [("content-length", "\(body.utf8.count)")], end: body.isEmpty)
        ] + (body.isEmpty ? [] : [.data(body, end: true)])
    }

    /// A challenge.
    static var unpaid: Self { .answer(402, [Seller.challenge()], body: "{}") }
}

/// A way around the frames.
private final class RawGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let bytes = event as? ByteBuffer else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
    }
}

/// The end of a connection's pipeline.
private final class Ignoring: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTP2Errors.BadClientMagic { context.close(promise: nil) }
    }
}

/// One stream: collects the request, then does what the script says.
private final class StreamScript: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let connection: Int
    private let log: HTTP2Upstream.Log
    private let script: HTTP2Upstream.Script
    private var request: HTTP2Upstream.Request?
    private var steps: ArraySlice<HTTP2Upstream.Step> = []
    private var isBusy = false
    private var hasBegun = false

    init(connection: Int, log: HTTP2Upstream.Log, script: @escaping HTTP2Upstream.Script) {
        self.connection = connection
        self.log = log
        self.script = script
    }

    func channelActive(context: ChannelHandlerContext) {
        log.entries.withLock { entries in
            entries.open[connection, default: 0] += 1
            entries.most = max(entries.most, entries.open[connection] ?? 0)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        steps = []
        log.entries.withLock { $0.open[connection, default: 0] -= 1 }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isLast: Bool
        switch unwrapInboundIn(data) {
        case .headers(let block):
            isLast = block.endStream
            if request == nil {
                let id = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
                request = HTTP2Upstream.Request(
                    connection: connection, stream: id.map { Int($0) } ?? 0, headers: block.headers)
            } else {
                request?.trailers = block.headers
            }
        case .data(let data):
            isLast = data.endStream
            if case .byteBuffer(let bytes) = data.data { request?.body += Array(bytes.readableBytesView) }
        case .rstStream(let code):
            return log.entries.withLock { $0.resets.append(code) }
        default: return
        }
        guard isLast || request?["early"] == ["yes"], !hasBegun, let request else { return }
        hasBegun = true
        log.entries.withLock { $0.requests.append(request) }
        steps = script(request)[...]
        go(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { go(context) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func go(_ context: ChannelHandlerContext) {
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        while let step = steps.first {
            steps.removeFirst()
            switch step {
            case .head(let headers, let end): write(.headers(.init(headers: headers, endStream: end)), context)
            case .data(let bytes, let end):
                write(.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: end)), context)
            case .reset(let code): write(.rstStream(code), context)
            case .goAway(let last):
                let frame = HTTP2Frame(
                    streamID: .rootStream,
                    payload: .goAway(lastStreamID: HTTP2StreamID(last), errorCode: .noError, opaqueData: nil))
                context.channel.parent?.writeAndFlush(frame, promise: nil)
            case .hold(let gate):
                guard !gate.isOpenNow else { continue }
                steps = [step] + steps
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                _ = context.eventLoop.scheduleTask(in: .milliseconds(2)) {
                    let (script, context) = bound.value
                    script.go(context)
                }
                return
            case .flow(let pieces, let sent):
                guard pieces > 0 else { continue }
                steps = [.flow(pieces: pieces - 1, sent: sent)] + steps
                let piece = ByteBuffer(repeating: 0x61, count: 16 << 10)
                write(.data(.init(data: .byteBuffer(piece))), context)
                sent.add(piece.readableBytes)
                guard context.channel.isWritable else { return }
            case .disconnect: context.channel.parent?.close(promise: nil)
            case .raw(let bytes):
                context.channel.parent?.triggerUserOutboundEvent(ByteBuffer(bytes: bytes), promise: nil)
            }
        }
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(payload), promise: nil)
    }
}
