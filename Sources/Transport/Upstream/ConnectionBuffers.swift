package import NIOCore

/// How much memory the buffers of one connection take, whatever its peer does.
///
/// A channel keeps the buffer that it read into last, and what it has been given to write until the system takes it.
package enum ConnectionBuffers {
    /// The largest piece that is read at a time, in bytes.
    package static let readBytes = 16 << 10

    /// Sizes of buffers to read into: they grow with what comes.
    package static var reading: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2048, maximum: readBytes)
    }

    /// How many pieces are read before others have their turn; as many buffers are kept.
    package static let readsAtOnce: UInt = 1

    /// From how many bytes on that wait to be written nothing more is read for them, and below how many again.
    package static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 8 << 10, high: 16 << 10)
}
