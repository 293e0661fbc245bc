import COpenSSL
import NIOCore

/// The two byte queues between one TLS connection and its channel, and the BIO through which libssl reaches them.
///
/// libssl reads ciphertext straight from the buffer the socket filled and appends records straight to the buffer that
/// will be written, so a byte is copied once on each side. Belongs to one event loop.
final class TLSByteExchange {
    /// Ciphertext from the peer that libssl has not taken yet.
    var inbound = ByteBuffer()
    /// Ciphertext for the peer that the channel has not been given yet.
    var outbound = ByteBuffer()

    /// A new BIO on this exchange, to be handed to `SSL_set_bio`.
    ///
    /// The BIO does not keep the exchange alive: whoever frees the BIO must do so first.
    func makeBIO() throws(TLSError) -> OpaquePointer {
        guard let method = unsafe Self.method, let bio = unsafe BIO_new(method) else {
            throw .configuration("out of memory for a BIO")
        }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    private func take(into destination: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(destination.count, inbound.readableBytes)
        unsafe inbound.readWithUnsafeReadableBytes { source in
            unsafe destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            return count
        }
        // Lets the channel use its read buffer again, and an idle connection hold none.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        return count
    }

    /// The BIO's table of functions: made once, never changed, never freed.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "NIO ByteBuffer") else {
            return nil
        }
        unsafe BIO_meth_set_read_ex(method) { bio, destination, capacity, count in
            guard let exchange = unsafe TLSByteExchange.behind(bio), let destination = unsafe destination else {
                return 0
            }
            unsafe purser_bio_clear_retry_flags(bio)
            let taken = unsafe exchange.take(into: UnsafeMutableRawBufferPointer(start: destination, count: capacity))
            unsafe count?.pointee = taken
            // Empty means "not yet", never "the end": the handler knows the end from the channel.
            guard taken > 0 else {
                unsafe purser_bio_set_retry_read(bio)
                return 0
            }
            return 1
        }
        unsafe BIO_meth_set_write_ex(method) { bio, source, length, count in
            guard let exchange = unsafe TLSByteExchange.behind(bio), let source = unsafe source else { return 0 }
            unsafe purser_bio_clear_retry_flags(bio)
            unsafe exchange.outbound.writeBytes(UnsafeRawBufferPointer(start: source, count: length))
            unsafe count?.pointee = length
            return 1
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            // libssl flushes after each flight; everything it wrote is already in `outbound`.
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return unsafe method
    }()

    private static func behind(_ bio: OpaquePointer?) -> TLSByteExchange? {
        guard let pointer = unsafe BIO_get_data(bio) else { return nil }
        return unsafe Unmanaged<TLSByteExchange>.fromOpaque(pointer).takeUnretainedValue()
    }
}
