import COpenSSL

/// A key with its secret half.
@safe final class KeyPair: Sendable {
    // Made before it is shared and never changed again; libcrypto guards its reference count itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Makes a new P-256 key from the system's randomness.
    init() throws(TLSError) {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { throw Self.failure }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
        else { throw Self.failure }
        unsafe pointer = unsafe key
    }

    /// Reads the first key of a text in PEM, of any kind, without a passphrase.
    init(pem: [UInt8]) throws(TLSError) {
        let key = unsafe PEM.reading(pem) { bio in
            unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key = unsafe key else {
            throw TLSError.configuration("not a private key in PEM without a passphrase")
        }
        unsafe pointer = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// The key in PKCS #8, PEM, without a passphrase.
    func pem() throws(TLSError) -> [UInt8] {
        let text = unsafe PEM.writing { bio in
            unsafe PEM_write_bio_PKCS8PrivateKey(bio, pointer, nil, nil, 0, nil, nil) == 1
        }
        guard let text else { throw Self.failure }
        return text
    }

    static var failure: TLSError { .configuration(takeOpenSSLFailure().reason) }
}

/// Text forms of keys and certificates (RFC 7468), in and out of memory.
enum PEM {
    static func reading<Value>(_ text: [UInt8], _ body: (OpaquePointer) -> Value?) -> Value? {
        unsafe text.withUnsafeBytes { bytes in
            guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { unsafe BIO_free_all(bio) }
            return unsafe body(bio)
        }
    }

    static func writing(_ body: (OpaquePointer) -> Bool) -> [UInt8]? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free_all(bio) }
        guard unsafe body(bio) else { return nil }
        var data: UnsafePointer<CChar>?
        let count = unsafe purser_bio_get_mem_data(bio, &data)
        guard count > 0, let data = unsafe data else { return nil }
        return unsafe data.withMemoryRebound(to: UInt8.self, capacity: count) {
            unsafe Array(UnsafeBufferPointer(start: $0, count: count))
        }
    }
}
