package import NIOCore

/// How the end of a body is found; RFC 9112 section 6.
package enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// Exactly this many bytes.
    case length(UInt64)
    /// Chunks up to a last one of size zero.
    case chunked
    /// Everything until the connection closes (responses only).
    case untilClose
}

/// Follows a body through the bytes of its connection and says where it ends.
///
/// Bytes are never changed.
package struct BodyReader: Sendable {
    private enum State {
        case length(UInt64)
        case chunked(ChunkScanner)
        case untilClose
        case finished
    }

    private var state: State

    /// Makes a reader for one body.
    package init(_ framing: BodyFraming) {
        switch framing {
        case .none, .length(0): state = .finished
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked(ChunkScanner())
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the whole body has been read.
    package var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Whether the end of the connection is the end of the body.
    package var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// Takes the body's part from the front of `input`, framing included; what follows the body stays.
    package mutating func take(from input: inout ByteBuffer) throws(HTTP1Error) -> ByteBuffer? {
        let available = input.readableBytes
        guard available > 0 else { return nil }
        let count: Int
        switch state {
        case .finished:
            return nil
        case .untilClose:
            count = available
        case .length(let left):
            count = Int(min(left, UInt64(available)))
            state = UInt64(count) == left ? .finished : .length(left - UInt64(count))
        case .chunked(var scanner):
            count = try scanner.scan(input.readableBytesUInt8Span)
            state = scanner.isFinished ? .finished : .chunked(scanner)
        }
        return input.readSlice(length: count)
    }
}
