package import NIOCore

/// The upstream connections of one event loop.
///
/// Not thread-safe: every call is made on the loop.
///
/// Of HTTP/1.1 connections the newest idle one is used first, so that superfluous ones grow old and go; HTTP/2 connections
/// are shared.
package final class UpstreamPool {
    /// Idle connections kept for one origin.
    private static let idleLimit = 256

    private let deadlines: DeadlineSweep
    private let dialer: UpstreamDialer
    private let sessions: HTTP2Sessions
    private var idle: [Origin: [UpstreamConnection]] = [:]
    private var idleCount = 0
    private var isSwept = false

    /// Makes a pool for one loop.
    package init(loop: any EventLoop, tls: TLSClientContext, deadlines: DeadlineSweep) {
        self.deadlines = deadlines
        dialer = UpstreamDialer(loop: loop, tls: tls)
        sessions = HTTP2Sessions(loop: loop, dialer: dialer)
        dialer.pool = self
        sessions.onCountChange = { [weak self] in self?.beSwept() }
        sessions.onSpare = { [weak self] in $0.park(in: self) }
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

    /// Opens a connection, or a stream of one that is shared; `completion` is called once, on the loop, after the TLS
    /// handshake where there is one.
    ///
    /// `allowsHTTP2`: whether the exchange can do with a stream of HTTP/2, which is offered to TLS peers then. `resolver`
    /// looks the host up; without one the system does, and any address is dialled.
    package func connect(
        to origin: Origin, timeout: TimeAmount, allowsHTTP2: Bool = false, resolver: GuardedResolver? = nil,
        completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        if allowsHTTP2, origin.isSecure, !sessions.demandsHTTP1(origin) {
            return sessions.connect(to: origin, timeout: timeout, resolver: resolver, completion: completion)
        }
        dialer.dial(origin, sessions: nil, timeout: timeout, resolver: resolver) { result in
            switch result {
            case .success(.http1(let connection)): completion(.success(connection))
            // It was not offered.
            case .success(.http2(let session)):
                session.close()
                completion(.failure(.connect("the connection was closed")))
            case .failure(let failure): completion(.failure(failure))
            }
        }
    }

    func giveBack(_ connection: UpstreamConnection) {
        guard idle[connection.origin]?.count ?? 0 < Self.idleLimit else {
            connection.close()
            return
        }
        idle[connection.origin, default: []].append(connection)
        idleCount += 1
        beSwept()
    }

    func forget(_ connection: UpstreamConnection) {
        guard let index = idle[connection.origin]?.lastIndex(where: { $0 === connection }) else { return }
        idle[connection.origin]?.remove(at: index)
        forgetOne()
    }

    private func forgetOne() {
        idleCount -= 1
        beSwept()
    }

    /// Closes every idle connection, and those that are shared behind their last answers.
    package func closeIdle() {
        for connection in idle.values.joined() { connection.close() }
        sessions.drain()
    }
}

extension UpstreamPool: DeadlineBound {
    /// Idle connections are looked through at every sweep.
    package var deadline: NIODeadline? { .distantPast }

    /// Closes idle connections whose time is over.
    package func deadlinePassed() {
        let now = NIODeadline.now()
        for connection in idle.values.joined() where connection.idleUntil <= now { connection.close() }
        sessions.sweep(at: now)
    }

    private func beSwept() {
        let isNeeded = idleCount + sessions.count > 0
        guard isNeeded != isSwept else { return }
        isSwept = isNeeded
        if isNeeded { deadlines.add(self) } else { deadlines.remove(self) }
    }
}
