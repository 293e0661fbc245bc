internal import COpenSSL

/// AES-128 in counter mode (NIST SP 800-38A), the cipher of version 3 keystores; it authenticates nothing.
package enum AES128CTR {
    // Fetched once; never freed and never written again.
    nonisolated(unsafe) private static let algorithm = unsafe EVP_CIPHER_fetch(nil, "AES-128-CTR", nil)

    /// Encrypts a secret; `key` is used from its first byte on, 16 bytes; `iv` is 16 bytes.
    package static func encrypt(_ plaintext: SecretBytes, key: SecretBytes, iv: [UInt8]) throws(CipherError) -> [UInt8]
    {
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count)
        let done = plaintext.withBytes { input in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe ciphertext.withUnsafeMutableBufferPointer { output in
                    unsafe apply(key: key, iv: iv, input: input, output: output)
                }
            }
        }
        guard done else { throw .failed }
        return ciphertext
    }

    /// Decrypts into a secret; `key` is used from its first byte on, 16 bytes; `iv` is 16 bytes.
    package static func decrypt(_ ciphertext: [UInt8], key: SecretBytes, iv: [UInt8]) throws(CipherError) -> SecretBytes
    {
        guard !ciphertext.isEmpty else { throw .invalidParameter }
        do {
            return try SecretBytes(capacity: ciphertext.count) { output in
                let done = unsafe ciphertext.withUnsafeBufferPointer { input in
                    unsafe output.withUnsafeMutableBufferPointer { output in
                        unsafe apply(key: key, iv: iv, input: input, output: output)
                    }
                }
                return done ? ciphertext.count : nil
            }
        } catch .notFilled {
            throw .failed
        } catch {
            throw .memory(error)
        }
    }

    /// Counter mode is its own inverse: one direction does both.
    private static func apply(
        key: SecretBytes, iv: [UInt8], input: UnsafeBufferPointer<UInt8>, output: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        guard key.count >= 16, iv.count == 16, let context = unsafe EVP_CIPHER_CTX_new() else { return false }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let ready = key.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe EVP_EncryptInit_ex2(context, algorithm, key.baseAddress, iv, nil)
            }
        }
        var written: Int32 = 0
        return unsafe ready == 1
            && EVP_EncryptUpdate(context, output.baseAddress, &written, input.baseAddress, Int32(input.count)) == 1
            && Int(written) == input.count
    }
}
