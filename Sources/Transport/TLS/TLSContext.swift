import COpenSSL

/// One `SSL_CTX` with the settings both sides share: TLS 1.2 or newer, forward secrecy with authenticated encryption,
/// no renegotiation, no compression.
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
            unsafe SSL_CTX_set_cipher_list(context, Self.tls12Suites) == 1
        else {
            throw .configuration(takeOpenSSLFailure().reason)
        }
        _ = unsafe SSL_CTX_set_options(context, purser_ssl_op_no_renegotiation | purser_ssl_op_no_compression)
        // An idle connection keeps no record buffers; a write goes out record by record from wherever its bytes are.
        unsafe purser_ssl_ctx_set_mode(
            context,
            Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }
}
