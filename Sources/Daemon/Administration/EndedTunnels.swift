package import Ledger

/// What a daemon says of the tunnels and switched connections that a freeze ended.
package enum EndedTunnels: Sendable, Equatable {
    /// So many have ended under the freeze.
    case ended(Int)
    /// No daemon serves the state directory, so that none was open.
    case noDaemon
    /// The daemon has not said in time.
    case untold

    private static let pause = Duration.milliseconds(20)
    private static let patience = Duration.seconds(3)

    /// Waits, for three seconds at most, until the daemon has held its tunnels against the books as of `generation`.
    package static func under(
        _ scope: FreezeScope, since generation: UInt64, in state: StateDirectory
    ) async -> EndedTunnels {
        guard case .running(let process) = DaemonPresence.look(at: state) else { return .noDaemon }
        guard let process else { return .untold }
        let clock = ContinuousClock()
        let end = clock.now + patience
        while clock.now < end {
            if let report = TunnelReport.read(of: process, in: state), report.generation >= generation {
                return .ended(report.endedUnder[scope.description] ?? 0)
            }
            // The daemon tells by a file: nobody can say when it is there, and looking costs little.
            do { try await clock.sleep(for: pause) } catch { break }
        }
        return .untold
    }
}
