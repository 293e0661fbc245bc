import NIOCore

/// Waits on a new connection for what the TLS handshake settles and puts the handlers for that in its own place.
final class ProtocolChoice: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let destination: Destination
    private weak var pool: UpstreamPool?
    private let sessions: HTTP2Sessions
    private var whenReady: ((Result<UpstreamDialer.Dialed, UpstreamFailure>) -> Void)?

    init(
        _ destination: Destination, pool: UpstreamPool?, sessions: HTTP2Sessions,
        whenReady: @escaping (Result<UpstreamDialer.Dialed, UpstreamFailure>) -> Void
    ) {
        self.destination = destination
        self.pool = pool
        self.sessions = sessions
        self.whenReady = whenReady
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSEvent, case .handshakeCompleted(let summary) = event, let whenReady else {
            return context.fireUserInboundEventTriggered(event)
        }
        self.whenReady = nil
        do {
            if summary.alpn == "h2" {
                whenReady(.success(.http2(try .start(at: context, to: destination, owner: sessions))))
            } else {
                let connection = UpstreamConnection(destination, pool: pool) { whenReady($0.map { .http1($0) }) }
                try context.pipeline.syncOperations.addHandler(connection, position: .after(self))
                context.fireUserInboundEventTriggered(event)
            }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            whenReady(.failure(.connect("the connection was closed")))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure((error as? TLSError).map { .tls($0.description) } ?? .connect(ConnectProblem.describe(error))))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(.connect("the connection was closed")))
        context.fireChannelInactive()
    }

    private func finish(_ result: Result<UpstreamDialer.Dialed, UpstreamFailure>) {
        guard let whenReady else { return }
        self.whenReady = nil
        whenReady(result)
    }
}
