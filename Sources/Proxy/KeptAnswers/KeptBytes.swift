import NIOCore

/// A copy of the bytes of an answer in buffers of its own.
///
/// A slice of what was received would hold the whole buffer that it was read into, however small it is.
struct KeptBytes {
    /// The largest buffer that is begun for what may still come, in bytes.
    private static let largestRest = 64 << 10

    private(set) var buffers: [ByteBuffer] = []
    /// The bytes that are kept.
    private(set) var byteCount = 0
    /// The memory that they take.
    private(set) var capacity = 0
    /// Whether the last buffer is shared with a reader: writing to it would copy it.
    private var isShared = false

    /// The room that is left in the last buffer.
    private var room: Int {
        guard !isShared, let last = buffers.last else { return 0 }
        return last.storageCapacity - last.writerIndex
    }

    /// The memory that `count` more bytes take in addition.
    func growth(for count: Int) -> Int {
        let missing = count - room
        guard missing > 0 else { return 0 }
        // Buffers have powers of two: one that what is missing fits into, or about as much as there is already.
        let needed = missing == 1 ? 1 : 1 << (Int.bitWidth - (missing - 1).leadingZeroBitCount)
        let usual = min(max(byteCount, 1024), Self.largestRest)
        return max(needed, 1 << (Int.bitWidth - 1 - usual.leadingZeroBitCount))
    }

    /// Copies bytes to the end.
    mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        let growth = growth(for: bytes.readableBytes)
        byteCount += bytes.readableBytes
        if let fitting = bytes.readSlice(length: min(room, bytes.readableBytes)), fitting.readableBytes > 0 {
            buffers[buffers.count - 1].writeImmutableBuffer(fitting)
        }
        guard growth > 0 else { return }
        var buffer = ByteBufferAllocator().buffer(capacity: growth)
        buffer.writeImmutableBuffer(bytes)
        capacity += growth
        buffers.append(buffer)
        isShared = false
    }

    /// Everything, for a reader.
    mutating func shared() -> [ByteBuffer] {
        isShared = true
        return buffers
    }
}
