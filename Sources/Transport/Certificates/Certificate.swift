import COpenSSL

/// An X.509 certificate.
@safe final class Certificate: Sendable {
    // Made before it is shared and never changed again; libcrypto guards its reference count itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// What a certificate says, before it is signed.
    struct Content {
        /// The common name, at most 64 characters.
        var name: String
        /// A positive number of 16 random bytes.
        var serial: [UInt8]
        /// Seconds since the epoch.
        var notBefore: Int64
        /// Seconds since the epoch.
        var notAfter: Int64
        /// Extensions, each in OpenSSL's own text form.
        var extensions: [(number: Int32, value: String)]
    }

    /// Signs a certificate; the issuer is `nil` for one that vouches for itself.
    init(
        _ content: Content, of key: KeyPair, issuer: Certificate?, signedBy issuerKey: KeyPair
    ) throws(TLSError) {
        guard let certificate = unsafe X509_new() else { throw KeyPair.failure }
        unsafe pointer = unsafe certificate
        guard unsafe X509_set_version(certificate, 2) == 1, setSerial(content.serial),
            unsafe Self.set(X509_getm_notBefore(certificate), to: content.notBefore),
            unsafe Self.set(X509_getm_notAfter(certificate), to: content.notAfter),
            unsafe X509_set_pubkey(certificate, key.pointer) == 1, setSubject(content.name),
            unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.pointer ?? certificate)) == 1
        else { throw KeyPair.failure }
        for (number, value) in content.extensions {
            guard add(number, value, issuer: issuer) else { throw KeyPair.failure }
        }
        guard unsafe X509_sign(certificate, issuerKey.pointer, EVP_sha256()) > 0 else { throw KeyPair.failure }
    }

    /// Reads a certificate in PEM.
    init(pem: [UInt8]) throws(TLSError) {
        let certificate = unsafe PEM.reading(pem) { unsafe PEM_read_bio_X509($0, nil, nil, nil) }
        guard let certificate = unsafe certificate else { throw TLSError.configuration("not a certificate in PEM") }
        unsafe pointer = unsafe certificate
    }

    private init(owning certificate: OpaquePointer) { unsafe pointer = unsafe certificate }

    /// Reads all certificates of a text in PEM, in its order; other things may stand between them.
    static func all(pem: [UInt8]) throws(TLSError) -> [Certificate] {
        let certificates: [Certificate]? = unsafe PEM.reading(pem) { bio in
            var certificates: [Certificate] = []
            while let one = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
                unsafe certificates.append(Certificate(owning: one))
            }
            // The end looks like a beginning that is missing; whatever else ended it was no certificate.
            return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? certificates : nil
        }
        ERR_clear_error()
        guard let certificates, !certificates.isEmpty else {
            throw TLSError.configuration("not certificates in PEM")
        }
        return certificates
    }

    deinit { unsafe X509_free(pointer) }

    private static func set(_ time: UnsafeMutablePointer<ASN1_TIME>?, to seconds: Int64) -> Bool {
        unsafe ASN1_TIME_set(time, time_t(seconds)) != nil
    }

    private func setSerial(_ bytes: [UInt8]) -> Bool {
        // Positive and at most 20 bytes (RFC 5280 section 4.1.2.2).
        var bytes = Array(bytes.prefix(16))
        guard bytes.count == 16 else { return false }
        bytes[0] = bytes[0] & 0x7f | 0x40
        guard let number = unsafe BN_bin2bn(bytes, 16, nil) else { return false }
        defer { unsafe BN_free(number) }
        return unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil
    }

    private func setSubject(_ name: String) -> Bool {
        guard let subject = unsafe X509_get_subject_name(pointer) else { return false }
        let bytes = Array(name.utf8.prefix(64))
        return unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0) == 1
    }

    private func add(_ number: Int32, _ value: String, issuer: Certificate?) -> Bool {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer?.pointer ?? pointer, pointer, nil, nil, 0)
        unsafe purser_x509v3_set_ctx_nodb(&context)
        guard let one = unsafe X509V3_EXT_conf_nid(nil, &context, number, value) else { return false }
        defer { unsafe X509_EXTENSION_free(one) }
        return unsafe X509_add_ext(pointer, one, -1) == 1
    }

    /// The certificate in PEM.
    func pem() throws(TLSError) -> [UInt8] {
        guard let text = unsafe PEM.writing({ unsafe PEM_write_bio_X509($0, pointer) == 1 }) else {
            throw KeyPair.failure
        }
        return text
    }

    /// SHA-256 of the DER form.
    var fingerprint: [UInt8] { unsafe Self.fingerprint(of: pointer) }

    static func fingerprint(of certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        _ = unsafe X509_digest(certificate, EVP_sha256(), &digest, &count)
        return Array(digest.prefix(Int(count)))
    }

    /// When it ends, seconds since the epoch; nil for a time that cannot be read.
    var notAfter: Int64? { unsafe Self.notAfter(of: pointer) }

    /// When a certificate ends, in seconds since the epoch; nil for a time that cannot be read.
    static func notAfter(of certificate: OpaquePointer) -> Int64? {
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { return nil }
        return unsafe Int64(timegm(&parts))
    }

    /// Whether a verifier would find a host among its subject alternative names.
    func names(_ host: HostName) -> Bool {
        guard host.isAddress else {
            let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            return unsafe X509_check_host(pointer, host.text, host.text.utf8.count, flags, nil) == 1
        }
        return unsafe X509_check_ip_asc(pointer, host.text, 0) == 1
    }

    /// Whether a key is the one that it is for.
    func isFor(_ key: KeyPair) -> Bool { unsafe X509_check_private_key(pointer, key.pointer) == 1 }

    /// Why a server with this certificate is not believed by whoever trusts `authority` alone; nil when it is.
    func fault(trusting authority: Certificate, host: HostName, at time: Int64) -> String? {
        guard let store = unsafe X509_STORE_new() else { return "out of memory" }
        defer { unsafe X509_STORE_free(store) }
        guard let context = unsafe X509_STORE_CTX_new() else { return "out of memory" }
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_add_cert(store, authority.pointer) == 1,
            unsafe X509_STORE_CTX_init(context, store, pointer, nil) == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(context)
        else { return "out of memory" }
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(time))
        unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER)
        let isNamed =
            host.isAddress
            ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host.text) == 1
            : unsafe X509_VERIFY_PARAM_set1_host(parameters, host.text, 0) == 1
        guard isNamed, unsafe X509_verify_cert(context) != 1 else { return isNamed ? nil : "no such host" }
        return unsafe String(cString: X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context))))
    }
}
