import Ethereum
import NIOCore
package import NIOPosix
import Policy
package import Primitives
import Synchronization

/// A merchant that misbehaves in every way of Specs/misbehaviours.json, one per path, and judges how payers take it.
///
/// It listens on loopback only: at its home port, and at a second one that stands for another origin. Nothing is
/// settled, and what payers sign is kept without the signature.
package final class EvilMerchant: Sendable {
    /// The home port.
    package let port: Int

    private let listeners: [any Channel]
    private let desk: MerchantDesk
    private let connections: OpenConnections

    private init(port: Int, listeners: [any Channel], desk: MerchantDesk, connections: OpenConnections) {
        self.port = port
        self.listeners = listeners
        self.desk = desk
        self.connections = connections
    }

    /// Binds both ports and serves until ``stop()``; port 0 takes any free one.
    ///
    /// `random` only blinds the signature library. Throws what the system says when a port cannot be bound.
    package static func start(
        port: Int = 0, clock: any WallClock, random: any RandomSource, group: MultiThreadedEventLoopGroup
    ) async throws -> EvilMerchant {
        let reader = AuthorizationReader(
            table: try AssetTable.pinned(), context: try Secp256k1Context(seed: random.bytes32()))
        let desk = try MerchantDesk(
            scripts: Misbehaviour.all, suite: CaseDescription.suite(), reader: reader, clock: clock)
        let connections = OpenConnections()
        let place = Mutex<MerchantPlace?>(nil)
        let second = try await bind(0, group) { channel in
            try serve(channel, desk, connections, isElsewhere: true, place: place.withLock { $0 })
        }
        do {
            let first = try await bind(port, group) { channel in
                try serve(channel, desk, connections, isElsewhere: false, place: place.withLock { $0 })
            }
            guard let home = first.localAddress?.port, let elsewhere = second.localAddress?.port else {
                throw SimulatorError.noPort
            }
            place.withLock { $0 = MerchantPlace(home: home, elsewhere: elsewhere) }
            for listener in [first, second] { try await listener.setOption(.autoRead, value: true).get() }
            return EvilMerchant(port: home, listeners: [first, second], desk: desk, connections: connections)
        } catch {
            try? await second.close().get()
            throw error
        }
    }

    /// Binds a loopback port and accepts nothing before automatic reading is switched on.
    private static func bind(
        _ port: Int, _ group: MultiThreadedEventLoopGroup,
        _ serve: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try serve(channel) }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    private static func serve(
        _ channel: any Channel, _ desk: MerchantDesk, _ connections: OpenConnections, isElsewhere: Bool,
        place: MerchantPlace?
    ) throws {
        guard let place else { throw ChannelError.ioOnClosedChannel }
        connections.add(channel)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(BackPressureHandler())
        try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(120)))
        try pipeline.addHandler(MerchantConnection(desk: desk, isElsewhere: isElsewhere, place: place))
    }

    /// The verdict on one case; nil when there is no such case.
    package func verdict(on name: String) -> Verdict? { desk.verdict(on: name) }

    /// The verdicts on all cases, in the order of the suite.
    package var verdicts: [Verdict] { desk.verdicts }

    /// Forgets everything that came.
    package func reset() { desk.reset() }

    /// Stops listening and closes every connection; returns when all are closed.
    package func stop() async {
        for listener in listeners { try? await listener.close().get() }
        for channel in connections.shut() { try? await channel.close().get() }
    }
}
