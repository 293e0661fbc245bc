import Ethereum
import NIOCore
import NIOPosix
package import Primitives
import Simulator

/// The simulated gateway, and the merchant that misbehaves, as programs of their own.
package enum Simulating {
    /// Serves until `untilAsked` returns; `ready` is told the address once requests are accepted.
    ///
    /// `payTo` is the account that is paid, `0x` and 40 hex digits; nil takes one that nobody has the key of.
    /// `uptoPercent`, 0 to 100, is the share of an `upto` payment that is settled; `tellsUpto` is whether the report says
    /// the amount. Throws ``StartFailure`` for a percentage out of range, for a wrong account and for an address that cannot be bound.
    package static func serve(
        at listen: Configuration.Listen, payTo: String?, uptoPercent: Int, tellsUpto: Bool, clock: any WallClock,
        random: any RandomSource, ready: @Sendable (Configuration.Listen) -> Void,
        untilAsked: @Sendable () async -> Void
    ) async throws {
        guard UptoSettlement.percentages.contains(uptoPercent) else {
            throw StartFailure("\(uptoPercent) is no share of a maximum: it is a percentage from 0 to 100")
        }
        var payee = Address(lastBytesOf: try random.bytes32())
        if let payTo {
            guard Address.isChecksumValid(payTo), let address = Address(hex: payTo) else {
                throw StartFailure("`\(payTo)` is not an address, or its checksum is wrong")
            }
            payee = address
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let options = SimulatorOptions(
                host: listen.host, port: listen.port, payTo: payee,
                upto: UptoSettlement(percent: uptoPercent, isTold: tellsUpto))
            let simulator: GatewaySimulator
            do {
                simulator = try await GatewaySimulator.start(options, clock: clock, random: random, group: group)
            } catch let error as IOError {
                throw StartFailure(listen: listen, error: error)
            }
            ready(Configuration.Listen(host: listen.host, port: simulator.port))
            await untilAsked()
            await simulator.stop()
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Serves the evil merchant until `untilAsked` returns; `ready` is told the address once requests are accepted.
    ///
    /// Throws ``StartFailure`` for an address that is not 127.0.0.1 or localhost, and for one that cannot be bound.
    package static func misbehave(
        at listen: Configuration.Listen, clock: any WallClock, random: any RandomSource,
        ready: @Sendable (Configuration.Listen) -> Void, untilAsked: @Sendable () async -> Void
    ) async throws {
        guard ["127.0.0.1", "localhost"].contains(listen.host) else {
            throw StartFailure("the evil merchant listens on 127.0.0.1 only, not on \(listen)")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let merchant: EvilMerchant
            do {
                merchant = try await EvilMerchant.start(port: listen.port, clock: clock, random: random, group: group)
            } catch let error as IOError {
                throw StartFailure(listen: listen, error: error)
            }
            ready(Configuration.Listen(host: "127.0.0.1", port: merchant.port))
            await untilAsked()
            await merchant.stop()
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }
}
