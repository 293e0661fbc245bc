import NIOCore
import NIOPosix

@testable import Transport

/// What one live connection came to.
struct TLSOutcome: Sendable {
    var handshake: TLSHandshakeSummary?
    var received = ByteBuffer()
    var failures: [TLSError] = []
    var endedWithCloseNotify = false
}

/// Sends a payload when the handshake is done, gathers what comes back and closes when it has enough.
final class TLSExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private var outcome = TLSOutcome()
    private let payload: ByteBuffer
    private let expected: Int
    private let closesOutput: Bool
    private let done: EventLoopPromise<TLSOutcome>

    /// Closes when `expected` bytes have come, if the peer does not first.
    ///
    /// `closesOutput`: whether to say that the payload is all there is.
    init(payload: ByteBuffer, expected: Int, closesOutput: Bool, done: EventLoopPromise<TLSOutcome>) {
        self.payload = payload
        self.expected = expected
        self.closesOutput = closesOutput
        self.done = done
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSEvent {
        case .handshakeCompleted(let summary):
            outcome.handshake = summary
            if payload.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(payload), promise: nil) }
            if closesOutput { context.close(mode: .output, promise: nil) }
            if expected == 0 { context.close(promise: nil) }
        case .closeNotify: outcome.endedWithCloseNotify = true
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        outcome.received.writeBuffer(&bytes)
        if outcome.received.readableBytes >= expected { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { outcome.failures.append(error) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.succeed(outcome)
        context.fireChannelInactive()
    }
}

/// Returns every byte to its sender.
final class TLSEchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension TLSClientContext {
    /// Connects over loopback, does one exchange and returns what it came to.
    func exchange(
        port: Int, name: String = "localhost", payload: ByteBuffer = ByteBuffer(), expecting expected: Int = .max,
        closingOutput: Bool = false
    ) async throws -> TLSOutcome {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let done = loop.makePromise(of: TLSOutcome.self)
        let connecting = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        self.makeClientHandler(serverName: name, port: port),
                        TLSExchangeHandler(
                            payload: payload, expected: expected, closesOutput: closingOutput, done: done),
                    ])
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connecting.whenFailure { done.fail($0) }
        // A peer that hangs fails the test instead of stopping it.
        let watchdog = loop.scheduleTask(in: .seconds(20)) {
            connecting.whenSuccess { $0.close(promise: nil) }
        }
        defer { watchdog.cancel() }
        return try await done.futureResult.get()
    }
}

extension TLSServerContext {
    /// Runs an echo server on loopback for as long as `body` runs, which gets its port.
    func whileEchoing<Result: Sendable>(_ body: (Int) async throws -> Result) async throws -> Result {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([self.makeServerHandler(), TLSEchoHandler()])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(channel.localAddress?.port ?? 0)
            try await channel.close().get()
            return result
        } catch {
            try? await channel.close().get()
            throw error
        }
    }
}
