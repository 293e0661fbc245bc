internal import COpenSSL
package import Primitives

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    // Fetched once, since a look-up per hash costs more than the hash; never freed and never written again.
    nonisolated(unsafe) static let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil)

    /// The hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> Bytes32 {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, nil, algorithm, nil)
        guard done == 1, let result = Bytes32(digest) else {
            preconditionFailure("libcrypto has no working SHA-256")
        }
        return result
    }
}
