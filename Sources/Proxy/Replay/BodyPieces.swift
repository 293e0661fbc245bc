import NIOCore

/// Pieces of a body in the order in which they came, shared with whoever else holds them.
///
/// A piece shares the buffer that it was read into, however little of that it is. So small pieces, and those of buffers much
/// larger than themselves, are copied together instead: what is kept takes at most four bytes for each byte of a long body.
struct BodyPieces: Sendable {
    /// Pieces below this size are copied.
    private static let smallPiece = 4096
    /// How much larger than a shared piece its buffer may be.
    private static let spread = 3
    /// A buffer of at most this size is shared for the sake of a first piece, which is most often the whole body.
    private static let firstBuffer = 2048
    /// The largest buffer that is begun for small pieces.
    private static let largestGathering = 16 << 10

    private(set) var buffers: [ByteBuffer] = []
    private(set) var byteCount = 0
    private var tailIsGathered = false

    var isEmpty: Bool { buffers.isEmpty }

    mutating func append(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        defer { byteCount += count }
        // A buffer that was begun is filled first, or small pieces between large ones would each begin one.
        guard room >= count || !mayShare(bytes) else {
            buffers.append(bytes)
            tailIsGathered = false
            return
        }
        var bytes = bytes
        if let fitting = bytes.readSlice(length: min(room, count)), fitting.readableBytes > 0 {
            buffers[buffers.count - 1].writeImmutableBuffer(fitting)
        }
        guard bytes.readableBytes > 0 else { return }
        let capacity = max(bytes.readableBytes, min(max(byteCount, 256), Self.largestGathering))
        var buffer = ByteBufferAllocator().buffer(capacity: capacity)
        buffer.writeImmutableBuffer(bytes)
        buffers.append(buffer)
        tailIsGathered = true
    }

    /// The room that is left in the last buffer.
    private var room: Int {
        guard tailIsGathered, let tail = buffers.last else { return 0 }
        return tail.storageCapacity - tail.writerIndex
    }

    private func mayShare(_ bytes: ByteBuffer) -> Bool {
        if buffers.isEmpty { return bytes.storageCapacity <= max(Self.firstBuffer, Self.spread * bytes.readableBytes) }
        return bytes.readableBytes >= Self.smallPiece && bytes.storageCapacity <= Self.spread * bytes.readableBytes
    }
}
