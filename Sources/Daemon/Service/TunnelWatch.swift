import Ledger
import Logging
import Proxy

/// Ends tunnels whose right has ended, and tells which are open.
struct TunnelWatch: Sendable {
    /// How often the books are looked at: a tunnel ends at most this long, and a moment, after its right.
    static let pause = Duration.milliseconds(250)
    /// How often the open tunnels are told while nothing in the books changes.
    private static let tellingPause = Duration.seconds(1)

    private let server: ProxyServer
    /// Told what is open.
    private let tell: @Sendable (TunnelSnapshot) -> Void
    private let logger: Logger

    init(server: ProxyServer, tell: @escaping @Sendable (TunnelSnapshot) -> Void, logger: Logger) {
        self.server = server
        self.tell = tell
        self.logger = logger
    }

    /// Reviews the tunnels until its task is cancelled.
    func run() async {
        let clock = ContinuousClock()
        var told: (tunnels: TunnelSnapshot, at: ContinuousClock.Instant)?
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await server.reviewTunnels()
                isFailing = false
            } catch {
                if !isFailing {
                    logger.error(
                        "tunnels cannot be held against the books; they are tried again",
                        metadata: ["problem": "\(error)"])
                }
                isFailing = true
            }
            let tunnels = server.tunnels
            let isDue = told.map {
                tunnels.generation != $0.tunnels.generation
                    || (tunnels != $0.tunnels && clock.now - $0.at >= Self.tellingPause)
            }
            if isDue ?? true {
                tell(tunnels)
                told = (tunnels, clock.now)
            }
            try? await clock.sleep(for: Self.pause)
        }
    }
}
