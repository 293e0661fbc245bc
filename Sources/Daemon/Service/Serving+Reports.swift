import Logging
import Primitives
import Proxy

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a daemon tells other processes of itself, in files of the state directory.
extension Serving {
    /// Removes the reports of an earlier daemon: they say nothing of now, and this process may have its number.
    static func removeReports(from state: StateDirectory) {
        try? FileSystem.remove(state.chainsFile)
        try? FileSystem.remove(state.tunnelFile)
        try? FileSystem.remove(state.potFile)
    }

    /// Writes how the chains looked when they were read last.
    static func tell(_ standings: [ChainStanding], in state: StateDirectory, logger: Logger) {
        do throws(StateDirectoryError) {
            try ChainReport(process: getpid(), chains: standings).write(in: state)
        } catch {
            logger.warning("chain readings not written for `status`", metadata: ["problem": "\(error)"])
        }
    }

    /// Writes how what agents share is divided.
    static func tell(_ pots: [PotSnapshot], in state: StateDirectory, at now: Timestamp, logger: Logger) {
        do throws(StateDirectoryError) {
            try PotReport(process: getpid(), at: now.description, pots: pots).write(in: state)
        } catch {
            logger.warning("shares not written for `status`", metadata: ["problem": "\(error)"])
        }
    }

    /// Writes which tunnels are open.
    static func tell(_ tunnels: TunnelSnapshot, in state: StateDirectory, at now: Timestamp, logger: Logger) {
        do throws(StateDirectoryError) {
            try TunnelReport(process: getpid(), at: now.description, tunnels: tunnels).write(in: state)
        } catch {
            logger.warning("open tunnels not written for `status`", metadata: ["problem": "\(error)"])
        }
    }
}
