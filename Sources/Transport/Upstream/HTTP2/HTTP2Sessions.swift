import NIOCore

/// The HTTP/2 connections of one event loop by destination, and who waits for a stream on one.
///
/// Not thread-safe: every call is made on the loop. Of several connections the oldest is used first, and another is opened
/// only for those who cannot hope for the present ones and those being opened.
final class HTTP2Sessions {
    /// Connections to one destination, those being opened included.
    private static let sessionLimit = 256
    /// How often one who waits is given a connection that is lost before its stream is there.
    private static let lossLimit = 3
    /// How long nobody is dialled behind a connection that did not come about.
    private static let dialRest = TimeAmount.seconds(1)

    private final class Shared {
        var sessions: [HTTP2Session] = []
        var waiting: CircularBuffer<Waiter> = []
        /// Connections being opened.
        var dialing = 0
        /// How many streams one connection carried last.
        var usualLimit = HTTP2Options.unsaidStreamLimit
        /// When another connection may be opened, behind one that did not come about.
        var dialsFrom = NIODeadline.distantPast
        /// Idle HTTP/1.1 connections that were last wanted at most.
        var idleLimit = ConnectionUse.usualIdleLimit
    }

    /// A request that waits for a stream.
    private struct Waiter {
        let connect: PendingConnect
        let until: NIODeadline
        /// Connections that were lost before its stream was there.
        var losses = 0
    }

    /// Why an origin is called over HTTP/1.1.
    private enum Version {
        /// It chose that when it was last asked.
        case http1Chosen
        /// It said so on HTTP/2.
        case http1Demanded
    }

    private let dialer: UpstreamDialer
    private let loop: any EventLoop
    private var destinations: [Destination: Shared] = [:]
    /// What is known of the versions that origins speak.
    private var versions = OriginMemory<Version>()
    /// How many connections there are.
    private(set) var count = 0
    /// Told when there is a first connection, or no longer one.
    var onCountChange: () -> Void = {}
    /// Takes a connection that came about although nobody waits for it any more, and how many may be kept.
    var onSpare: (UpstreamConnection, _ idleLimit: Int) -> Void = { connection, _ in connection.close() }

    init(loop: any EventLoop, dialer: UpstreamDialer) {
        self.loop = loop
        self.dialer = dialer
    }

    /// Finds a stream, or the HTTP/1.1 connection that the origin prefers.
    func connect(
        for use: ConnectionUse, timeout: TimeAmount,
        completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void
    ) {
        let (now, destination) = (NIODeadline.now(), use.destination)
        let shared = destinations[destination] ?? Shared()
        shared.idleLimit = use.idleLimit
        destinations[destination] = shared
        let waiter = Waiter(connect: PendingConnect(completion), until: now + timeout)
        if shared.waiting.isEmpty, let session = shared.sessions.first(where: { $0.offersStream(at: now) }) {
            return open(session, for: waiter, of: shared)
        }
        expire(waiter, at: now)
        // Who is known to speak HTTP/1.1 gets a connection for each request at once.
        guard versions[destination] != .http1Chosen else { return dial(destination, shared, for: waiter) }
        shared.waiting.append(waiter)
        serve(destination, shared)
    }

    /// Ends a wait in time.
    private func expire(_ waiter: Waiter, at now: NIODeadline) {
        let expiry = loop.assumeIsolated().scheduleTask(in: max(waiter.until - now, .milliseconds(1))) {
            waiter.connect.finish(.failure(.connectTimeout))
        }
        waiter.connect.whenFinished = { expiry.cancel() }
    }

    /// Whether an origin wants nothing of HTTP/2.
    func demandsHTTP1(_ destination: Destination) -> Bool { versions[destination] == .http1Demanded }

    /// Ends every connection behind its last answer.
    func drain() {
        for session in destinations.values.flatMap(\.sessions) { session.drain() }
    }

    /// Looks after connections and streams whose time is over.
    func sweep(at now: NIODeadline) {
        for session in destinations.values.flatMap(\.sessions) { session.sweep(at: now) }
        for (destination, shared) in destinations where !shared.waiting.isEmpty { serve(destination, shared) }
    }

    // MARK: What sessions tell

    /// There may be room for a stream, or for more of them.
    func roomChanged(for destination: Destination) {
        guard let shared = destinations[destination], !shared.waiting.isEmpty else { return }
        serve(destination, shared)
    }

    /// A connection is closed.
    func sessionEnded(_ session: HTTP2Session) {
        guard let shared = destinations[session.destination],
            let index = shared.sessions.firstIndex(where: { $0 === session })
        else { return }
        shared.sessions.remove(at: index)
        count -= 1
        if count == 0 { onCountChange() }
        serve(session.destination, shared)
    }

    /// An origin reset a stream since it wants HTTP/1.1 for it.
    func http1IsRequired(by destination: Destination) { versions[destination] = .http1Demanded }

    /// Forgets what is known of hosts that agents chose.
    func forgetAgents() { versions.forgetAgents() }

    // MARK: Who waits

    private func serve(_ destination: Destination, _ shared: Shared) {
        let now = NIODeadline.now()
        while let waiter = shared.waiting.first {
            guard !waiter.connect.isFinished else {
                shared.waiting.removeFirst()
                continue
            }
            guard let session = shared.sessions.first(where: { $0.offersStream(at: now) }) else { break }
            shared.waiting.removeFirst()
            if let limit = session.life.limit { shared.usualLimit = max(1, limit) }
            open(session, for: waiter, of: shared)
        }
        let hope = shared.sessions.reduce(0) { $0 + $1.life.hope(guess: shared.usualLimit) }
        var hopeless = shared.waiting.count - hope - shared.dialing * shared.usualLimit
        while hopeless > 0, now >= shared.dialsFrom, shared.sessions.count + shared.dialing < Self.sessionLimit {
            dial(destination, shared, for: nil)
            hopeless -= shared.usualLimit
        }
        if shared.sessions.isEmpty, shared.waiting.isEmpty, shared.dialing == 0, destinations[destination] === shared {
            destinations[destination] = nil
        }
    }

    private func open(_ session: HTTP2Session, for waiter: Waiter, of shared: Shared) {
        session.open { result in
            // The connection was lost before the stream was there: nothing was sent.
            guard case .failure(.notProcessed) = result, !waiter.connect.isFinished else {
                return waiter.connect.finish(result)
            }
            var waiter = waiter
            // The first connection was had without waiting.
            if waiter.losses == 0 { self.expire(waiter, at: .now()) }
            waiter.losses += 1
            guard waiter.losses < Self.lossLimit else {
                return waiter.connect.finish(.failure(.connect("the connection was closed")))
            }
            self.destinations[session.destination] = shared
            shared.waiting.prepend(waiter)
            self.serve(session.destination, shared)
        }
    }

    /// Opens a connection: for one who waits, or for the first who does then.
    private func dial(_ destination: Destination, _ shared: Shared, for waiter: Waiter?) {
        guard let first = waiter ?? shared.waiting.first else { return }
        if waiter == nil { shared.dialing += 1 }
        let timeout = max(first.until - .now(), .milliseconds(1))
        dialer.dial(destination, sessions: self, timeout: timeout) { result in
            if waiter == nil { shared.dialing -= 1 }
            switch result {
            case .success(.http2(let session)):
                shared.dialsFrom = .distantPast
                if self.versions[destination] == .http1Chosen { self.versions[destination] = nil }
                self.add(session, to: shared)
                if let waiter { (self.destinations[destination] ?? shared).waiting.prepend(waiter) }
                if let other = self.destinations[destination], other !== shared { self.serve(destination, other) }
            case .success(.http1(let connection)):
                self.answer(with: connection, destination, shared, waiter: waiter)
            case .failure(let failure):
                if let waiter { waiter.connect.finish(.failure(failure)) }
                if waiter == nil { self.dialFailed(shared, failure) }
            }
            self.serve(destination, shared)
        }
    }

    private func add(_ session: HTTP2Session, to shared: Shared) {
        // Where nobody waited any more it may have been forgotten, and begun anew by others.
        let shared = destinations[session.destination] ?? shared
        destinations[session.destination] = shared
        shared.sessions.append(session)
        count += 1
        if count == 1 { onCountChange() }
    }

    /// The origin speaks HTTP/1.1: each who waits gets a connection.
    private func answer(
        with connection: UpstreamConnection, _ destination: Destination, _ shared: Shared, waiter: Waiter?
    ) {
        versions[destination] = .http1Chosen
        if let waiter { return waiter.connect.finish(.success(connection)) }
        shared.waiting.removeAll { $0.connect.isFinished }
        guard let first = shared.waiting.popFirst() else { return onSpare(connection, shared.idleLimit) }
        first.connect.finish(.success(connection))
        let others = shared.waiting
        shared.waiting = []
        for other in others { dial(destination, shared, for: other) }
    }

    /// While other connections are there or on their way, one of them may still do for those who wait; and nobody is dialled
    /// again at once, since a refusal may come in no time.
    private func dialFailed(_ shared: Shared, _ failure: UpstreamFailure) {
        shared.dialsFrom = .now() + Self.dialRest
        if shared.dialing == 0, shared.sessions.allSatisfy(\.life.isEnding) { fail(shared, failure) }
    }

    private func fail(_ shared: Shared, _ failure: UpstreamFailure) {
        let waiting = shared.waiting
        shared.waiting = []
        for waiter in waiting { waiter.connect.finish(.failure(failure)) }
    }
}
