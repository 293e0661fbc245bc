import COpenSSL
import NIOCore

@testable import Transport

/// A peer that does what no well-behaved handler does, straight on libssl over memory.
@safe final class TLSScriptedPeer {
    enum Side {
        case client
        case server
    }

    /// Settings for a scripted peer.
    @safe final class Context {
        fileprivate let pointer: OpaquePointer
        fileprivate let side: Side

        init(side: Side, newest: Int32) throws {
            let certificates = try TLSCertificates.shared()
            guard let context = unsafe SSL_CTX_new(TLS_method()) else { throw TLSError.configuration("SSL_CTX_new") }
            unsafe pointer = unsafe context
            self.side = side
            unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
            unsafe SSL_CTX_use_certificate_chain_file(context, certificates.chain(.localhost))
            unsafe SSL_CTX_use_PrivateKey_file(context, certificates.key(.localhost), SSL_FILETYPE_PEM)
        }

        deinit { unsafe SSL_CTX_free(pointer) }

        /// Exchanges keys in some groups only, as openssl lists them.
        func exchangeKeys(in groups: String) { unsafe purser_ssl_ctx_set1_groups_list(pointer, groups) }

        /// Sends the certificate of a leaf several times more.
        func append(_ number: Int, copiesOf leaf: TLSCertificates.Leaf) throws {
            let certificates = try TLSCertificates.shared()
            let certificate = try Certificate(pem: certificates.read(certificates.chain(leaf)))
            for _ in 0..<number { unsafe purser_ssl_ctx_add1_chain_cert(pointer, certificate.pointer) }
        }

        /// Chooses `h2` whatever the client offers.
        func selectUnofferedProtocol() {
            unsafe SSL_CTX_set_alpn_select_cb(
                pointer,
                { _, selected, length, _, _, _ in
                    let name: StaticString = "h2"
                    unsafe selected?.pointee = name.utf8Start
                    unsafe length?.pointee = 2
                    return SSL_TLSEXT_ERR_OK
                }, nil)
        }
    }

    private let context: Context
    private let ssl: OpaquePointer
    private let fromPeer: OpaquePointer?
    private let toPeer: OpaquePointer?

    init(_ context: Context) throws {
        guard let ssl = unsafe SSL_new(context.pointer) else { throw TLSError.configuration("SSL_new") }
        self.context = context
        unsafe self.ssl = unsafe ssl
        unsafe fromPeer = unsafe BIO_new(BIO_s_mem())
        unsafe toPeer = unsafe BIO_new(BIO_s_mem())
        unsafe SSL_set_bio(ssl, fromPeer, toPeer)
        if context.side == .client { unsafe SSL_set_connect_state(ssl) } else { unsafe SSL_set_accept_state(ssl) }
    }

    deinit { unsafe SSL_free(ssl) }

    /// Runs whatever handshake is under way; returns libssl's reason if it failed.
    @discardableResult
    func step() -> Int32? {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result != 1, unsafe SSL_get_error(ssl, result) == SSL_ERROR_SSL else { return nil }
        return takeOpenSSLFailure().code
    }

    func renegotiate() -> Int32? {
        unsafe SSL_renegotiate(ssl)
        return step()
    }

    /// New keys for our side, and a demand that the peer changes its own.
    func updateKeys() {
        unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        step()
    }

    func receive(_ bytes: ByteBuffer) {
        unsafe bytes.withUnsafeReadableBytes { source in
            _ = unsafe BIO_write(fromPeer, source.baseAddress, Int32(source.count))
        }
    }

    func takeOutput() -> ByteBuffer {
        var all = ByteBuffer()
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = unsafe BIO_read(toPeer, &chunk, Int32(chunk.count)), count > 0 {
            all.writeBytes(chunk[..<Int(count)])
        }
        return all
    }

    func pump(with end: TLSEnd) throws {
        step()
        for _ in 0..<10 {
            receive(try end.takeOutput())
            step()
            let output = takeOutput()
            if output.readableBytes > 0 { end.receive(output) }
        }
    }

    /// Reads plaintext and answers what came with it; returns libssl's reason if that failed.
    func read() -> Int32? {
        ERR_clear_error()
        var chunk = [UInt8](repeating: 0, count: 1024)
        let result = unsafe SSL_read(ssl, &chunk, Int32(chunk.count))
        guard result <= 0, unsafe SSL_get_error(ssl, result) == SSL_ERROR_SSL else { return nil }
        return takeOpenSSLFailure().code
    }
}
