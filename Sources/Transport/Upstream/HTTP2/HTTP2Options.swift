import NIOCore
import NIOHPACK
import NIOHTTP2

/// What an HTTP/2 peer may do to us, and how much at a time.
enum HTTP2Options {
    /// Bytes that a peer may send on one stream before they are read: also what a slow agent can make us hold.
    static let streamWindow = 64 << 10
    /// Bytes that a peer may send on one connection before its frames are taken apart.
    static let connectionWindow = 16 << 20
    /// Streams that one connection carries at most, whatever the peer offers.
    static let streamLimit = 256
    /// Streams that a peer carries that has not said how many; also where NIOHTTP2 begins to hold streams back.
    static let unsaidStreamLimit = 100

    /// Settings for our side of a connection to a server.
    ///
    /// NIOHTTP2's checks of header blocks and lengths are off since ``HTTP2ResponseDecoder`` makes them: it alone can tell a
    /// malformed answer from a reset stream, behind which a payment is sent again.
    static var connection: NIOHTTP2Handler.ConnectionConfiguration {
        var options = NIOHTTP2Handler.ConnectionConfiguration()
        options.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HTTP1Limits.responseHeadBytes),
        ]
        options.headerBlockValidation = .disabled
        options.contentLengthValidation = .disabled
        options.targetWindowSize = connectionWindow
        // Some servers flush with empty frames.
        options.maximumSequentialEmptyDataFrames = 64
        // A header block of the greatest size in frames of the usual one.
        options.maximumSequentialContinuationFrames = HTTP1Limits.responseHeadBytes >> 14
        // Answers that have not been read by their peer.
        options.maximumBufferedControlFrames = 1000
        // Frames in flight for streams that agents have left are no reason to close the connection.
        options.maximumRecentlyResetStreams = 1024
        options.controlFrameRateLimit.maximumCount = 1000
        return options
    }

    /// Settings for each stream.
    static var stream: NIOHTTP2Handler.StreamConfiguration {
        var options = NIOHTTP2Handler.StreamConfiguration()
        options.targetWindowSize = streamWindow
        options.outboundBufferSizeHighWatermark = ConnectionBuffers.waterMark.high
        options.outboundBufferSizeLowWatermark = ConnectionBuffers.waterMark.low
        options.streamResetFrameRateLimit.maximumCount = 1000
        return options
    }
}
