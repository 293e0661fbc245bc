internal import COpenSSL

/// EdDSA over edwards25519 (RFC 8032), verification only.
package enum Ed25519 {
    /// Whether the owner of a public key of 32 bytes signed a message; the signature is 64 bytes.
    package static func verify(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == 64, publicKey.count == 32 else { return false }
        let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
        return unsafe verifies(signature, of: message, by: key, hash: nil)
    }
}

/// ECDSA over NIST P-256 with SHA-256 (FIPS 186-4; ES256 of RFC 7518), verification only.
package enum P256 {
    /// What stands before the point in a SubjectPublicKeyInfo (RFC 5480): id-ecPublicKey, prime256v1, a bit string.
    private static let algorithm: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x03, 0x01, 0x07,
    ]

    /// Whether the owner of a public key in SEC 1 form, 33 or 65 bytes, signed a message; the signature is r and s in a
    /// row, 64 bytes.
    package static func verify(signature: [UInt8], message: [UInt8], publicKey point: [UInt8]) -> Bool {
        guard signature.count == 64, let form = point.first,
            (form == 2 || form == 3) && point.count == 33 || form == 4 && point.count == 65
        else { return false }
        let bits: [UInt8] = [0x03, UInt8(point.count + 1), 0x00] + point
        let info: [UInt8] = [0x30, UInt8(algorithm.count + bits.count)] + algorithm + bits
        let key = unsafe info.withUnsafeBufferPointer { info in
            var next = info.baseAddress
            return unsafe d2i_PUBKEY(nil, &next, info.count)
        }
        return unsafe verifies(der(signature), of: message, by: key, hash: SHA256.algorithm)
    }

    /// Two numbers in a row as the sequence of integers that libcrypto reads (RFC 3279, Ecdsa-Sig-Value).
    private static func der(_ signature: [UInt8]) -> [UInt8] {
        let content = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(content.count)] + content
    }

    /// The shortest two's complement that is not negative.
    private static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(number.drop { $0 == 0 })
        if digits.first ?? 0xff >= 0x80 { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }
}

/// Verifies and frees the key; nil as a key verifies nothing.
private func verifies(
    _ signature: [UInt8], of message: [UInt8], by key: OpaquePointer?, hash: OpaquePointer?
) -> Bool {
    // What libcrypto queues about a bad signature would be taken for the next TLS call's own error on this thread.
    defer { ERR_clear_error() }
    guard let key = unsafe key else { return false }
    defer { unsafe EVP_PKEY_free(key) }
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    return unsafe EVP_DigestVerifyInit(context, nil, hash, nil, key) == 1
        && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
}
