import COpenSSL

/// One certificate and the settings shared by all TLS server connections that present it.
///
/// Sessions are resumed by ticket alone, and where clients show certificates not at all: nothing is kept per client. Clients
/// with certificates get tickets that only say who asks for a handshake, before the handshake costs anything. Safe to use
/// from any thread.
package final class TLSServerContext: Sendable {
    private let context: TLSContext
    /// The certificate that is presented, where it came from memory.
    private let certificate: Certificate?
    private let needsClientCertificate: Bool

    /// How long a ticket says who asks, in seconds.
    private static let passLifetime = 86_400

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
        try self.init(certificate)
        guard unsafe SSL_CTX_use_certificate(context.pointer, certificate.pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(context.pointer, key.pointer) == 1
        else { throw KeyPair.failure }
    }

    /// Presents a chain with its key, and serves only who proves a certificate for clients that leads to one of `clients`.
    ///
    /// A certificate there vouches for what it signed, whoever signed it, and for itself. All three are PEM; the chain begins
    /// with the server's own. Every connection proves its certificate again, by its dates too: no session is resumed. Throws
    /// ``TLSError/configuration(_:)`` for texts that are none, and for a key that is another certificate's.
    package convenience init(chain: [UInt8], key: [UInt8], clients: [UInt8]) throws(TLSError) {
        let certificates = try Certificate.all(pem: chain)
        let key = try KeyPair(pem: key)
        guard certificates[0].isFor(key) else {
            ERR_clear_error()
            throw TLSError.configuration("the key is not that of the certificate")
        }
        try self.init(certificates[0], needsClientCertificate: true)
        guard unsafe SSL_CTX_use_certificate(context.pointer, certificates[0].pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(context.pointer, key.pointer) == 1,
            certificates.dropFirst().allSatisfy({
                unsafe purser_ssl_ctx_add1_chain_cert(context.pointer, $0.pointer) == 1
            })
        else { throw KeyPair.failure }
        try demand(try Certificate.all(pem: clients))
    }

    private func demand(_ clients: [Certificate]) throws(TLSError) {
        guard let store = unsafe SSL_CTX_get_cert_store(context.pointer),
            let parameters = unsafe SSL_CTX_get0_param(context.pointer)
        else { throw KeyPair.failure }
        for client in clients {
            // The second tells clients with several certificates which to choose.
            guard unsafe X509_STORE_add_cert(store, client.pointer) == 1,
                unsafe SSL_CTX_add_client_CA(context.pointer, client.pointer) == 1
            else { throw KeyPair.failure }
        }
        guard unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1,
            unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) == 1
        else { throw KeyPair.failure }
        unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        try givePasses()
    }

    /// Gives each client with a good certificate a ticket, and reads tickets without resuming their sessions.
    private func givePasses() throws(TLSError) {
        unsafe SSL_CTX_set_timeout(context.pointer, Self.passLifetime)
        guard unsafe SSL_CTX_set_num_tickets(context.pointer, 1) == 1,
            unsafe SSL_CTX_set_session_ticket_cb(
                context.pointer, { ssl, _ in unsafe TLSPass.write(into: ssl) },
                { ssl, session, _, _, status, _ in
                    if status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW,
                        let pass = unsafe TLSPass.read(from: session, within: TLSServerContext.passLifetime)
                    {
                        unsafe TLSConnection.noteShownPass(pass, on: ssl)
                    }
                    return SSL_TICKET_RETURN_IGNORE_RENEW
                }, nil) == 1
        else { throw KeyPair.failure }
    }

    private init(
        _ certificate: Certificate? = nil, needsClientCertificate: Bool = false, prefersHTTP2: Bool = false
    ) throws(TLSError) {
        let context = try TLSContext(side: .server)
        self.context = context
        self.certificate = certificate
        self.needsClientCertificate = needsClientCertificate
        unsafe purser_ssl_ctx_set_servername_callback(context.pointer) { ssl, alert, _ in
            // The hello has been read, and neither a key was agreed on nor anything signed.
            guard let refusal = unsafe TLSConnection.refusal(ofHelloOn: ssl) else { return SSL_TLSEXT_ERR_OK }
            unsafe alert?.pointee = refusal
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
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

    /// A handler for one accepted connection; a client that names another server than `host`, where one is given, is refused.
    ///
    /// `admits` is asked once, after the client's hello and before the handshake costs anything, with the SHA-256 of the
    /// certificate in the client's ticket, lower-case hexadecimal, if it has a good one: false ends the handshake.
    package func makeServerHandler(
        for host: HostName? = nil, admits: ((_ pass: String?) -> Bool)? = nil
    ) throws(TLSError) -> TLSHandler {
        var name: TLSServerName?
        if let host { name = try TLSServerName(host.text) }
        return TLSHandler(
            connection: try TLSConnection(
                accepting: context, as: name, needsClientCertificate: needsClientCertificate, admits: admits))
    }

    /// Whether a client that verifies names would find a host in the certificate that is presented from memory.
    package func isNamed(_ host: HostName) -> Bool { certificate?.names(host) ?? false }

    /// When the certificate that is presented from memory ends, seconds since the epoch.
    package var notAfter: Int64? { certificate?.notAfter }
}
