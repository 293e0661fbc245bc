import COpenSSL

/// Trust and settings shared by all TLS client connections of the process.
///
/// A server must prove its name with a chain to the trust store; there is no way to turn that off. Sessions are kept
/// per host and port and resumed by later connections. Safe to use from any thread.
package final class TLSClientContext: Sendable {
    private let context: TLSContext
    private let sessions: TLSSessionCache

    /// Trusts the system's store (or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name) and, in addition, the certificates of the
    /// PEM file `trustFile`.
    ///
    /// Throws ``TLSError/configuration(_:)`` if `trustFile` cannot be read or holds no certificate.
    package convenience init(trustFile: String?) throws(TLSError) {
        self.init(context: try Self.makeContext(trustFile: trustFile), sessions: TLSSessionCache())
    }

    /// `context` comes from ``makeContext(trustFile:)``; `sessions` is where it finds and keeps sessions.
    init(context: TLSContext, sessions: TLSSessionCache) {
        self.context = context
        self.sessions = sessions
    }

    static func makeContext(trustFile: String?) throws(TLSError) -> TLSContext {
        let context = try TLSContext(side: .client)
        guard unsafe SSL_CTX_set_default_verify_paths(context.pointer) == 1 else {
            throw .configuration("the system's trust store cannot be used: \(takeOpenSSLFailure().reason)")
        }
        // A default file that is not there leaves an entry in the queue without being an error.
        ERR_clear_error()
        if let trustFile, unsafe SSL_CTX_load_verify_file(context.pointer, trustFile) != 1 {
            throw .configuration("no certificates in trust file \(trustFile): \(takeOpenSSLFailure().reason)")
        }
        unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        let protocols = TLSContext.http1Only
        // Unlike its siblings this function returns 0 for success.
        let length = UInt32(protocols.utf8CodeUnitCount)
        guard unsafe SSL_CTX_set_alpn_protos(context.pointer, protocols.utf8Start, length) == 0 else {
            throw .configuration("out of memory for the protocol list")
        }
        // libssl only reports new sessions; storing and finding them, by origin, is up to each connection's cache.
        unsafe purser_ssl_ctx_set_session_cache_mode(
            context.pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context.pointer) { ssl, session in
            unsafe TLSConnection.sessionArrived(session, on: ssl)
            return 0
        }
        return context
    }

    /// A handler for one connection to `serverName`, a host name or an IP literal that the certificate must carry.
    ///
    /// `port` and `choice` only tell origins apart when sessions are resumed. `offersHTTP2`: whether the server may choose `h2`.
    /// Throws ``TLSError/invalidServerName``.
    package func makeClientHandler(
        serverName: String, port: Int, chosenBy choice: Destination.Choice = .daemon, offersHTTP2: Bool = false
    ) throws(TLSError) -> TLSHandler {
        let origin = TLSOrigin(
            name: try TLSServerName(serverName), port: port, choice: choice, offersHTTP2: offersHTTP2)
        return TLSHandler(connection: try TLSConnection(context: context, connectingTo: origin, sessions: sessions))
    }
}
