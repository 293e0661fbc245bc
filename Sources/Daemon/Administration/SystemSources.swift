package import Primitives
import SystemCrypto

/// What the system gives a command: randomness and protection.
package enum SystemSources {
    /// The operating system's randomness.
    package static var random: any RandomSource { SystemRandom() }

    /// Keeps this process's memory out of core dumps and away from other processes of its user; false when refused.
    @discardableResult
    package static func hardenProcess() -> Bool { ProcessHardening.disableDumps() }
}
