import NIOCore
import NIOPosix

/// Opens connections, and lets origins rest that could not be reached.
///
/// Not thread-safe: every call is made on the loop.
final class UpstreamDialer {
    /// What a connection turned out to speak.
    enum Dialed {
        case http1(UpstreamConnection)
        case http2(HTTP2Session)
    }

    private let loop: any EventLoop
    private let tls: TLSClientContext
    /// Where the connections come back to.
    weak var pool: UpstreamPool?
    /// Origins that could not be reached of late.
    private var breakers: [Origin: CircuitBreaker] = [:]
    /// Origins of which that is remembered.
    private static let breakerLimit = 1024

    init(loop: any EventLoop, tls: TLSClientContext) {
        self.loop = loop
        self.tls = tls
    }

    /// Opens a connection; `completion` is called once, on the loop, after the TLS handshake where there is one.
    ///
    /// With `sessions` HTTP/2 is offered and a connection that speaks it is one of theirs. `resolver` looks the host up;
    /// without one the system does, and any address is dialled.
    func dial(
        _ origin: Origin, sessions: HTTP2Sessions?, timeout: TimeAmount, resolver: GuardedResolver?,
        completion: @escaping (Result<Dialed, UpstreamFailure>) -> Void
    ) {
        if let rest = breakers[origin]?.rest(at: .now()) {
            // Not from within the call, as nobody else is answered either.
            let seconds = (rest.nanoseconds + 999_999_999) / 1_000_000_000
            return loop.assumeIsolated().execute { completion(.failure(.resting(seconds: max(1, seconds)))) }
        }
        let attempt = ConnectAttempt { result in
            self.note(result, at: origin)
            completion(result)
        }
        let bound = NIOLoopBound((dialer: self, sessions: sessions, attempt: attempt), eventLoop: loop)
        let expiry = loop.assumeIsolated().scheduleTask(in: timeout) { attempt.finish(.failure(.connectTimeout)) }
        attempt.whenFinished = { expiry.cancel() }
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .resolver(resolver)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: ConnectionBuffers.reading)
            .channelOption(.maxMessagesPerRead, value: ConnectionBuffers.readsAtOnce)
            .channelOption(.writeBufferWaterMark, value: ConnectionBuffers.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (dialer, sessions, attempt) = bound.value
                    attempt.channels.append(channel)
                    try dialer.prepare(channel, to: origin, sessions: sessions, attempt: attempt)
                }
            }
            .connect(host: origin.host, port: origin.port)
            .assumeIsolated()
            .whenFailure { error in
                attempt.finish(.failure(UpstreamFailure(connecting: error)))
            }
    }

    private func prepare(
        _ channel: any Channel, to origin: Origin, sessions: HTTP2Sessions?, attempt: ConnectAttempt
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if origin.isSecure {
            try pipeline.addHandler(
                tls.makeClientHandler(
                    serverName: origin.host, port: origin.port, offersHTTP2: sessions != nil))
        }
        if origin.isSecure, let sessions {
            try pipeline.addHandler(
                ProtocolChoice(origin: origin, pool: pool, sessions: sessions) { attempt.finish($0) })
        } else {
            try pipeline.addHandler(
                UpstreamConnection(origin: origin, pool: pool) { attempt.finish($0.map(Dialed.http1)) })
        }
    }

    /// Remembers what became of a try to connect.
    private func note(_ result: Result<Dialed, UpstreamFailure>, at origin: Origin) {
        switch result {
        case .success: breakers[origin] = nil
        case .failure(.connect), .failure(.connectTimeout), .failure(.tls):
            guard breakers[origin] != nil || breakers.count < Self.breakerLimit else { return }
            breakers[origin, default: CircuitBreaker()].failed(at: .now())
        case .failure: break
        }
    }
}

/// One attempt to connect; only its first outcome counts, and a connection that comes too late is closed.
private final class ConnectAttempt {
    private var completion: ((Result<UpstreamDialer.Dialed, UpstreamFailure>) -> Void)?
    /// What was opened for it: a peer that accepts and then never finishes its handshake must not keep a socket.
    var channels: [any Channel] = []
    var whenFinished: () -> Void = {}

    init(_ completion: @escaping (Result<UpstreamDialer.Dialed, UpstreamFailure>) -> Void) {
        self.completion = completion
    }

    func finish(_ result: Result<UpstreamDialer.Dialed, UpstreamFailure>) {
        guard let completion else {
            switch result {
            case .success(.http1(let connection)): connection.close()
            case .success(.http2(let session)): session.close()
            case .failure: break
            }
            return
        }
        self.completion = nil
        whenFinished()
        if case .failure = result { for channel in channels { channel.close(promise: nil) } }
        channels = []
        completion(result)
    }
}
