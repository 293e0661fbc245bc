package import NIOCore

/// Follows the frames that one side of a WebSocket connection sends (RFC 6455 section 5) and tells where messages begin.
///
/// Payloads are not looked at and nothing is kept: extensions such as permessage-deflate change what is inside a message
/// and not where it begins. Strict where a reader at the other end could see other messages than this one: masks, reserved
/// opcodes, lengths that are not written in the shortest way.
package struct WebSocketFrames: Sendable {
    /// Who sends.
    package enum Side: Sendable {
        /// Masks every frame.
        case client
        /// Masks none.
        case server
    }

    /// What stands at the front of the bytes, with its length.
    package enum Piece: Equatable, Sendable {
        /// The header of a frame that begins a message.
        case message(Int)
        /// The header of a frame that goes on with a message.
        case continuation(Int)
        /// The header of a control frame: close, ping or pong.
        case control(Int)
        /// Payload of the present frame, as far as it has come.
        case payload(Int)

        /// How many bytes it is.
        package var length: Int {
            switch self {
            case .message(let count), .continuation(let count), .control(let count), .payload(let count): count
            }
        }
    }

    /// What no frame of that side can be.
    package enum Violation: Error, Equatable, Sendable {
        /// A client's frame without a mask, or a server's with one.
        case mask
        /// An opcode that has no meaning.
        case opcode
        /// A control frame that is fragmented or longer than 125 bytes.
        case control
        /// A continuation of no message, or a message inside another.
        case fragment
        /// A length of more than 63 bits, or one that could be written in fewer bytes.
        case length
        /// More control frames than anybody needs.
        case controlFlood
    }

    /// The longest header of a frame, in bytes.
    package static let longestHeader = 14

    private let side: Side
    /// Payload bytes of the present frame that have not come yet.
    private var left: UInt64 = 0
    /// Whether the present message goes on in another frame.
    private var isInMessage = false

    /// Begins in front of the first frame.
    package init(from side: Side) {
        self.side = side
    }

    /// Whether the bytes so far end with a frame.
    package var isBetweenFrames: Bool { left == 0 }

    /// The next piece of `bytes`, of which everything before has been taken; nil where more bytes are needed.
    package mutating func next(in bytes: ByteBufferView) throws(Violation) -> Piece? {
        guard left == 0 else {
            let count = Int(min(left, UInt64(bytes.count)))
            left -= UInt64(count)
            return count > 0 ? .payload(count) : nil
        }
        guard bytes.count >= 2 else { return nil }
        let (first, second) = (bytes[bytes.startIndex], bytes[bytes.startIndex + 1])
        let isLast = first & 0x80 != 0
        let opcode = first & 0x0f
        guard (second & 0x80 != 0) == (side == .client) else { throw .mask }
        let short = second & 0x7f
        let lengthBytes = short == 127 ? 8 : short == 126 ? 2 : 0
        let header = 2 + lengthBytes + (side == .client ? 4 : 0)
        // What is wrong already need not wait for the rest of the header.
        switch opcode {
        case 0x0: guard isInMessage else { throw .fragment }
        case 0x1, 0x2: guard !isInMessage else { throw .fragment }
        case 0x8, 0x9, 0xa: guard isLast, lengthBytes == 0 else { throw .control }
        default: throw .opcode
        }
        guard bytes.count >= header else { return nil }
        let length = bytes.dropFirst(2).prefix(lengthBytes).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch lengthBytes {
        case 0: left = UInt64(short)
        case 2: guard length >= 126 else { throw .length }
        default: guard length > 0xffff, length >> 63 == 0 else { throw .length }
        }
        if lengthBytes > 0 { left = length }
        guard opcode < 0x8 else { return .control(header) }
        isInMessage = !isLast
        return opcode == 0 ? .continuation(header) : .message(header)
    }
}

/// Where the frames end that a server sends, for one who passes them on and may have to put a last one behind them.
package struct WebSocketBoundary: Sendable {
    private var frames = WebSocketFrames(from: .server)
    /// The beginning of a header whose rest has not come.
    private var header = ByteBuffer()
    private var isLost = false

    /// Begins in front of the first frame.
    package init() {}

    /// Whether another frame may follow what has passed.
    package var isBetweenFrames: Bool { !isLost && header.readableBytes == 0 && frames.isBetweenFrames }

    /// Follows bytes that are passed on.
    package mutating func pass(_ bytes: ByteBuffer) {
        guard !isLost else { return }
        var rest = header
        rest.appendUnread(bytes)
        do {
            while let piece = try frames.next(in: rest.readableBytesView) {
                rest.moveReaderIndex(forwardBy: piece.length)
            }
        } catch {
            isLost = true
        }
        // A slice would keep the whole of what has passed.
        header = ByteBuffer(bytes: rest.readableBytesView.prefix(WebSocketFrames.longestHeader))
    }

    /// A server's close frame (RFC 6455 section 5.5.1); `reason` is cut to the 123 bytes that fit.
    package static func close(code: UInt16, reason: String) -> ByteBuffer {
        let reason = Array(reason.utf8.prefix(123))
        var frame = ByteBuffer()
        frame.writeInteger(UInt8(0x88))
        frame.writeInteger(UInt8(2 + reason.count))
        frame.writeInteger(code)
        frame.writeBytes(reason)
        return frame
    }
}
