import COpenSSL

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a session ticket says of its client: the fingerprint of the certificate that it has proved.
///
/// It is shown before anything is proved, and may be copied from a hello that crosses the network: it says whose share of
/// handshakes is used, and nothing else.
enum TLSPass {
    /// Puts the fingerprint of the client's certificate into the ticket that is being made; 1 for libssl to go on.
    static func write(into ssl: OpaquePointer?) -> Int32 {
        guard let session = unsafe SSL_get_session(ssl), let certificate = unsafe SSL_get0_peer_certificate(ssl) else {
            return 1
        }
        let fingerprint = unsafe Certificate.fingerprint(of: certificate)
        return unsafe SSL_SESSION_set1_ticket_appdata(session, fingerprint, fingerprint.count)
    }

    /// The fingerprint in a ticket that libssl has decrypted, as hexadecimal digits; nil where it is older than `lifetime`
    /// seconds, or has none.
    static func read(from session: OpaquePointer?, within lifetime: Int) -> String? {
        var data: UnsafeMutableRawPointer?
        var count = 0
        guard let session = unsafe session,
            unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1, let data = unsafe data, count == 32,
            unsafe time(nil) - SSL_SESSION_get_time(session) < lifetime
        else { return nil }
        return PeerCertificate.hexadecimal(unsafe Array(UnsafeRawBufferPointer(start: data, count: count)))
    }
}
