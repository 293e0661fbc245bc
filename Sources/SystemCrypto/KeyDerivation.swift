internal import COpenSSL

/// Why a key could not be derived or a cipher not be run.
package enum CipherError: Error, Equatable, Sendable {
    /// A parameter is outside its bounds.
    case invalidParameter
    /// There was no safe memory for the result.
    case memory(SecretMemoryError)
    /// libcrypto failed.
    case failed
}

/// Keys from passphrases.
package enum KeyDerivation {
    /// PBKDF2 rounds that are still run: a few seconds of work.
    package static let maximumIterations = 10_000_000

    /// PBKDF2 with HMAC-SHA256 (RFC 8018); `iterations` is 1 to ``maximumIterations``, `count` 1 to 1024 bytes.
    package static func pbkdf2SHA256(
        passphrase: SecretBytes, salt: [UInt8], iterations: Int, count: Int = 32
    ) throws(CipherError) -> SecretBytes {
        guard (1...maximumIterations).contains(iterations), (1...1024).contains(count) else {
            throw .invalidParameter
        }
        return try unsafe derive(passphrase: passphrase, count: count) { passphrase, key in
            unsafe PKCS5_PBKDF2_HMAC(
                passphrase.baseAddress, Int32(passphrase.count), salt, Int32(salt.count), Int32(iterations),
                SHA256.algorithm, Int32(key.count), key.baseAddress)
        }
    }

    /// A key by scrypt (RFC 7914) of 1 to 1024 bytes, which blocks its thread for up to seconds.
    package static func scrypt(
        passphrase: SecretBytes, salt: [UInt8], cost: ScryptCost, count: Int = 32
    ) throws(CipherError) -> SecretBytes {
        guard (1...1024).contains(count) else { throw .invalidParameter }
        return try unsafe derive(passphrase: passphrase, count: count) { passphrase, key in
            unsafe EVP_PBE_scrypt(
                passphrase.baseAddress, passphrase.count, salt, salt.count, cost.n, cost.r, cost.p,
                cost.workingBytes, key.baseAddress, key.count)
        }
    }

    private static func derive(
        passphrase: SecretBytes, count: Int,
        with function: (UnsafeBufferPointer<CChar>, UnsafeMutableBufferPointer<UInt8>) -> Int32
    ) throws(CipherError) -> SecretBytes {
        var status: Int32 = 0
        do {
            let key = try SecretBytes(capacity: count) { span in
                passphrase.withBytes { passphrase in
                    unsafe passphrase.withUnsafeBytes { passphrase in
                        unsafe span.withUnsafeMutableBufferPointer { key in
                            status = unsafe function(passphrase.assumingMemoryBound(to: CChar.self), key)
                        }
                    }
                }
                return count
            }
            guard status == 1 else { throw CipherError.failed }
            return key
        } catch let error as SecretMemoryError {
            throw .memory(error)
        } catch {
            throw .failed
        }
    }
}
