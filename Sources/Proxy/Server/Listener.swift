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
        _ place: ListeningPlace, loops: LoopTable, group: MultiThreadedEventLoopGroup
    ) async throws -> Listener {
        do {
            switch place {
            case .address(let host, let port):
                let channel = try await bootstrap(for: .address, loops, group).bind(host: host, port: port).get()
                return Listener(
                    place: .address(host: host, port: channel.localAddress?.port ?? port), channel: channel, file: nil)
            case .socket(let path, let mode):
                let file = try UnixSocketFile(path: path, mode: mode)
                do {
                    let channel = try await bootstrap(for: .file, loops, group).withBoundSocket(file.descriptor).get()
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
                let channel = try await bootstrap(for: family, loops, group).withBoundSocket(descriptor).get()
                ListenBacklog.set(backlog, of: descriptor)
                return Listener(place: Self.place(of: channel) ?? place, channel: channel, file: nil)
            }
        } catch let error as IOError {
            throw ListenFailure(place, .system(error.errnoCode))
        }
    }

    private static func bootstrap(
        for family: ListeningFamily, _ loops: LoopTable, _ group: MultiThreadedEventLoopGroup
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                switch family {
                case .address: channel.eventLoop.makeCompletedFuture { try loops.serve(channel, peer: nil) }
                case .file:
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
        guard let place = shared.admit(channel) else { return try channel.pipeline.syncOperations.addHandler(NoRoom()) }
        try channel.pipeline.syncOperations.addHandler(AgentConnection(shared: shared, place: place, peer: peer))
    }
}
