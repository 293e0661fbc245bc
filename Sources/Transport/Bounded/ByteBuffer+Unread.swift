package import NIOCore

extension ByteBuffer {
    /// Adds bytes after those that have not been read yet.
    ///
    /// Bytes that were read are discarded first. Otherwise a buffer that is never read to its end would grow with everything
    /// that ever came.
    package mutating func appendUnread(_ more: ByteBuffer) {
        guard readableBytes > 0 else { return self = more }
        discardReadBytes()
        writeImmutableBuffer(more)
    }
}
