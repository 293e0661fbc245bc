package import NIOCore

/// The upstream connections of one event loop.
///
/// An HTTP/1.1 connection carries the exchanges of one owner; HTTP/2 connections are shared, since their framing leaves
/// nothing over. Not thread-safe: every call is made on the loop.
package final class UpstreamPool {
    private let deadlines: DeadlineSweep
    private let dialer: UpstreamDialer
    private let sessions: HTTP2Sessions
    private let idle: IdleConnections
    private var idleTimeouts = OriginMemory<IdleTimeout>()
    private var isSwept = false

    /// Which addresses of hosts that agents choose are dialled; without it none is.
    package var guarded: AddressGuard? {
        get { dialer.guarded }
        set { dialer.guarded = newValue }
    }

    /// Makes a pool for one loop; `idle` is shared with the pools of the other loops.
    package init(loop: any EventLoop, tls: TLSClientContext, deadlines: DeadlineSweep, idle: IdleBound = IdleBound()) {
        self.deadlines = deadlines
        self.idle = IdleConnections(loop: loop, bound: idle)
        dialer = UpstreamDialer(loop: loop, tls: tls)
        sessions = HTTP2Sessions(loop: loop, dialer: dialer)
        dialer.pool = self
        sessions.onCountChange = { [weak self] in self?.beSwept() }
        sessions.onSpare = { [weak self] connection, idleLimit in
            guard let self else { return connection.close() }
            // It has carried nothing, so that anybody may have it.
            let shelf = self.idle.shelf(for: connection.destination, owner: nil)
            connection.assign(to: shelf, idleLimit: idleLimit)
            connection.park()
        }
    }

    /// Takes an idle connection, if there is one that can still be trusted.
    package func idleConnection(for use: ConnectionUse) -> UpstreamConnection? {
        guard idle.count > 0 else { return nil }
        if let connection = take(use.destination, owner: use.owner) { return connection }
        guard let connection = take(use.destination, owner: nil) else { return nil }
        connection.assign(to: idle.shelf(for: use.destination, owner: use.owner), idleLimit: use.idleLimit)
        return connection
    }

    private func take(_ destination: Destination, owner: ConnectionOwner?) -> UpstreamConnection? {
        guard let shelf = idle.existingShelf(for: destination, owner: owner) else { return nil }
        let now = NIODeadline.now()
        while let connection = idle.take(from: shelf) {
            beSwept()
            if connection.isOpen, connection.idleUntil > now {
                connection.stopProbing()
                return connection
            }
            connection.close()
        }
        return nil
    }

    /// Opens a connection, or a stream of one that is shared; `completion` is called once, on the loop, after the TLS
    /// handshake where there is one.
    ///
    /// `allowsHTTP2`: whether the exchange can do with a stream of HTTP/2, which is offered to TLS peers then.
    package func connect(
        for use: ConnectionUse, timeout: TimeAmount, allowsHTTP2: Bool = false,
        completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        let assigned: (Result<UpstreamConnection, UpstreamFailure>) -> Void = { result in
            if case .success(let connection) = result, connection.mayBeKept {
                connection.assign(
                    to: self.idle.shelf(for: use.destination, owner: use.owner), idleLimit: use.idleLimit)
            }
            completion(result)
        }
        if allowsHTTP2, use.destination.origin.isSecure, !sessions.demandsHTTP1(use.destination) {
            return sessions.connect(for: use, timeout: timeout, completion: assigned)
        }
        dialer.dial(use.destination, sessions: nil, timeout: timeout) { result in
            switch result {
            case .success(.http1(let connection)): assigned(.success(connection))
            // It was not offered.
            case .success(.http2(let session)):
                session.close()
                completion(.failure(.connect("the connection was closed")))
            case .failure(let failure): completion(.failure(failure))
            }
        }
    }

    /// How long a connection may be idle from now on; `hint` is what its server said.
    func idleTime(to destination: Destination, hint: TimeAmount?) -> TimeAmount {
        guard !destination.choice.isOfAgent else {
            return min(IdleTimeout.ofAgents, IdleTimeout().trust(hint: hint, at: .now()))
        }
        return (idleTimeouts[destination] ?? IdleTimeout()).trust(hint: hint, at: .now())
    }

    func keep(_ connection: UpstreamConnection, on shelf: IdleConnections.Shelf, limit: Int) {
        idle.keep(connection, on: shelf, limit: limit)
        beSwept()
    }

    func forget(_ connection: UpstreamConnection) {
        idle.forget(connection)
        beSwept()
    }

    /// A server closed a connection while it was idle.
    func serverClosed(_ connection: UpstreamConnection) {
        guard !connection.destination.choice.isOfAgent else { return }
        var timeout = idleTimeouts[connection.destination] ?? IdleTimeout()
        timeout.serverClosed(after: .now() - connection.idleSince, at: .now())
        idleTimeouts[connection.destination] = timeout
    }

    /// Closes every idle connection, and those that are shared after their last answers; forgets what was learned about
    /// hosts that agents chose.
    package func closeIdle() {
        for connection in idle.all { connection.close() }
        sessions.drain()
        sessions.forgetAgents()
        dialer.forgetAgents()
    }
}

extension UpstreamPool: DeadlineBound {
    /// Idle connections are looked through at every sweep.
    package var deadline: NIODeadline? { .distantPast }

    /// Closes idle connections whose time is over.
    package func deadlinePassed() {
        let now = NIODeadline.now()
        for connection in idle.all {
            if connection.idleUntil <= now { connection.close() } else { connection.probeWhenSilent(at: now) }
        }
        idle.tidy()
        sessions.sweep(at: now)
    }

    private func beSwept() {
        let isNeeded = idle.count + sessions.count > 0
        guard isNeeded != isSwept else { return }
        isSwept = isNeeded
        if isNeeded { deadlines.add(self) } else { deadlines.remove(self) }
    }
}
