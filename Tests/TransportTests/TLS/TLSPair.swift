import NIOCore
import NIOEmbedded

@testable import Transport

/// What reached the application behind a TLS handler, in order.
enum TLSSeen: Equatable {
    case active
    case handshake(TLSHandshakeSummary)
    case bytes(ByteBuffer)
    case readComplete
    case closeNotify
    case failure(TLSError)
    case otherError
    case inactive
}

/// The application's side of a pipeline: writes down what it sees.
final class TLSRecorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private(set) var seen: [TLSSeen] = []
    /// Called for each entry after it was written down, for tests that act on an event.
    var onEvent: ((TLSSeen, ChannelHandlerContext) -> Void)?

    /// All plaintext so far.
    var bytes: ByteBuffer {
        var all = ByteBuffer()
        for case .bytes(var part) in seen { all.writeBuffer(&part) }
        return all
    }

    var failures: [TLSError] {
        seen.compactMap { if case .failure(let error) = $0 { error } else { nil } }
    }

    var handshake: TLSHandshakeSummary? {
        for case .handshake(let summary) in seen { return summary }
        return nil
    }

    /// The kinds of entries without the plaintext and the cycle ends.
    var milestones: [TLSSeen] {
        seen.filter { if case .bytes = $0 { false } else { $0 != .readComplete } }
    }

    private func note(_ entry: TLSSeen, _ context: ChannelHandlerContext) {
        seen.append(entry)
        onEvent?(entry, context)
    }

    func channelActive(context: ChannelHandlerContext) { note(.active, context) }
    func channelInactive(context: ChannelHandlerContext) { note(.inactive, context) }
    func channelReadComplete(context: ChannelHandlerContext) { note(.readComplete, context) }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { note(.bytes(unwrapInboundIn(data)), context) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSEvent {
        case .handshakeCompleted(let summary): note(.handshake(summary), context)
        case .closeNotify: note(.closeNotify, context)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        note((error as? TLSError).map { .failure($0) } ?? .otherError, context)
    }
}

/// Stands where the socket would: counts what the TLS handler asks of it.
final class TLSSocketCounter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0
    private(set) var writes = 0
    private(set) var flushes = 0

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes += 1
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        flushes += 1
        context.flush()
    }
}

/// One end of a connection in memory.
final class TLSEnd {
    let channel = EmbeddedChannel()
    let recorder = TLSRecorder()
    let socket = TLSSocketCounter()

    init(_ handler: TLSHandler) throws {
        try channel.pipeline.syncOperations.addHandlers([socket, handler, recorder])
    }

    func activate() throws {
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.embeddedEventLoop.run()
    }

    /// The ciphertext written since the last call.
    func takeOutput() throws -> ByteBuffer {
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        return all
    }

    /// One read cycle of the socket.
    ///
    /// The handler's errors are recorded, not thrown.
    func receive(_ bytes: ByteBuffer) {
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
        channel.embeddedEventLoop.run()
    }

    /// The peer's FIN without another word.
    func endInput() {
        channel.pipeline.fireChannelInactive()
    }
}

/// A client and a server with nothing but this between them.
final class TLSPair {
    let client: TLSEnd
    let server: TLSEnd

    init(client: TLSHandler, server: TLSHandler) throws {
        self.client = try TLSEnd(client)
        self.server = try TLSEnd(server)
    }

    /// A client that wants `name` and a server that presents `leaf`; the same `context` for resumption.
    convenience init(
        _ leaf: TLSCertificates.Leaf = .localhost, name: String = "localhost", port: Int = 443,
        context: TLSClientContext? = nil, server: TLSServerContext? = nil
    ) throws {
        let context = try context ?? .fresh()
        let server = try server ?? .presenting(leaf)
        try self.init(
            client: context.makeClientHandler(serverName: name, port: port), server: server.makeServerHandler())
    }

    func activate() throws {
        try server.activate()
        try client.activate()
    }

    /// Carries bytes both ways until neither end has any.
    ///
    /// `step` bytes at a time if given. Returns the number of steps.
    @discardableResult
    func pump(step: Int? = nil, limit: Int = .max) throws -> Int {
        var count = 0
        var isMoving = true
        while isMoving {
            isMoving = false
            for (source, sink) in [(client, server), (server, client)] {
                var bytes = try source.takeOutput()
                while bytes.readableBytes > 0, count < limit,
                    let piece = bytes.readSlice(length: min(step ?? bytes.readableBytes, bytes.readableBytes))
                {
                    count += 1
                    isMoving = true
                    sink.receive(piece)
                }
            }
        }
        return count
    }

    /// Activates both and pumps the handshake through.
    func connect() throws {
        try activate()
        try pump()
    }
}

extension TLSClientContext {
    /// A context that trusts the test authority and has no sessions yet.
    ///
    /// Reading the system's store takes longer than a handshake, so it is done once.
    static func fresh() throws -> TLSClientContext {
        TLSClientContext(context: try trusting.get(), sessions: TLSSessionCache())
    }

    private static let trusting = Result { try makeContext(trustFile: TLSCertificates.shared().trustFile) }
}

extension TLSServerContext {
    static func presenting(_ leaf: TLSCertificates.Leaf) throws -> TLSServerContext {
        let certificates = try TLSCertificates.shared()
        return try TLSServerContext(
            certificateChainFile: certificates.chain(leaf), privateKeyFile: certificates.key(leaf))
    }
}

/// Bytes that differ from place to place, so that a lost, doubled or moved one shows: numbered blocks of noise, of a
/// length that no record or buffer has.
func patternedBytes(_ count: Int) -> ByteBuffer {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    let noise = (0..<4093).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
    var buffer = ByteBufferAllocator().buffer(capacity: count + noise.count + 8)
    while buffer.readableBytes < count {
        buffer.writeInteger(buffer.readableBytes)
        buffer.writeBytes(noise)
    }
    return buffer.getSlice(at: 0, length: count) ?? buffer
}
