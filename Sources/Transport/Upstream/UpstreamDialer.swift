import NIOCore
import NIOPosix

/// Opens connections, and lets those origins rest that could not be reached.
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
    /// Which addresses of hosts that agents choose are dialled; without it none is.
    var guarded: AddressGuard?
    /// Which origins could not be reached lately.
    private var breakers = OriginMemory<CircuitBreaker>()

    init(loop: any EventLoop, tls: TLSClientContext) {
        self.loop = loop
        self.tls = tls
    }

    /// Opens a connection; `completion` is called once, on the loop, after the TLS handshake where there is one.
    ///
    /// With `sessions` HTTP/2 is offered and a connection that speaks it is one of theirs. Any address of a host that the
    /// operator chose is dialled; of one that an agent chose, those that are let through.
    func dial(
        _ destination: Destination, sessions: HTTP2Sessions?, timeout: TimeAmount,
        completion: @escaping (Result<Dialed, UpstreamFailure>) -> Void
    ) {
        let origin = destination.origin
        if destination.choice.isOfAgent, guarded == nil {
            return loop.assumeIsolated().execute { completion(.failure(.addressRefused)) }
        }
        if let rest = breakers[destination]?.rest(at: .now()) {
            // Not from within the call, as nobody else is answered either.
            let seconds = (rest.nanoseconds + 999_999_999) / 1_000_000_000
            return loop.assumeIsolated().execute { completion(.failure(.resting(seconds: max(1, seconds)))) }
        }
        let attempt = ConnectAttempt { result in
            self.note(result, at: destination)
            completion(result)
        }
        let bound = NIOLoopBound((dialer: self, sessions: sessions, attempt: attempt), eventLoop: loop)
        let expiry = loop.assumeIsolated().scheduleTask(in: timeout) { attempt.finish(.failure(.connectTimeout)) }
        attempt.whenFinished = { expiry.cancel() }
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .resolver(resolver(for: destination))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: ConnectionBuffers.reading)
            .channelOption(.maxMessagesPerRead, value: ConnectionBuffers.readsAtOnce)
            .channelOption(.writeBufferWaterMark, value: ConnectionBuffers.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (dialer, sessions, attempt) = bound.value
                    attempt.channels.append(channel)
                    try dialer.prepare(channel, to: destination, sessions: sessions, attempt: attempt)
                }
            }
            .connect(host: origin.host, port: origin.port)
            .assumeIsolated()
            .whenFailure { error in
                attempt.finish(.failure(UpstreamFailure(connecting: error)))
            }
    }

    /// Looks a host up on the part of the threads of whoever chose it.
    private func resolver(for destination: Destination) -> GuardedResolver {
        switch destination.choice {
        case .daemon, .gateway: GuardedResolver(addresses: nil, loop: loop, for: .host(destination.origin.host))
        case .agent(let owner, _): GuardedResolver(addresses: guarded, loop: loop, for: .agent(owner))
        }
    }

    private func prepare(
        _ channel: any Channel, to destination: Destination, sessions: HTTP2Sessions?, attempt: ConnectAttempt
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        let origin = destination.origin
        if origin.isSecure {
            try pipeline.addHandler(
                tls.makeClientHandler(
                    serverName: origin.host, port: origin.port, chosenBy: destination.choice,
                    offersHTTP2: sessions != nil))
        }
        if origin.isSecure, let sessions {
            try pipeline.addHandler(
                ProtocolChoice(destination, pool: pool, sessions: sessions) { attempt.finish($0) })
        } else {
            try pipeline.addHandler(
                UpstreamConnection(destination, pool: pool) { attempt.finish($0.map(Dialed.http1)) })
        }
    }

    /// Remembers what became of a try to connect.
    private func note(_ result: Result<Dialed, UpstreamFailure>, at destination: Destination) {
        switch result {
        case .success: if breakers[destination] != nil { breakers[destination] = nil }
        case .failure(.connect), .failure(.connectTimeout), .failure(.tls):
            var breaker = breakers[destination] ?? CircuitBreaker()
            breaker.failed(at: .now())
            breakers[destination] = breaker
        case .failure: break
        }
    }

    /// Forgets what is known of hosts that agents chose.
    func forgetAgents() { breakers.forgetAgents() }
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
