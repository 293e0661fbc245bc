package import NIOCore

extension ByteBuffer {
    /// Adds bytes after those that have not been read yet.
    ///
    /// The room of what was read is given up first: a buffer in which something is always left would otherwise grow with
    /// all that ever came.
    package mutating func appendUnread(_ more: ByteBuffer) {
        guard readableBytes > 0 else { return self = more }
        discardReadBytes()
        writeImmutableBuffer(more)
    }
}
