import COpenSSL

/// One certificate and the settings shared by all TLS server connections that present it.
///
/// Sessions are resumed by ticket alone: nothing is kept per client. Safe to use from any thread.
package final class TLSServerContext: Sendable {
    private let context: TLSContext

    /// Presents the chain of `certificateChainFile` (PEM, the server's certificate first) with the key of
    /// `privateKeyFile` (PEM, without a passphrase); `prefersHTTP2`: whether clients that offer `h2` get it.
    ///
    /// Throws ``TLSError/configuration(_:)`` if a file is unreadable, the key is encrypted or they do not match.
    package convenience init(
        certificateChainFile: String, privateKeyFile: String, prefersHTTP2: Bool = false
    ) throws(TLSError) {
        try self.init(prefersHTTP2: prefersHTTP2)
        // Without this libssl would ask for a passphrase on the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(context.pointer) { _, _, _, _ in -1 }
        guard unsafe SSL_CTX_use_certificate_chain_file(context.pointer, certificateChainFile) == 1 else {
            throw .configuration("certificate file \(certificateChainFile): \(takeOpenSSLFailure().reason)")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context.pointer, privateKeyFile, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_CTX_check_private_key(context.pointer) == 1
        else {
            throw .configuration("private key file \(privateKeyFile): \(takeOpenSSLFailure().reason)")
        }
    }

    /// Presents one certificate that is in memory.
    convenience init(_ certificate: Certificate, key: KeyPair) throws(TLSError) {
        try self.init()
        guard unsafe SSL_CTX_use_certificate(context.pointer, certificate.pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(context.pointer, key.pointer) == 1
        else { throw KeyPair.failure }
    }

    private init(prefersHTTP2: Bool = false) throws(TLSError) {
        let context = try TLSContext(side: .server)
        self.context = context
        _ = unsafe SSL_CTX_set_options(context.pointer, purser_ssl_op_cipher_server_preference)
        unsafe purser_ssl_ctx_set_session_cache_mode(context.pointer, Int(SSL_SESS_CACHE_OFF))
        // The callback is C's and can carry nothing along.
        if prefersHTTP2 {
            unsafe SSL_CTX_set_alpn_select_cb(
                context.pointer, { unsafe TLSServerContext.select(from: TLSContext.http2First, $1, $2, $3, $4, $5) },
                nil)
        } else {
            unsafe SSL_CTX_set_alpn_select_cb(
                context.pointer, { unsafe TLSServerContext.select(from: TLSContext.http1Only, $1, $2, $3, $4, $5) }, nil
            )
        }
    }

    /// Chooses the first of our protocols that the client offers.
    private static func select(
        from supported: StaticString, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ selectedLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
        _: UnsafeMutableRawPointer?
    ) -> Int32 {
        var choice: UnsafeMutablePointer<UInt8>?
        let outcome = unsafe SSL_select_next_proto(
            &choice, selectedLength, supported.utf8Start, UInt32(supported.utf8CodeUnitCount), offered, offeredLength)
        guard outcome == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe selected?.pointee = UnsafePointer(choice)
        return SSL_TLSEXT_ERR_OK
    }

    /// A handler for one accepted connection.
    package func makeServerHandler() throws(TLSError) -> TLSHandler {
        TLSHandler(connection: try TLSConnection(accepting: context))
    }
}
