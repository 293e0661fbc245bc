package import NIOCore

/// Finds the end of a message head in bytes that arrive in pieces, looking at each byte once.
package struct HeadScanner: Sendable {
    private var position = 0
    private var lineIsEmpty = true
    private var isInFirstLine = true

    /// Makes a scanner for one head.
    package init() {}

    /// Whether nothing has been looked at yet.
    package var isAtStart: Bool { position == 0 }

    /// Returns the length of the head including its empty line, or nil when more bytes are needed.
    ///
    /// `buffer` is everything received so far, beginning with the head.
    package mutating func endOfHead(in buffer: ByteBuffer, limit: Int) throws(HTTP1Error) -> Int? {
        let bytes = buffer.readableBytesUInt8Span
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard position <= limit else { throw isInFirstLine ? .targetTooLong : .headTooLarge }
            if byte == 0x0a {
                guard position >= 2, bytes[position - 2] == 0x0d else { throw .badLineEnding }
                if lineIsEmpty { return position }
                lineIsEmpty = true
                isInFirstLine = false
            } else if byte != 0x0d {
                lineIsEmpty = false
            }
        }
        return nil
    }
}
