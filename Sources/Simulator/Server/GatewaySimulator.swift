package import Ethereum
import NIOCore
import NIOHTTP1
package import NIOPosix
import Policy
package import Primitives

/// Why a simulated gateway could not be set up.
package enum SimulatorError: Error, Equatable, Sendable {
    /// The pinned table has not the tokens that the gateway asks for.
    case missingAsset(String)
    /// The listening socket has no port.
    case noPort
}

/// A gateway shaped like an LLM router that sells calls by x402 and really verifies what it is paid.
///
/// No chain is involved: balances and used nonces live in memory, allowances are taken for given, transactions are made up.
package final class GatewaySimulator: Sendable {
    /// The port it listens on.
    package let port: Int

    private let listener: any Channel
    private let gateway: Gateway
    private let connections: OpenConnections

    private init(port: Int, listener: any Channel, gateway: Gateway, connections: OpenConnections) {
        self.port = port
        self.listener = listener
        self.gateway = gateway
        self.connections = connections
    }

    /// Binds the socket and serves until ``stop()``.
    ///
    /// `random` only blinds the signature library. Throws what the system says when the address cannot be bound.
    package static func start(
        _ options: SimulatorOptions, clock: any WallClock, random: any RandomSource,
        group: MultiThreadedEventLoopGroup
    ) async throws -> GatewaySimulator {
        let verifier = Verifier(context: try Secp256k1Context(seed: random.bytes32()))
        let gateway = Gateway(options: options, tenders: try tenders(), verifier: verifier, clock: clock)
        let connections = OpenConnections()
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.add(channel)
                    try configure(channel, gateway: gateway, options: options, clock: clock)
                }
            }
            .bind(host: options.host, port: options.port).get()
        guard let port = listener.localAddress?.port else {
            try await listener.close().get()
            throw SimulatorError.noPort
        }
        return GatewaySimulator(port: port, listener: listener, gateway: gateway, connections: connections)
    }

    /// By EIP-3009 USD₮0 on Arbitrum first, USDC on Base second; by Permit2 USDT on BNB Chain, with 18 decimals.
    static func tenders() throws -> [Gateway.Tender] {
        let table = try AssetTable.pinned()
        let wanted = [
            ("eip155:42161", "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "arbitrum"),
            ("eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "base"),
            ("eip155:56", "0x55d398326f99059fF775485246999027B3197955", "bsc"),
        ]
        return try wanted.map { network, text, name in
            guard let address = Address(hex: text), let asset = table.asset(network: network, address: address) else {
                throw SimulatorError.missingAsset("\(network)/\(text)")
            }
            return Gateway.Tender(asset: asset, nameInVersion1: name)
        }
    }

    private static func configure(
        _ channel: any Channel, gateway: Gateway, options: SimulatorOptions, clock: any WallClock
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 48 * 1024
        limits.maxHeaderListSize = 64 * 1024
        let pipeline = channel.pipeline.syncOperations
        // A client that does not read its answers sends no further requests.
        try pipeline.addHandler(BackPressureHandler())
        try pipeline.configureHTTPServerPipeline(
            withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(120)))
        try pipeline.addHandler(ConnectionHandler(gateway: gateway, options: options, clock: clock))
    }

    /// What an account holds of USD₮0 on Arbitrum, or of the token taken on another CAIP-2 network, in atomic units.
    package func balance(of owner: Address, on network: String? = nil) -> UInt256 {
        gateway.balance(of: owner, on: network)
    }

    /// Every payment taken so far, in order.
    package var settlements: [Settlement] { gateway.settlements }

    /// Stops listening and closes every connection, answers under way included; returns when all are closed.
    package func stop() async {
        try? await listener.close().get()
        for channel in connections.shut() { try? await channel.close().get() }
    }
}
