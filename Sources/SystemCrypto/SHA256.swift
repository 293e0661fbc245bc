internal import COpenSSL
package import Primitives
import Synchronization

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    // Fetched once, since a look-up per hash costs more than the hash; never freed and never written again.
    nonisolated(unsafe) static let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil)

    /// One context for whoever comes first: making one costs more than a short hash.
    private static let context = unsafe Mutex(EVP_MD_CTX_new())

    /// The hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> Bytes32 {
        var digest = [UInt8](repeating: 0, count: 32)
        let shared = unsafe context.withLockIfAvailable { context in
            unsafe EVP_DigestInit_ex(context, algorithm, nil) == 1
                && EVP_DigestUpdate(context, bytes, bytes.count) == 1
                && EVP_DigestFinal_ex(context, &digest, nil) == 1
        }
        let done = unsafe shared ?? (EVP_Digest(bytes, bytes.count, &digest, nil, algorithm, nil) == 1)
        guard done, let result = Bytes32(digest) else { preconditionFailure("libcrypto has no working SHA-256") }
        return result
    }

    /// The hash of a secret, by which two of them are compared.
    package static func hash(of secret: SecretBytes) -> Bytes32 {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = secret.withBytes { bytes in
            unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe EVP_Digest(buffer.baseAddress, buffer.count, &digest, nil, algorithm, nil) == 1
            }
        }
        guard done, let result = Bytes32(digest) else { preconditionFailure("libcrypto has no working SHA-256") }
        return result
    }
}
