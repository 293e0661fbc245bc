import NIOCore

/// Pieces of a body in the order in which they came, shared with whoever else holds them.
///
/// A piece shares the buffer that it was read into, so many small ones are copied together instead.
struct BodyPieces: Sendable {
    /// Pieces below this size are gathered into one buffer.
    private static let smallPiece = 1024

    private(set) var buffers: [ByteBuffer] = []
    private(set) var byteCount = 0
    private var tailIsGathered = false

    var isEmpty: Bool { buffers.isEmpty }

    mutating func append(_ bytes: ByteBuffer) {
        byteCount += bytes.readableBytes
        guard bytes.readableBytes < Self.smallPiece, !buffers.isEmpty else {
            buffers.append(bytes)
            tailIsGathered = false
            return
        }
        if !tailIsGathered { buffers.append(ByteBufferAllocator().buffer(capacity: 2 * Self.smallPiece)) }
        tailIsGathered = true
        buffers[buffers.count - 1].writeImmutableBuffer(bytes)
    }
}
