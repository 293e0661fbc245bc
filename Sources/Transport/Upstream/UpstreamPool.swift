package import NIOCore
import NIOPosix

/// The upstream connections of one event loop.
///
/// Not thread-safe: every call is made on the loop.
///
/// The newest idle connection is used first, so that superfluous ones grow old and go.
package final class UpstreamPool {
    /// Idle connections kept for one origin.
    private static let idleLimit = 256

    private let loop: any EventLoop
    private let tls: TLSClientContext
    private let deadlines: DeadlineSweep
    private var idle: [Origin: [UpstreamConnection]] = [:]
    private var idleCount = 0
    /// Origins that could not be reached of late.
    private var breakers: [Origin: CircuitBreaker] = [:]
    /// Origins of which that is remembered.
    private static let breakerLimit = 1024

    /// Makes a pool for one loop.
    package init(loop: any EventLoop, tls: TLSClientContext, deadlines: DeadlineSweep) {
        self.loop = loop
        self.tls = tls
        self.deadlines = deadlines
    }

    /// Takes an idle connection to an origin, if there is one that can still be trusted.
    package func idleConnection(to origin: Origin) -> UpstreamConnection? {
        let now = NIODeadline.now()
        while let connection = idle[origin]?.popLast() {
            forgetOne()
            if connection.isOpen, connection.idleUntil > now { return connection }
            connection.close()
        }
        return nil
    }

    /// Opens a connection; `completion` is called once, on the loop, after the TLS handshake where there is one.
    ///
    /// `resolver` looks the host up; without one the system does, and any address is dialled.
    package func connect(
        to origin: Origin, timeout: TimeAmount, resolver: GuardedResolver? = nil,
        completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
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
        let bound = NIOLoopBound((pool: self, attempt: attempt), eventLoop: loop)
        let expiry = loop.assumeIsolated().scheduleTask(in: timeout) { attempt.finish(.failure(.connectTimeout)) }
        attempt.whenFinished = { expiry.cancel() }
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .resolver(resolver)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (pool, attempt) = bound.value
                    let pipeline = channel.pipeline.syncOperations
                    if origin.isSecure {
                        try pipeline.addHandler(
                            pool.tls.makeClientHandler(serverName: origin.host, port: origin.port))
                    }
                    let connection = UpstreamConnection(origin: origin, pool: pool) { attempt.finish($0) }
                    attempt.connections.append(connection)
                    try pipeline.addHandler(connection)
                }
            }
            .connect(host: origin.host, port: origin.port)
            .assumeIsolated()
            .whenFailure { error in
                attempt.finish(.failure(UpstreamFailure(connecting: error)))
            }
    }

    /// Remembers what became of a try to connect.
    private func note(_ result: Result<UpstreamConnection, UpstreamFailure>, at origin: Origin) {
        switch result {
        case .success: breakers[origin] = nil
        case .failure(.connect), .failure(.connectTimeout), .failure(.tls):
            guard breakers[origin] != nil || breakers.count < Self.breakerLimit else { return }
            breakers[origin, default: CircuitBreaker()].failed(at: .now())
        case .failure: break
        }
    }

    func giveBack(_ connection: UpstreamConnection) {
        guard idle[connection.origin]?.count ?? 0 < Self.idleLimit else {
            connection.close()
            return
        }
        idle[connection.origin, default: []].append(connection)
        idleCount += 1
        if idleCount == 1 { deadlines.add(self) }
    }

    func forget(_ connection: UpstreamConnection) {
        guard let index = idle[connection.origin]?.lastIndex(where: { $0 === connection }) else { return }
        idle[connection.origin]?.remove(at: index)
        forgetOne()
    }

    private func forgetOne() {
        idleCount -= 1
        if idleCount == 0 { deadlines.remove(self) }
    }

    /// Closes every idle connection.
    package func closeIdle() {
        for connection in idle.values.joined() { connection.close() }
    }
}

extension UpstreamPool: DeadlineBound {
    /// Idle connections are looked through at every sweep.
    package var deadline: NIODeadline? { .distantPast }

    /// Closes idle connections whose time is over.
    package func deadlinePassed() {
        let now = NIODeadline.now()
        for connection in idle.values.joined() where connection.idleUntil <= now { connection.close() }
    }
}

/// One attempt to connect; only its first outcome counts, and a connection that comes too late is closed.
private final class ConnectAttempt {
    private var completion: ((Result<UpstreamConnection, UpstreamFailure>) -> Void)?
    /// What was opened for it: a peer that accepts and then never finishes its handshake must not keep a socket.
    var connections: [UpstreamConnection] = []
    var whenFinished: () -> Void = {}

    init(_ completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void) {
        self.completion = completion
    }

    func finish(_ result: Result<UpstreamConnection, UpstreamFailure>) {
        guard let completion else {
            if case .success(let connection) = result { connection.close() }
            return
        }
        self.completion = nil
        whenFinished()
        if case .failure = result { for connection in connections { connection.close() } }
        connections = []
        completion(result)
    }
}
