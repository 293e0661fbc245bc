package import Primitives
import SystemCrypto
package import Transport

/// What the system gives a command: randomness and protection.
package enum SystemSources {
    /// The operating system's randomness.
    package static var random: any RandomSource { SystemRandom() }

    /// The sockets that systemd started this process with; to be called once, before anything else.
    ///
    /// Throws ``InheritedSocketsUnclear``.
    package static func inheritedSockets() throws -> [InheritedSocket] { try InheritedSockets.take() }

    /// Keeps this process's memory out of core dumps and crash reports and away from other processes of its user.
    ///
    /// ``isHardened`` tells whether the system agreed.
    package static func hardenProcess() { _ = ProcessHardening.disableDumps() }

    /// Whether this process can leave no core file and be read by no other process of its user.
    package static var isHardened: Bool { !ProcessHardening.isDumpable }
}
