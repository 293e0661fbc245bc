internal import COpenSSL
package import Primitives

/// SHA-256 over bytes that come in pieces.
@safe package final class SHA256Stream {
    private let context: OpaquePointer

    /// Starts a hash.
    package init() {
        guard let context = unsafe EVP_MD_CTX_new(),
            unsafe EVP_DigestInit_ex(context, SHA256.algorithm, nil) == 1
        else { preconditionFailure("libcrypto has no working SHA-256") }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// Adds bytes.
    package func absorb(_ bytes: [UInt8]) {
        guard unsafe EVP_DigestUpdate(context, bytes, bytes.count) == 1 else {
            preconditionFailure("libcrypto could not continue a SHA-256")
        }
    }

    /// The hash of everything added; the stream cannot be used afterwards.
    package consuming func finish() -> Bytes32 {
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1, let result = Bytes32(digest) else {
            preconditionFailure("libcrypto could not finish a SHA-256")
        }
        return result
    }
}
