internal import CSecp256k1
package import Primitives

/// Why libsecp256k1 refused; it tells no more, so that nothing about a key leaks.
package enum Secp256k1Error: Error, Equatable, Sendable {
    /// The key is not 32 bytes, is zero, or is not below the group order.
    case invalidKey
    /// The library reported a failure.
    case failed
}

/// libsecp256k1's context: made once, blinded once, then shared by all threads.
@safe package final class Secp256k1Context: Sendable {
    // Written before `init` returns and only read by the library afterwards, which makes sharing it sound.
    nonisolated(unsafe) private let context: OpaquePointer

    /// Makes a context after the library's self-test, which ends the process if the library was miscompiled.
    ///
    /// `seed` blinds the context against side channels: 32 bytes nobody else knows.
    package init(seed: Bytes32) throws(Secp256k1Error) {
        secp256k1_selftest()
        guard let context = unsafe secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else { throw .failed }
        let seed = seed.bytes
        guard unsafe secp256k1_context_randomize(context, seed) == 1 else {
            unsafe secp256k1_context_destroy(context)
            throw .failed
        }
        unsafe self.context = context
    }

    deinit {
        unsafe secp256k1_context_destroy(context)
    }

    /// The address of a private key of 32 bytes.
    package func address(ofKey key: Span<UInt8>) throws(Secp256k1Error) -> Address {
        guard key.count == 32 else { throw .invalidKey }
        var publicKey = secp256k1_pubkey()
        let valid = unsafe key.withUnsafeBufferPointer { pointer in
            guard let key = pointer.baseAddress else { return false }
            return unsafe secp256k1_ec_pubkey_create(context, &publicKey, key) == 1
        }
        guard valid else { throw .invalidKey }
        return try address(of: &publicKey)
    }

    /// Signs a digest with a private key of 32 bytes: RFC 6979 without extra entropy, low s.
    ///
    /// The same digest and key give the same bytes, as eth-account, viem and go-ethereum make them.
    package func sign(digest: Bytes32, key: Span<UInt8>) throws(Secp256k1Error) -> Signature {
        guard key.count == 32 else { throw .invalidKey }
        let message = digest.bytes
        var signature = secp256k1_ecdsa_recoverable_signature()
        let signed = unsafe key.withUnsafeBufferPointer { pointer in
            guard let key = pointer.baseAddress else { return false }
            return unsafe secp256k1_ecdsa_sign_recoverable(context, &signature, message, key, nil, nil) == 1
        }
        guard signed else { throw .invalidKey }
        var recoveryID: Int32 = 0
        var compact = [UInt8](repeating: 0, count: 64)
        let written = unsafe secp256k1_ecdsa_recoverable_signature_serialize_compact(
            context, &compact, &recoveryID, &signature)
        // Ids 2 and 3 mean that r overflowed the group order, which Ethereum cannot express; nobody will see one.
        guard written == 1, recoveryID == 0 || recoveryID == 1,
            let result = Signature(bytes: compact + [UInt8(recoveryID)])
        else { throw .failed }
        return result
    }

    /// The address whose key made a signature over a digest, or nil when the bytes are no signature.
    ///
    /// Any well-formed signature recovers *some* address: the result means nothing until it is compared.
    package func recover(digest: Bytes32, signature: Signature) -> Address? {
        let message = digest.bytes
        let compact = signature.r.bytes + signature.s.bytes
        var parsed = secp256k1_ecdsa_recoverable_signature()
        var publicKey = secp256k1_pubkey()
        guard
            unsafe secp256k1_ecdsa_recoverable_signature_parse_compact(
                context, &parsed, compact, Int32(signature.v) - 27) == 1,
            unsafe secp256k1_ecdsa_recover(context, &publicKey, &parsed, message) == 1
        else { return nil }
        return try? address(of: &publicKey)
    }

    /// The address of a public key in SEC 1 form, 33 or 65 bytes; nil when it is no point of the curve.
    package func address(ofPublicKey point: [UInt8]) -> Address? {
        guard var key = publicKey(point) else { return nil }
        return try? address(of: &key)
    }

    /// Whether the owner of a public key in SEC 1 form signed a digest; the signature is r and s in a row, 64 bytes.
    ///
    /// Both twins of a signature count: JOSE, unlike Ethereum, does not ask for a low s (RFC 8812, ES256K).
    package func verify(digest: Bytes32, signature: [UInt8], publicKey point: [UInt8]) -> Bool {
        guard signature.count == 64, var key = publicKey(point) else { return false }
        let message = digest.bytes
        var parsed = secp256k1_ecdsa_signature()
        var lower = secp256k1_ecdsa_signature()
        guard unsafe secp256k1_ecdsa_signature_parse_compact(context, &parsed, signature) == 1 else { return false }
        // The library verifies the lower twin only; the answer says whether the signature was the other one.
        _ = unsafe secp256k1_ecdsa_signature_normalize(context, &lower, &parsed)
        return unsafe secp256k1_ecdsa_verify(context, &lower, message, &key) == 1
    }

    /// Reads a compressed or an uncompressed point; the hybrid form, which the library knows too, is refused.
    private func publicKey(_ point: [UInt8]) -> secp256k1_pubkey? {
        guard let form = point.first,
            (form == 2 || form == 3) && point.count == 33 || form == 4 && point.count == 65
        else { return nil }
        var key = secp256k1_pubkey()
        return unsafe secp256k1_ec_pubkey_parse(context, &key, point, point.count) == 1 ? key : nil
    }

    private func address(of publicKey: inout secp256k1_pubkey) throws(Secp256k1Error) -> Address {
        var serialized = [UInt8](repeating: 0, count: 65)
        var length = serialized.count
        let written = unsafe secp256k1_ec_pubkey_serialize(
            context, &serialized, &length, &publicKey, UInt32(SECP256K1_EC_UNCOMPRESSED))
        guard written == 1, length == 65 else { throw .failed }
        // The leading 0x04 only says that both coordinates follow; it is not part of what Ethereum hashes.
        return Address(lastBytesOf: Keccak256.hash(serialized.span.extracting(droppingFirst: 1)))
    }
}
