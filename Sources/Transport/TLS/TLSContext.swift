import COpenSSL

/// One `SSL_CTX` with the settings both sides share: TLS 1.2 or newer, forward secrecy with authenticated encryption,
/// no renegotiation, no compression, and nothing that lets a peer choose expensive arithmetic.
@safe final class TLSContext: Sendable {
    // Configured before it is shared and never again; libssl guards its reference count and trust store itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    enum Side {
        case client
        case server
    }

    /// AES-128 first: it is the faster one and libssl would put AES-256 before it.
    private static let modernSuites = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
    private static let tls12Suites = "ECDHE+AES128+AESGCM:ECDHE+CHACHA20:ECDHE+AESGCM:@SECLEVEL=2"

    /// The groups for the key exchange, the fastest first.
    ///
    /// Without a list libssl also accepts finite-field groups: one hello for ffdhe8192 costs 128 ms of CPU, one for X25519
    /// less than 1 ms.
    private static let groups = "X25519:P-256:P-384"
    /// The signatures that a peer may make, and we.
    private static let signatures = [
        "ecdsa_secp256r1_sha256", "ed25519", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512",
        "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512",
    ].joined(separator: ":")
    /// What a peer may send of certificates, in bytes.
    private static let chainBytes = 32 * 1024

    /// The protocol that is always spoken, as an ALPN protocol list: lengths and names (RFC 7301, section 3.1).
    ///
    /// Static, since libssl keeps the pointer that the selection callback gives it.
    static let http1Only: StaticString = "\u{8}http/1.1"
    /// The protocols where HTTP/2 may be spoken, the preferred one first.
    static let http2First: StaticString = "\u{2}h2\u{8}http/1.1"

    init(side: Side) throws(TLSError) {
        guard let context = unsafe SSL_CTX_new(side == .client ? TLS_client_method() : TLS_server_method()) else {
            throw .configuration(takeOpenSSLFailure().reason)
        }
        unsafe pointer = unsafe context
        guard unsafe purser_ssl_ctx_set_min_proto_version(context, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, Self.modernSuites) == 1,
            unsafe SSL_CTX_set_cipher_list(context, Self.tls12Suites) == 1,
            unsafe purser_ssl_ctx_set1_groups_list(context, Self.groups) == 1,
            unsafe purser_ssl_ctx_set1_sigalgs_list(context, Self.signatures) == 1
        else {
            throw .configuration(takeOpenSSLFailure().reason)
        }
        _ = unsafe SSL_CTX_set_options(context, purser_ssl_op_no_renegotiation | purser_ssl_op_no_compression)
        unsafe purser_ssl_ctx_set_max_cert_list(context, Self.chainBytes)
        unsafe SSL_CTX_set_cert_verify_callback(context, { store, _ in unsafe PeerChain.verify(store) }, nil)
        unsafe SSL_CTX_set_info_callback(context) { ssl, event, _ in unsafe TLSConnection.noteEvent(event, on: ssl) }
        // An idle connection keeps no record buffers; a write goes out record by record from wherever its bytes are.
        unsafe purser_ssl_ctx_set_mode(
            context,
            Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }
}
