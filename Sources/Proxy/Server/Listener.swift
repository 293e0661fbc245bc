import NIOCore
import NIOPosix
import Transport

/// One place at which agents connect.
struct Listener: Sendable {
    /// Where it is, with the port that was taken.
    let place: ListeningPlace
    private let channel: any Channel
    private let file: UnixSocketFile?

    /// The port; nil at a file.
    var port: Int? { channel.localAddress?.port }

    private static let backlog: Int32 = 1024

    /// Binds, and accepts nobody yet; throws ``ListenFailure``.
    static func open(
        _ place: ListeningPlace, loops: LoopTable
    ) async throws -> Listener {
        do {
            switch place {
            case .address(let host, let port):
                let channel = try await bootstrap(for: .address, loops).bind(host: host, port: port).get()
                return Listener(
                    place: .address(host: host, port: channel.localAddress?.port ?? port), channel: channel, file: nil)
            case .secure(let host, let port, let identity):
                let bootstrap = bootstrap(for: .address, by: identity, loops)
                let channel = try await bootstrap.bind(host: host, port: port).get()
                return Listener(
                    place: .secure(host: host, port: channel.localAddress?.port ?? port, identity: identity),
                    channel: channel, file: nil)
            case .socket(let path, let mode):
                let file = try UnixSocketFile(path: path, mode: mode)
                do {
                    let channel = try await bootstrap(for: .file, loops).withBoundSocket(file.descriptor).get()
                    ListenBacklog.set(backlog, of: file.descriptor)
                    return Listener(place: place, channel: channel, file: file)
                } catch {
                    file.remove()
                    throw error
                }
            case .inherited(let descriptor):
                guard let family = ListeningFamily(descriptor: descriptor) else {
                    throw ListenFailure(place, .notListening)
                }
                let channel = try await bootstrap(for: family, loops).withBoundSocket(descriptor).get()
                ListenBacklog.set(backlog, of: descriptor)
                return Listener(place: Self.place(of: channel) ?? place, channel: channel, file: nil)
            }
        } catch let error as IOError {
            throw ListenFailure(place, .system(error.errnoCode))
        }
    }

    private static func bootstrap(
        for family: ListeningFamily, by identity: ListenerIdentity? = nil, _ loops: LoopTable
    ) -> ServerBootstrap {
        ServerBootstrap(group: loops.group)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([loops.spread.handler(), AcceptPause()])
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: ConnectionBuffers.reading)
            .childChannelOption(.maxMessagesPerRead, value: ConnectionBuffers.readsAtOnce)
            .childChannelOption(.writeBufferWaterMark, value: ConnectionBuffers.waterMark)
            .childChannelInitializer { channel in
                switch (family, identity) {
                case (.address, let identity?):
                    channel.eventLoop.makeCompletedFuture { try loops.serve(channel, by: identity) }
                case (.address, nil): channel.eventLoop.makeCompletedFuture { try loops.serve(channel, peer: nil) }
                case (.file, _):
                    // Who cannot be known is not served.
                    PeerIdentity.ofPeer(of: channel).flatMapThrowing { try loops.serve(channel, peer: $0) }
                }
            }
    }

    /// Where a socket listens that was bound by somebody else.
    private static func place(of channel: any Channel) -> ListeningPlace? {
        guard let address = channel.localAddress else { return nil }
        if let host = address.ipAddress, let port = address.port { return .address(host: host, port: port) }
        return address.pathname.map { .socket(path: $0, mode: 0) }
    }

    /// Begins to accept.
    func accept() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// Ends it; the file of a socket that this process made goes too.
    func close() async {
        file?.remove()
        try? await channel.close().get()
    }
}

extension LoopTable {
    /// Serves a connection on its loop.
    fileprivate func serve(_ channel: any Channel, peer: PeerIdentity?) throws {
        guard let shared = self[channel.eventLoop] else { throw ChannelError.ioOnClosedChannel }
        let place = shared.admit(channel)
        try channel.pipeline.syncOperations.addHandler(
            AgentConnection(shared: shared, place: place, peer: peer.map { .process($0) }))
    }

    /// Serves a connection that begins with a TLS handshake; where too many are under way the oldest ends.
    fileprivate func serve(_ channel: any Channel, by identity: ListenerIdentity) throws {
        guard let shared = self[channel.eventLoop] else { throw ChannelError.ioOnClosedChannel }
        let place = shared.admit(channel)
        let handshake = shared.handshakes.begin(from: channel.remoteAddress) { channel.close(promise: nil) }
        let security = identity.current
        try channel.pipeline.syncOperations.addHandlers([
            security.makeServerHandler(admits: { [weak handshake] in handshake?.admits(pass: $0) ?? false }),
            AgentConnection(shared: shared, place: place, security: security, handshake: handshake),
        ])
    }
}
