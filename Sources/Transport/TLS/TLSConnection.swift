import COpenSSL
import NIOCore

/// One `SSL` object over a ``TLSByteExchange``: turns libssl's calls and error codes into steps.
///
/// No channel, no clock, no waiting: each method does what the bytes at hand allow. Belongs to one event loop.
@safe final class TLSConnection {
    /// The ciphertext queues that the steps below read from and append to.
    let exchange = TLSByteExchange()
    private let ssl: OpaquePointer
    private let client: (origin: TLSOrigin, sessions: TLSSessionCache)?
    private var server = ServerSide()
    private var upkeep = TLSUpkeep()

    /// What a server expects of its client.
    private struct ServerSide {
        /// The name by which alone it may be addressed, if at all.
        var name: TLSServerName?
        var needsClientCertificate = false
        /// Whether a handshake may go on after its hello; nil once it was asked, and where nobody asks.
        var admits: ((_ pass: String?) -> Bool)?
        /// Who asks for the handshake, by its ticket.
        var pass: String?
    }

    enum HandshakeStep {
        case needsInput
        case finished(TLSHandshakeSummary)
        case failed(TLSError)
    }

    enum ReadStep {
        case bytes
        case needsInput
        case closeNotify
        case failed(TLSError)
    }

    /// A client connection that verifies `origin.name` and offers one of the origin's sessions, if there is one.
    init(
        context: TLSContext, connectingTo origin: TLSOrigin, sessions: TLSSessionCache
    ) throws(TLSError) {
        unsafe ssl = try unsafe Self.makeSSL(context, over: exchange)
        client = (origin, sessions)
        unsafe SSL_set_connect_state(ssl)
        // For the session callback; libssl makes no callbacks once `deinit` has freed the object.
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        try require(origin.name)
        if origin.offersHTTP2 { try offerHTTP2() }
        if let session = sessions.take(for: origin) { offer(session) }
    }

    /// A server connection; a client that asks for another server than `name` is refused, and so is one whose hello
    /// `admits` turns away.
    init(
        accepting context: TLSContext, as name: TLSServerName? = nil, needsClientCertificate: Bool = false,
        admits: ((_ pass: String?) -> Bool)? = nil
    ) throws(TLSError) {
        unsafe ssl = try unsafe Self.makeSSL(context, over: exchange)
        client = nil
        server = ServerSide(name: name, needsClientCertificate: needsClientCertificate, admits: admits)
        unsafe SSL_set_accept_state(ssl)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The connection that an `SSL` object belongs to.
    private static func of(_ ssl: OpaquePointer?) -> TLSConnection? {
        guard let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSConnection>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The alert by which a handshake ends after its hello; nil when it goes on.
    static func refusal(ofHelloOn ssl: OpaquePointer?) -> Int32? {
        guard let connection = unsafe of(ssl) else { return nil }
        if unsafe connection.isNamedOtherwise(by: ssl) { return SSL_AD_UNRECOGNIZED_NAME }
        // A client may be asked for a second hello; it is one handshake.
        guard let admits = connection.server.admits else { return nil }
        connection.server.admits = nil
        return admits(connection.server.pass) ? nil : SSL_AD_INTERNAL_ERROR
    }

    /// Whether a client asks for a server that this is not (RFC 6066 section 3); one that names none is served.
    private func isNamedOtherwise(by ssl: OpaquePointer?) -> Bool {
        guard let expected = server.name, let asked = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return false
        }
        return (try? TLSServerName(unsafe String(cString: asked))) != expected
    }

    /// A client has shown a good ticket in its hello.
    static func noteShownPass(_ pass: String, on ssl: OpaquePointer?) { unsafe of(ssl)?.server.pass = pass }

    /// libssl's report of a step of its handshake machine, or of an alert; called from within the methods below.
    static func noteEvent(_ event: Int32, on ssl: OpaquePointer?) {
        guard event & (SSL_CB_LOOP | SSL_CB_ALERT) != 0, let connection = unsafe of(ssl) else { return }
        connection.upkeep.noteStep()
        // What is left would be worked through within the same call.
        if connection.upkeep.isExceeded { connection.exchange.inbound = ByteBuffer() }
    }

    deinit {
        // Frees the BIO too, while `exchange` is still there.
        unsafe SSL_free(ssl)
    }

    private static func makeSSL(
        _ context: TLSContext, over exchange: TLSByteExchange
    ) throws(TLSError) -> OpaquePointer {
        let bio = try unsafe exchange.makeBIO()
        guard let ssl = unsafe SSL_new(context.pointer) else {
            unsafe BIO_free_all(bio)
            throw .configuration("out of memory for a connection")
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        return unsafe ssl
    }

    private func require(_ name: TLSServerName) throws(TLSError) {
        let accepted =
            switch name {
            case .host(let host):
                unsafe SSL_set1_host(ssl, host) == 1 && purser_ssl_set_tlsext_host_name(ssl, host) == 1
            case .address(let literal):
                unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), literal) == 1
            }
        guard accepted else {
            ERR_clear_error()
            throw .invalidServerName
        }
        // Only subject alternative names count, and a wildcard only as a whole label (RFC 9525, section 6.3).
        unsafe SSL_set_hostflags(
            ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    }

    private func offerHTTP2() throws(TLSError) {
        let protocols = TLSContext.http2First
        // Unlike its siblings this function returns 0 for success.
        guard unsafe SSL_set_alpn_protos(ssl, protocols.utf8Start, UInt32(protocols.utf8CodeUnitCount)) == 0 else {
            throw .configuration("out of memory for the protocol list")
        }
    }

    private func offer(_ session: TLSSession) {
        // The connection gets a copy of its own, so that no two connections, or threads, share one.
        guard let copy = unsafe SSL_SESSION_dup(session.pointer) else { return ERR_clear_error() }
        unsafe SSL_set_session(ssl, copy)
        unsafe SSL_SESSION_free(copy)
    }

    /// libssl's report of a session that may be resumed later; called from within the methods below.
    static func sessionArrived(_ session: OpaquePointer?, on ssl: OpaquePointer?) {
        guard let session = unsafe session, unsafe SSL_SESSION_is_resumable(session) == 1,
            let client = unsafe of(ssl)?.client, let copy = unsafe TLSSession(copying: session)
        else { return }
        client.sessions.store(copy, for: client.origin)
    }

    /// Takes the handshake as far as the ciphertext at hand allows.
    func continueHandshake() -> HandshakeStep {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result != 1 else { return finishHandshake() }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .failed(.handshakeInterrupted)
        default: return .failed(handshakeFailure())
        }
    }

    private func finishHandshake() -> HandshakeStep {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        let selected = unsafe UnsafeBufferPointer(start: name, count: Int(length))
        let alpn = length == 0 ? nil : unsafe String(decoding: selected, as: UTF8.self)
        // Not every release of libssl 3.0 checks this itself (RFC 7301, section 3.2).
        guard alpn == nil || alpn == "http/1.1" || alpn == "h2" && client?.origin.offersHTTP2 ?? true else {
            return .failed(.handshakeFailed(reason: "application protocol was not offered"))
        }
        var peer: PeerCertificate?
        if server.needsClientCertificate {
            // libssl has seen to both already: whoever is taken for somebody is looked at twice.
            guard let certificate = unsafe SSL_get0_peer_certificate(ssl),
                unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK)
            else { return .failed(.handshakeFailed(reason: "no client certificate")) }
            peer = unsafe PeerCertificate(certificate, chain: SSL_get0_verified_chain(ssl))
        }
        upkeep.begin()
        return .finished(
            TLSHandshakeSummary(
                alpn: alpn,
                protocolVersion: unsafe String(cString: SSL_get_version(ssl)),
                cipherSuite: unsafe String(cString: purser_ssl_get_cipher_name(ssl)),
                isResumed: unsafe SSL_session_reused(ssl) == 1, peer: peer))
    }

    private func handshakeFailure() -> TLSError {
        let failure = takeOpenSSLFailure()
        let verdict = unsafe SSL_get_verify_result(ssl)
        guard failure.code == SSL_R_CERTIFICATE_VERIFY_FAILED, verdict != Int(X509_V_OK) else {
            return .handshakeFailed(reason: failure.reason)
        }
        return .certificateRejected(
            name: client?.origin.name.text ?? "a client", fault: TLSCertificateFault(verifyResult: verdict))
    }

    /// Forgets the origin's sessions, so that the next attempt after a failed handshake makes a full one.
    func forgetSessions() {
        guard let client else { return }
        client.sessions.removeAll(for: client.origin)
    }

    /// Decrypts at most one record into the free space of `plaintext`, which must have some.
    func read(into plaintext: inout ByteBuffer) -> ReadStep {
        ERR_clear_error()
        var succeeded: Int32 = 0
        unsafe plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
            var count = 0
            unsafe succeeded = SSL_read_ex(ssl, space.baseAddress, space.count, &count)
            guard succeeded == 1 else { return 0 }
            upkeep.noteBytes(count)
            return count
        }
        guard !upkeep.isExceeded else {
            ERR_clear_error()
            return .failed(.protocolViolation(reason: TLSUpkeep.reason))
        }
        guard succeeded != 1 else { return .bytes }
        switch unsafe SSL_get_error(ssl, succeeded) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .closeNotify
        default: return .failed(.protocolViolation(reason: takeOpenSSLFailure().reason))
        }
    }

    /// Encrypts the next record's worth of `plaintext`, which must not be empty, and consumes it.
    func write(_ plaintext: inout ByteBuffer) throws(TLSError) {
        ERR_clear_error()
        var succeeded: Int32 = 0
        unsafe plaintext.readWithUnsafeReadableBytes { bytes in
            var count = 0
            unsafe succeeded = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
            return succeeded == 1 ? count : 0
        }
        // The exchange takes any amount, so there is no such thing as "try again".
        guard succeeded == 1 else { throw .protocolViolation(reason: takeOpenSSLFailure().reason) }
    }

    /// Appends a close_notify, after which nothing can be written.
    ///
    /// Only for a connection that has not failed.
    func sendCloseNotify() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }
}
