internal import COpenSSL
package import Primitives

/// The operating system's randomness through OpenSSL's generator.
package struct SystemRandom: RandomSource {
    /// Makes the source; it holds nothing.
    package init() {}

    package func bytes32() throws(RandomnessUnavailable) -> Bytes32 {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard unsafe RAND_bytes(&bytes, 32) == 1, let result = Bytes32(bytes) else { throw RandomnessUnavailable() }
        return result
    }
}
